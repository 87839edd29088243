import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { Microphone } from '../../src/voice/microphone.ts'
import { Player } from '../../src/voice/player.ts'

interface Desk {
  readonly clock: SimulatedClock
  readonly microphone: Microphone
  readonly frames: { readonly at: number; readonly samples: Int16Array }[]
  ended: number
  dropped: number
}

function desk(): Desk {
  const clock = new SimulatedClock()
  const frames: { at: number; samples: Int16Array }[] = []
  const microphone = new Microphone({
    clock,
    detector: { isVoiced: () => false, close: () => undefined },
    frame: ({ samples }) => frames.push({ at: clock.monotonic(), samples }),
    end: () => {
      here.ended += 1
    },
    dropped: (count) => {
      here.dropped += count
    },
  })
  const here: Desk = { clock, microphone, frames, ended: 0, dropped: 0 }
  return here
}

describe('the microphone', () => {
  test('makes frames of 20 ms of bytes of any size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 20 }), (sizes) => {
        const { microphone, frames } = desk()
        for (const size of sizes) microphone.push(new Uint8Array(size))
        const bytes = sizes.reduce((sum, size) => sum + size, 0)
        expect(frames).toHaveLength(Math.floor(Math.floor(bytes / 2) / 320))
        expect(frames.every(({ samples }) => samples.length === 320)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('keeps odd bytes in step', () => {
    const { microphone, frames } = desk()
    const sound = Int16Array.from({ length: 320 }, (_, n) => (n % 2 ? 9_000 : -9_000))
    const bytes = new Uint8Array(sound.buffer)
    for (let at = 0; at < bytes.length; at += 7) microphone.push(bytes.subarray(at, at + 7))
    expect(frames).toHaveLength(1)
    expect(Math.max(...frames[0]!.samples)).toBeGreaterThan(8_000)
  })

  test('hands on at once what comes in real time, also after a hiccup of a second', () => {
    const { microphone, frames, clock } = desk()
    clock.advance(1_000)
    microphone.push(new Uint8Array(32_000))
    expect(frames).toHaveLength(50)
  })

  test('takes ten times real time at twice, keeps ten seconds, and counts what is lost', () => {
    const here = desk()
    for (let second = 0; second < 10; second += 1) {
      here.microphone.push(new Uint8Array(320_000))
      here.clock.advance(1_000)
    }
    // One second of burst, then two seconds of sound per second; what came last is the backlog.
    expect(here.frames.length).toBeLessThanOrEqual(50 + 10 * 100)
    expect(here.dropped).toBe(5_000 - 500 - 50 - 900)
    here.clock.advance(10_000)
    expect(here.frames.length + here.dropped).toBe(5_000)
  })

  test('ends after the last frame, filled up with silence', () => {
    const here = desk()
    here.microphone.push(new Uint8Array(64_000 + 10))
    here.microphone.finish()
    expect(here.ended).toBe(0)
    here.clock.advance(10_000)
    expect(here.ended).toBe(1)
    expect(here.frames).toHaveLength(101)
  })

  test('hands on nothing after it was closed', () => {
    const here = desk()
    here.microphone.push(new Uint8Array(96_000))
    const before = here.frames.length
    here.microphone.close()
    here.microphone.push(new Uint8Array(640))
    here.clock.advance(10_000)
    expect([here.frames.length, here.ended]).toEqual([before, 0])
  })
})

describe('the player', () => {
  function loudspeaker() {
    const clock = new SimulatedClock()
    const sent: { at: number; ms: number }[] = []
    const events: string[] = []
    let played: number | undefined
    const player = new Player(
      clock,
      {
        audio: (pcm) => sent.push({ at: clock.monotonic(), ms: pcm.length / 32 }),
        event: ({ type }) => events.push(type),
      },
      200,
      () => {
        played = clock.monotonic()
      },
    )
    return { clock, player, sent, events, played: () => played }
  }
  const second = new Int16Array(16_000)

  test('sends the beginning at once, the rest as it is played, never more than 200 ms ahead', () => {
    const { clock, player, sent } = loudspeaker()
    player.push(second)
    player.push(second)
    expect(sent[0]!.at).toBe(0)
    clock.advance(3_000)
    let total = 0
    for (const { at, ms } of sent) {
      total += ms
      expect(total - at).toBeLessThanOrEqual(200)
    }
    expect(total).toBe(2_000)
  })

  test('has played when the last sample was, and says so once', () => {
    const { clock, player, events, played } = loudspeaker()
    player.push(second)
    player.end()
    clock.advance(999)
    expect(played()).toBeUndefined()
    clock.advance(2)
    expect(played()).toBe(1_000)
    expect(events).toEqual(['reply-end'])
  })

  test('takes its time anew after the voice fell behind', () => {
    const { clock, player, sent } = loudspeaker()
    player.push(new Int16Array(1_600))
    clock.advance(500)
    player.push(second)
    clock.advance(100)
    expect(sent.filter(({ at }) => at >= 500).reduce((sum, { ms }) => sum + ms, 0)).toBeLessThanOrEqual(320)
  })

  test('is silent from the moment it is stopped', () => {
    const { clock, player, sent, events, played } = loudspeaker()
    player.push(second)
    clock.advance(300)
    player.stop()
    const before = sent.length
    clock.advance(5_000)
    expect(sent).toHaveLength(before)
    expect(events).toEqual(['stop-playback', 'reply-end'])
    expect(played()).toBeUndefined()
  })

  test('ends at once when there was nothing to say', () => {
    const { clock, player, events, played } = loudspeaker()
    player.end()
    clock.advance(1)
    expect([events, played()]).toEqual([['reply-end'], 0])
  })
})
