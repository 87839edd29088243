/** A20: a run is a function of its seed. */
import { describe, expect, it } from 'vitest'
import { type Behavior, type Message, next, placedAddress } from '../../src/actors/index.ts'
import { createSimulation } from '../../src/actors/simulate.ts'
import { requestId } from '../../src/host/index.ts'

const PLAYERS = 12

/** Throws a ball to a drawn player; asks, waits, works outside and stumbles, all as drawn. */
const player: Behavior<{ readonly throws: number }, Message> = {
  kind: 'player',
  start: (_args, context) =>
    next({ throws: 0 }, [
      { type: 'schedule', id: requestId('begin'), delay_ms: context.entropy % 50, message: { type: 'ball' } },
    ]),
  receive(state, message, { entropy, replyTo, wall }) {
    if (message.type === 'question')
      return next(state, [{ type: 'reply', to: replyTo!, message: { type: 'fine' } }])
    if (message.type !== 'ball') return next(state)
    if (entropy % 97 === 0) throw new Error('stumbled')
    const to = placedAddress('player', `p${entropy % PLAYERS}`)
    const ball = { type: 'ball', at: wall } as Message
    switch (entropy % 4) {
      case 0:
        return next({ throws: state.throws + 1 }, [
          { type: 'ask', id: requestId('q'), to, message: { type: 'question' }, deadline_ms: 100 },
          { type: 'send', to, message: ball },
        ])
      case 1:
        return next(state, [{ type: 'schedule', id: requestId('s'), delay_ms: entropy % 10, message: ball }])
      case 2:
        return next(state, [
          { type: 'read', id: requestId('r'), to: 'shelf', op: 'get', body: new Uint8Array([entropy & 255]) },
          { type: 'send', to, message: ball },
        ])
      default:
        return next(state, [{ type: 'send', to, message: ball }])
    }
  },
}

function play(seed: number, events: number) {
  const simulation = createSimulation({
    seed,
    behaviors: { player },
    outside: ({ clock, random }) => ({
      read: ({ id }, deliver) => {
        clock.after(random.below(20), () => deliver({ type: 'outcome', id, event: 'done' }))
      },
    }),
  })
  simulation.runtime.start({
    id: 'game',
    intensity: 100_000,
    children: Array.from({ length: PLAYERS }, (_, i) => ({ id: `p${i}`, kind: 'player', key: `p${i}` })),
  })
  while (simulation.events() < events && simulation.host.clock.step());
  return simulation
}

describe('the simulated runtime', () => {
  it('gives the same trace for the same seed, byte for byte', () => {
    const [first, second] = [play(7, 10_000), play(7, 10_000)]
    expect(first.events()).toBeGreaterThanOrEqual(10_000)
    expect(first.trace().some((line) => line.includes(' failed '))).toBe(true)
    expect(second.events()).toBe(first.events())
    expect(second.traceHash()).toBe(first.traceHash())
    expect(second.trace()).toEqual(first.trace())
  })

  it('gives another trace for every other seed', () => {
    const hashes = Array.from({ length: 20 }, (_, seed) => play(seed, 500).traceHash())
    expect(new Set(hashes).size).toBe(20)
  })
})
