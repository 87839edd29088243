/** A reply that is broken off goes on at the sample at which it was heard, whoever says how far that was. */
import { expect, it } from 'vitest'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { samplesOf } from '../../src/voice/audio.ts'
import type { VoiceEvent } from '../../src/voice/messages.ts'
import { Player } from '../../src/voice/player.ts'
import { restOf } from '../../src/voice/said.ts'
import { Stage, say } from './stage.ts'

const ramp = (length: number, from = 0): Int16Array =>
  Int16Array.from({ length }, (_, i) => ((from + i) % 60_000) - 30_000)

it('a player that is cut says what was heard, and gives back all that comes after', () => {
  for (const [at_ms, after_ms] of [
    [137, 0],
    [1_000, 40],
    [3, 0],
    [900, 0],
  ] as const) {
    const clock = new SimulatedClock()
    const sent: Int16Array[] = []
    const events: VoiceEvent[] = []
    const listener = {
      audio: (pcm: Uint8Array) => void sent.push(samplesOf(pcm)),
      event: (event: VoiceEvent) => void events.push(event),
    }
    const player = new Player(clock, listener, 200, () => undefined)
    const reply = ramp(30_000)
    player.push(reply.slice(0, 1_000))
    player.push(reply.slice(1_000))
    clock.advance(at_ms)
    const { played, ahead } = player.cut(after_ms)
    expect(played).toBe((at_ms + after_ms) * 16)
    expect([...ahead]).toEqual([...reply.slice(played)])
    expect(events).toEqual([{ type: 'stop-playback', at: played }, { type: 'reply-end' }])
    expect(sent.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThanOrEqual(played)
  }
})

it('a place in a reply is one of a sentence', () => {
  expect(restOf({ ends: [], samples: 0 })).toEqual({ sentence: 0, skip: 0, from: 0 })
  expect(restOf({ ends: [100, 250], samples: 99 })).toEqual({ sentence: 0, skip: 99, from: 0 })
  expect(restOf({ ends: [100, 250], samples: 100 })).toEqual({ sentence: 1, skip: 0, from: 100 })
  expect(restOf({ ends: [100, 250], samples: 300 })).toEqual({ sentence: 2, skip: 50, from: 250 })
})

const LONG = 'You have a lot to do today. First of all there is the shopping. Then there is the rest of it.'
const asked = (): Stage => {
  const words = say('what is the time')
  const stage = new Stage({ words, skill: () => ({ type: 'skill.result', speech: LONG }) })
  stage.attach()
  stage.hear(4_000)
  return stage
}
const total = (stage: Stage): number => stage.played.reduce((sum, { samples }) => sum + samples, 0)

it('a session that leaves and comes to another satellite says each sample once', () => {
  const whole = asked()
  whole.advance(20_000)
  const stage = asked()
  expect(stage.phase).toMatch(/speaking|playing/)
  const handed = total(stage)
  stage.tell({ type: 'session.leave', room: 'office', far: false }, { actor: undefined, id: 9 })
  stage.advance(1)
  expect(stage.answers.at(-1)?.message).toEqual({ type: 'session.left' })
  const { samples, ahead } = stage.state.turn.left!
  expect(samples! + ahead.length).toBe(handed)
  stage.tell({ type: 'session.attach', satellite: 'office-1', room: 'office' })
  stage.advance(20_000)
  expect(stage.phase).toBe('idle')
  expect(samples! + (total(stage) - handed)).toBe(total(whole))
  expect(stage.turns).toHaveLength(1)
})

it('one whose satellite is lost after it came there goes on from the sample that was heard there', () => {
  const whole = asked()
  whole.advance(20_000)
  const stage = asked()
  stage.tell({ type: 'session.leave', room: 'office', far: false }, { actor: undefined, id: 9 })
  stage.advance(1)
  const satellite = 'office-1'
  const { samples } = stage.state.turn.left!
  stage.tell({ type: 'session.attach', satellite, room: 'office' })
  const begun = stage.events.findLast(({ type }) => type === 'reply')
  expect(begun).toEqual({ type: 'reply', turn: 2, from: samples })
  stage.advance(3_000)
  expect(stage.phase).toMatch(/speaking|playing/)
  stage.tell({ type: 'session.detach', satellite })
  const before = total(stage)
  const heard = { turn: 2, samples: samples! + 20_000 }
  stage.tell({ type: 'session.attach', satellite: 'office-2', room: 'office', heard })
  stage.advance(20_000)
  expect(stage.events.findLast(({ type }) => type === 'reply')).toMatchObject({
    ...{ type: 'reply', turn: 2 },
    from: heard.samples,
  })
  expect(heard.samples + total(stage) - before).toBe(total(whole))
})

it('one that nobody takes goes on where it was, and what its former satellite still hears changes nothing', () => {
  const whole = asked()
  whole.advance(20_000)
  const stage = asked()
  const handed = total(stage)
  stage.tell({ type: 'session.leave', room: 'office', far: true }, { actor: undefined, id: 9 })
  stage.advance(1)
  const { samples } = stage.state.turn.left!
  stage.frame()
  expect(stage.state.turn.satellite).toBeUndefined()
  stage.advance(2_100)
  expect(stage.state.turn).toMatchObject({ satellite: 'kitchen-1', conversation: { room: 'kitchen' } })
  stage.advance(20_000)
  expect(samples! + (total(stage) - handed)).toBe(total(whole))
})

it('one that hears somebody does not leave', () => {
  const stage = new Stage({ words: say('set a timer for five minutes') })
  stage.attach()
  stage.hear(900)
  stage.tell({ type: 'session.leave', room: 'office', far: false }, { actor: undefined, id: 9 })
  expect(stage.answers.at(-1)?.message).toEqual({ type: 'session.left', why_not: 'busy' })
  expect(stage.phase).toBe('listening')
})
