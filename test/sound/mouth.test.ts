/** A loudspeaker plays one reply after the other, is silent when it is told to be, and survives programs that fail. */
import { describe, expect, it } from 'vitest'
import {
  MAX_HELD,
  type Mouth,
  type MouthEffect,
  type MouthInput,
  mouth,
  newMouth,
} from '../../src/sound/mouth.ts'

class Tried {
  state: Mouth = newMouth
  running = 0

  on(input: MouthInput): readonly string[] {
    if (input.type === 'ended') this.running -= 1
    const { state, effects } = mouth(this.state, input)
    this.state = state
    for (const { type } of effects) if (type === 'spawn') this.running += 1
    expect(this.running).toBeLessThanOrEqual(1)
    return effects.map(shown)
  }
}

const shown = (effect: MouthEffect): string =>
  effect.type === 'write'
    ? `write ${effect.pcm[0]}`
    : effect.type === 'fails'
      ? `fails ${effect.why}`
      : effect.type
const sound = (mark: number): MouthInput => ({ type: 'sound', pcm: Uint8Array.of(mark, 0) })
const tone: MouthInput = { type: 'tone', pcm: Uint8Array.of(99, 0) }
const end: MouthInput = { type: 'reply-end' }
const hush: MouthInput = { type: 'hush' }
const ended = (why?: string): MouthInput => ({ type: 'ended', why })

describe('a loudspeaker', () => {
  it('plays a reply, and the next one that comes while it is still heard after it', () => {
    const one = new Tried()
    expect(one.on(sound(1))).toEqual(['spawn', 'write 1'])
    expect(one.on(sound(2))).toEqual(['write 2'])
    expect(one.on(end)).toEqual(['end'])
    expect(one.on(sound(3))).toEqual([])
    expect(one.on(end)).toEqual([])
    expect(one.on(ended())).toEqual(['spawn', 'write 3', 'end'])
    expect(one.on(ended())).toEqual([])
    expect(one.state.phase).toBe('quiet')
  })

  it('M2 hushed: plays nothing of what came before, and what comes after whole', () => {
    const one = new Tried()
    one.on(sound(1))
    expect(one.on(hush)).toEqual(['kill'])
    one.on(end)
    expect(one.on(sound(2))).toEqual([])
    expect(one.on(ended('killed'))).toEqual(['spawn', 'write 2'])
    one.on(end)
    one.on(sound(3))
    expect(one.on(hush)).toEqual(['kill'])
    expect(one.on(ended('killed'))).toEqual([])
    expect(one.state).toEqual(newMouth)
    expect(one.on(hush)).toEqual([])
  })

  it('M3 holds no more than it says', () => {
    const one = new Tried()
    one.on(sound(1))
    one.on(end)
    for (let mark = 0; mark < MAX_HELD + 10; mark += 1) one.on(sound(mark))
    expect(one.on(ended())).toHaveLength(1 + MAX_HELD)
  })

  it('M4 that fails costs the reply; it is tried for each one, and missed once', () => {
    const one = new Tried()
    one.on(sound(1))
    expect(one.on(ended('no device'))).toEqual(['fails no device'])
    expect(one.on(sound(2))).toEqual([])
    one.on(end)
    expect(one.on(sound(3))).toEqual(['spawn', 'write 3'])
    one.on(end)
    expect(one.on(ended('no device'))).toEqual([])
    one.on(sound(4))
    one.on(end)
    expect(one.on(ended())).toEqual(['works'])
    expect(one.state).toEqual(newMouth)
  })

  it('M5 sounds a tone by itself, and the reply that comes meanwhile after it', () => {
    const one = new Tried()
    expect(one.on(tone)).toEqual(['spawn', 'write 99', 'end'])
    expect(one.on(ended())).toEqual([])
    expect(one.state).toEqual(newMouth)
    one.on(tone)
    expect(one.on(sound(1))).toEqual([])
    expect(one.on(ended())).toEqual(['spawn', 'write 1'])
    expect(one.on(end)).toEqual(['end'])
  })

  it('M5 sounds a tone within a reply that does not go on, and ends nothing by it', () => {
    const one = new Tried()
    one.on(sound(1))
    expect(one.on(tone)).toEqual(['write 99'])
    expect(one.on(sound(2))).toEqual(['write 2'])
    one.on(end)
    // The reply before is still heard.
    expect(one.on(tone)).toEqual([])
    expect(one.on(ended())).toEqual(['spawn', 'write 99', 'end'])
    one.on(sound(3))
    one.on(tone)
    expect(one.on(ended())).toEqual(['spawn', 'write 3', 'write 99'])
  })

  it('M2, M4 a tone is hushed and missed like a reply, and not tried in one that cannot be played', () => {
    const one = new Tried()
    one.on(tone)
    expect(one.on(hush)).toEqual(['kill'])
    expect(one.on(ended('killed'))).toEqual([])
    one.on(tone)
    expect(one.on(ended('no device'))).toEqual(['fails no device'])
    one.on(sound(1))
    one.on(ended('no device'))
    expect(one.on(tone)).toEqual([])
    one.on(end)
    one.on(tone)
    expect(one.on(ended())).toEqual(['works'])
  })
})
