/** Work of one node's actors done by another's ports: W1 to W4. */
import { describe, expect, it } from 'vitest'
import type { Outcome, Outside, OutsidePort, Ref } from '../../../src/actors/index.ts'
import { requestId } from '../../../src/host/index.ts'
import { Stage } from './stage.ts'

const actor: Ref = { address: 'loqa:/voice/speech' as Ref['address'], incarnation: 1 }
const infer = (op: string, body?: unknown, more: Partial<OutsidePort> = {}): OutsidePort => ({
  type: 'infer',
  id: requestId('run'),
  to: 'stt',
  op,
  body,
  ...more,
})

/** A port under the test's hands. */
function fakePort() {
  const asked: { effect: OutsidePort; deliver: (outcome: Outcome) => void; actor: Ref }[] = []
  const cancelled: string[] = []
  const outside: Pick<Outside, 'infer' | 'cancel'> = {
    infer: (effect, deliver, by) => asked.push({ effect, deliver, actor: by }),
    cancel: (id, by) => cancelled.push(`${by.address}#${by.incarnation} ${id}`),
  }
  return { asked, cancelled, outside }
}

async function two(options: { serves?: () => boolean } = {}) {
  const stage = new Stage()
  const engine = fakePort()
  const a = stage.add('a')
  const b = stage.add('b', { serving: engine.outside, ...options })
  await stage.link(a, b)
  const heard: Outcome[] = []
  const port = a.remote.work(b.id)
  const request = (effect: OutsidePort, by = actor) =>
    port.request(effect, (outcome) => heard.push(outcome), by)
  return { stage, a, b, engine, port, request, heard }
}

describe('work on another node', () => {
  it('W1 takes ops and samples there and brings outcomes back, in order, under the name of who asked', async () => {
    const { stage, engine, request, heard, a } = await two()
    const samples = Float32Array.from([0.1, -0.2])
    request(infer('open', { kind: 'stt', sample_rate: 16000 }, { deadline_ms: 5_000 }))
    request(infer('feed', { type: 'audio', samples }))
    request(infer('finish'))
    stage.advance(10)
    expect(engine.asked.map(({ effect }) => [effect.op, effect.to])).toEqual([
      ['open', 'stt'],
      ['feed', 'stt'],
      ['finish', 'stt'],
    ])
    expect(engine.asked[0]!.effect.deadline_ms).toBe(5_000)
    expect(engine.asked[1]!.effect.body).toEqual({ type: 'audio', samples })
    const { effect, deliver } = engine.asked[0]!
    for (let n = 0; n < 3; n += 1) {
      deliver({ type: 'outcome', id: effect.id, event: 'chunk', body: { type: 'partial', text: `${n}` } })
    }
    deliver({
      type: 'outcome',
      id: effect.id,
      event: 'done',
      body: { type: 'audio', samples: Int16Array.from([1, -2]), sample_rate: 16000 },
    })
    deliver({ type: 'outcome', id: effect.id, event: 'chunk', body: 'after the end' })
    stage.advance(10)
    expect(heard.map(({ event, id }) => [event, id])).toEqual([
      ['chunk', 'run'],
      ['chunk', 'run'],
      ['chunk', 'run'],
      ['done', 'run'],
    ])
    expect(heard[3]).toMatchObject({ body: { samples: Int16Array.from([1, -2]) } })
    expect(a.remote.peers()[0]!.work).toBe(0)
  })

  it('W2 fails with unreachable when the link is lost, and the other side lets go', async () => {
    const { stage, a, b, engine, request, heard } = await two()
    request(infer('open'))
    stage.advance(10)
    a.links.get(b.id)!.link.abort('cut')
    expect(heard).toMatchObject([{ event: 'failed', error: { code: 'unreachable' } }])
    stage.advance(10)
    expect(engine.cancelled).toHaveLength(1)
    request(infer('open'))
    expect(heard).toMatchObject([{}, { event: 'failed', error: { code: 'unreachable' } }])
  })

  it('W3 fails with timeout at its deadline behind a partition nobody noticed', async () => {
    const { stage, a, b, request, heard } = await two()
    stage.network.cut(a.id, b.id)
    request(infer('open', undefined, { deadline_ms: 300 }))
    stage.advance(299)
    expect(heard).toEqual([])
    stage.advance(2)
    expect(heard).toMatchObject([{ event: 'failed', error: { code: 'timeout' } }])
  })

  it('W4 keeps equal names of different actors and nodes apart', async () => {
    const { stage, engine, request } = await two()
    request(infer('open'))
    request(infer('open'), { ...actor, incarnation: 2 })
    stage.advance(10)
    const names = engine.asked.map(({ effect, actor: by }) => `${by.address} ${effect.id}`)
    expect(new Set(names).size).toBe(2)
    expect(names.every((name) => name.startsWith('loqa://a/'))).toBe(true)
  })

  it('cancels there what is cancelled here, what is opened anew, and what an actor that is gone had', async () => {
    const { stage, engine, port, request, heard } = await two()
    request(infer('open'))
    request(infer('open'))
    stage.advance(10)
    expect(engine.cancelled).toHaveLength(1)
    port.cancel('run', actor, 'infer')
    request(infer('open'), { ...actor, incarnation: 2 })
    port.actorGone({ ...actor, incarnation: 2 })
    stage.advance(10)
    expect(engine.cancelled).toHaveLength(3)
    for (const { effect, deliver } of engine.asked) deliver({ type: 'outcome', id: effect.id, event: 'done' })
    stage.advance(10)
    expect(heard).toEqual([])
  })

  it('ignores what goes on with a run that is over', async () => {
    const { stage, engine, request } = await two()
    request(infer('feed', 1))
    stage.advance(10)
    expect(engine.asked).toEqual([])
  })

  it('is refused where it is not served, and beyond what one peer may have', async () => {
    const refused = await two({ serves: () => false })
    refused.request(infer('open'))
    refused.stage.advance(10)
    expect(refused.heard).toMatchObject([{ event: 'failed', error: { code: 'unavailable' } }])
    const full = await two()
    for (let n = 0; n < 257; n += 1) full.request(infer('open', undefined, { id: requestId(`${n}`) }))
    full.stage.advance(10)
    expect(full.heard).toMatchObject([{ id: '256', event: 'failed', error: { code: 'overloaded' } }])
  })

  it('tells a failure of the port by its code', async () => {
    const { stage, engine, request, heard } = await two()
    request(infer('open'))
    stage.advance(10)
    const { effect, deliver } = engine.asked[0]!
    const error = { code: 'engine-crashed', message: 'It crashed', retryable: true }
    deliver({ type: 'outcome', id: effect.id, event: 'failed', error })
    stage.advance(10)
    expect(heard).toEqual([{ type: 'outcome', id: 'run', event: 'failed', error }])
  })
})
