/** A microphone is heard whenever there is one; when there is none that is said once, and looked for again and again. */
import { describe, expect, it } from 'vitest'
import { monotonic } from '../../src/host/index.ts'
import { type Ear, type EarEffect, type EarInput, ear, newEar } from '../../src/sound/ear.ts'

class Tried {
  state: Ear = newEar
  now = 0
  running = 0
  readonly effects: EarEffect[] = []

  /** Returns what it led to. */
  on(input: EarInput, after_ms = 0): readonly EarEffect['type'][] {
    this.now += after_ms
    if (input.type === 'ended') this.running -= 1
    const { state, effects } = ear(this.state, input, monotonic(this.now))
    this.state = state
    this.effects.push(...effects)
    for (const { type } of effects) if (type === 'spawn') this.running += 1
    expect(this.running).toBeLessThanOrEqual(1)
    return effects.map(({ type }) => type)
  }

  get pauses(): readonly number[] {
    return this.effects.flatMap((effect) => (effect.type === 'pause' ? [effect.ms] : []))
  }

  get told(): readonly string[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'lost' ? [effect.why] : effect.type === 'heard' ? ['heard'] : [],
    )
  }
}

const ended = (why: string): EarInput => ({ type: 'ended', why })

describe('a microphone', () => {
  it('E2, E5 that is not there is looked for ever more rarely, and missed once', () => {
    const one = new Tried()
    one.on({ type: 'start' })
    for (let times = 0; times < 8; times += 1) {
      one.on(ended('no device'))
      one.on({ type: 'due' })
    }
    expect(one.pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
    expect(one.told).toEqual(['no device'])
    one.on(ended('busy'))
    expect(one.told).toEqual(['no device', 'busy'])
    one.on({ type: 'due' })
    one.on({ type: 'sound' })
    one.on({ type: 'sound' })
    expect(one.told).toEqual(['no device', 'busy', 'heard'])
  })

  it('E3, E6 that is pulled out ends the sentence, and is looked for at once when it had been heard for long', () => {
    const one = new Tried()
    one.on({ type: 'start' })
    one.on(ended('no device'))
    one.on({ type: 'due' })
    one.on({ type: 'sound' })
    expect(one.on(ended('read error'), 4_999)).toEqual(['cut', 'lost', 'pause'])
    one.on({ type: 'due' })
    one.on({ type: 'sound' })
    one.on(ended('read error'), 5_000)
    expect(one.pauses).toEqual([250, 500, 250])
  })

  it('E4 that gives nothing is ended and opened again; one that gives silence is not', () => {
    const one = new Tried()
    one.on({ type: 'start' })
    one.on({ type: 'sound' })
    expect(one.on({ type: 'looked', sound: true }, 3_000)).toEqual(['look'])
    expect(one.on({ type: 'looked', sound: false }, 3_000)).toEqual(['cut', 'kill'])
    // Sound that was under way.
    expect(one.on({ type: 'sound' })).toEqual([])
    expect(one.on(ended('by signal SIGKILL'))).toEqual(['lost', 'pause'])
    expect(one.told).toEqual(['heard', 'it gave no sound for 3 s'])
  })

  it('E1 that is not wanted any more is let go of, whatever it was doing', () => {
    const one = new Tried()
    expect(one.on({ type: 'stop' })).toEqual([])
    one.on({ type: 'start' })
    expect(one.on({ type: 'start' })).toEqual([])
    expect(one.on({ type: 'stop' })).toEqual(['kill'])
    for (const input of [ended('killed'), { type: 'due' }, { type: 'sound' }] as const)
      expect(one.on(input)).toEqual([])
    expect(one.state).toEqual(newEar)
  })
})
