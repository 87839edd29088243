/**
 * Promised of how a sandbox waits for an answer: it is looked for at once, never for one call on top of another, and not again for
 * some calls of a skill that did not answer at once.
 */
import { expect, it } from 'vitest'
import { simulatedHost } from '../../../src/host/simulated/index.ts'
import type { CallOutcome } from '../../../src/skills/call.ts'
import { encodeFrame } from '../../../src/skills/sandbox/frames.ts'
import { Sandbox } from '../../../src/skills/sandbox/sandbox.ts'
import { EMPTY_CALL } from '../house-skills.ts'

/** The eight bytes of a module in which nothing is. */
const MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
const BUDGET = { call_ms: 100, memory_kb: 1_024, host_calls: 64, storage_kb: 16 }

/** A sandbox with a scripted process; `at_once`: it has answered when it is looked. */
function stage({ at_once }: { at_once: boolean }) {
  let events: Parameters<ConstructorParameters<typeof Sandbox>[2]>[0] | undefined
  const counts = { looks: 0 }
  const say = (answer: object): void => events!.bytes(encodeFrame(answer))
  const answer = (): void => say({ answer: 'answered', output: '{"speech":"yes"}', changes: [] })
  const told = {
    charged: () => undefined,
    ended: () => undefined,
  }
  const sandbox = new Sandbox(simulatedHost(1).clock, told, (of) => {
    events = of
    return {
      pid: 1,
      send: () => undefined,
      listen() {
        counts.looks += 1
        if (at_once) answer()
        return at_once
      },
      kill: () => undefined,
    }
  })
  sandbox.install({ name: 'pets', permissions: [], module: MODULE, budget: BUDGET })
  const outcomes: CallOutcome[] = []
  const call = (): void => void sandbox.call('pets', EMPTY_CALL, 1_000, (outcome) => outcomes.push(outcome))
  const ready = (): void => {
    sandbox.warm()
    say({ answer: 'ready' })
    call()
    say({ answer: 'loaded' })
  }
  return { sandbox, counts, outcomes, call, ready, answer }
}

it('an answer that is there at once is had before anything else happens', async () => {
  const { ready, call, outcomes, counts } = stage({ at_once: true })
  ready()
  call()
  call()
  await Promise.resolve()
  expect(outcomes).toMatchObject([{ ok: true }, { ok: true }, { ok: true }])
  expect(counts.looks).toBe(3)
})

it('a skill that is slow is looked for once in four calls', async () => {
  const { ready, call, answer, outcomes, counts } = stage({ at_once: false })
  ready()
  answer()
  for (let calls = 1; calls < 8; calls += 1) {
    call()
    answer()
  }
  await Promise.resolve()
  expect(outcomes).toHaveLength(8)
  expect(counts.looks).toBe(2)
})

it('a call that another left behind is not looked for on top of that one', async () => {
  const { ready, call, sandbox, counts, answer, outcomes } = stage({ at_once: true })
  sandbox.warm()
  for (let calls = 0; calls < 3; calls += 1) call()
  ready()
  await Promise.resolve()
  expect([counts.looks, outcomes.length]).toEqual([1, 1])
  // The second's answer comes through the loop; the third is looked for, the fourth is not.
  answer()
  await Promise.resolve()
  expect([counts.looks, outcomes.length]).toEqual([2, 3])
  answer()
  await Promise.resolve()
  expect([counts.looks, outcomes.length]).toEqual([2, 4])
})
