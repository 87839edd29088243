/** Steps of conversations as another node tells them: read or refused, never thrown. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { stepsJoin } from '../../src/node/heal.ts'

const step = {
  ...{ trace_id: 't', session_id: 's', actor_id: 'loqa:/session/s', capability_tier: 'balanced' },
  ...{ privacy_scope: 'session', at: 1, at_ms: 1, kind: 'turn.began', body: {} },
}
const join = {
  ...{ type: 'steps.join', session: 's', mark: 1, part: 0, last: true, scope: 'session', person: null },
  steps: [step],
}

it('only what is whole is read', () => {
  expect(stepsJoin(join)).toEqual(join)
  for (const wrong of [
    { ...join, scope: 'ephemeral' },
    { ...join, steps: [{ ...step, session_id: 'other' }] },
    { ...join, steps: [{ ...step, at: 1e300 }] },
    { ...join, steps: [{ ...step, more: 1 }] },
    { ...join, part: -1 },
    { ...join, more: 1 },
  ]) {
    expect(stepsJoin(wrong)).toBeUndefined()
  }

  fc.assert(
    fc.property(
      fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...Object.keys(join)), fc.anything())),
      (message) => {
        stepsJoin(message)
      },
    ),
    { numRuns: 2_000, seed: 20_261_126 },
  )
})
