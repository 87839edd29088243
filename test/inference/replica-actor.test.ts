/** A replica as an actor: the latest row, for whoever asks or subscribes. */
import { expect, test } from 'vitest'
import { type Context, placedAddress } from '../../src/actors/index.ts'
import { monotonic, wall } from '../../src/host/index.ts'
import { type Capability, REPLICA_TOPIC, replicaActor, replicaChanged } from '../../src/inference/index.ts'

const row: Capability = {
  name: 'stt.sherpa.small',
  tag: 'stt.sherpa:small',
  model: 'small',
  state: 'starting',
  p95_ms: null,
  real_time_factor: null,
  tokens_per_s: null,
  restarts: 0,
  rss_mb: null,
  load: 0,
}
const replyTo = { actor: undefined, id: 1 }
const context: Context = {
  self: { address: placedAddress('replica', row.name), incarnation: 1 },
  now: monotonic(0),
  wall: wall(0),
  entropy: 0,
  replyTo,
  deadline_ms: 100,
  sender: undefined,
}

test('it answers with the latest row', () => {
  const ready = { ...row, state: 'ready' } as const
  const { state } = replicaActor.receive(row, replicaChanged(ready), context)
  const { effects } = replicaActor.receive(state, { type: 'replica.describe' }, context)
  expect(effects).toEqual([{ type: 'reply', to: replyTo, message: replicaChanged(ready) }])
})

test('it publishes every change', () => {
  const changed = replicaChanged({ ...row, state: 'ready' })
  const { effects } = replicaActor.receive(row, changed, context)
  expect(effects).toEqual([{ type: 'publish', topic: REPLICA_TOPIC, message: changed }])
})

test('it counts restarts', () => {
  const { effects } = replicaActor.receive(
    { ...row, restarts: 1 },
    replicaChanged({ ...row, restarts: 3 }),
    context,
  )
  expect(effects).toContainEqual({
    type: 'metric',
    name: 'loqa_engine_restarts_total',
    add: 2,
    labels: { engine: row.name },
  })
})
