/** The promises S1 to S11 of the sync machine, one by one. */
import { describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/host/index.ts'
import {
  ASIDE_MS,
  MAX_LIVES_PER_NODE,
  MAX_LOG_BYTES,
  MAX_ORIGINS,
  MAX_PEERS,
  MAX_PULLS,
  MAX_PULLS_PER_PEER,
  MAX_SERVED_AT_ONCE,
  MAX_SERVED_PULLS,
  MAX_STRIKES,
  PULL_TIMEOUT_MS,
  RELAY_PAUSE_MS,
  SHUNNED_MS,
  STORE_PAUSE_MS,
  TELL_EVERY_MS,
  TELL_PAUSE_MS,
  TICK_MS,
  TIDY_PAUSE_MS,
} from '../../../src/store/sync/bounds.ts'
import { A, B, C, D } from './signing.ts'
import { batchOf, logOf, Stage } from './stage.ts'

const own = { node: A, life: 0 }
const ofB = { node: B, life: 0 }

/** A stage that has pulled from B and been answered; the store is at work. */
function storing(): { stage: Stage; number: number } {
  const stage = new Stage()
  stage.up(B)
  stage.told(B, { node: B, version: 3 })
  const { number } = stage.said(B, 'pull')[0]!
  stage.hear(B, { type: 'batches', number, batches: [batchOf(ofB, 0, 3)] })
  return { stage, number }
}

describe('S1: what is told is durable', () => {
  test('a log that is being stored is told of when it is stored, not before', () => {
    const { stage, number } = storing()
    stage.up(C)
    stage.pass(TELL_EVERY_MS + TICK_MS)
    expect(stage.said(C, 'heads').flatMap(({ heads }) => heads)).toEqual([])
    stage.stored(number, { version: 3 })
    stage.pass(RELAY_PAUSE_MS)
    expect(stage.said(C, 'heads').at(-1)!.heads).toEqual([{ ...ofB, version: 3, edition: 0 }])
  })

  test('an own write is told at once; a peer that holds it already is not told', () => {
    const stage = new Stage()
    stage.up(B, C)
    stage.told(C, { ...own, version: 4 })
    stage.effects = []
    stage.input({ type: 'own-log', extent: { version: 4, edition: 0, bytes: 90 } })
    stage.pass(TELL_PAUSE_MS)
    expect(stage.said(B, 'heads').at(-1)!.heads).toEqual([{ ...own, version: 4, edition: 0 }])
    expect(stage.said(C, 'heads')).toEqual([])
  })

  test('a burst of writes is told together', () => {
    const stage = new Stage()
    stage.up(B)
    stage.effects = []
    for (let version = 1; version <= 50; version += 1) {
      stage.input({ type: 'own-log', extent: { version, edition: 0, bytes: 90 } })
    }
    stage.pass(TELL_PAUSE_MS)
    expect(stage.said(B, 'heads').map(({ heads }) => heads[0]!.version)).toEqual([50])
  })
})

test('S2: batches that leave a gap, lead back or are of another log are not stored', () => {
  const answers = [
    [batchOf(ofB, 1, 3)],
    [batchOf(ofB, 0, 2), batchOf(ofB, 3, 4)],
    [batchOf(ofB, 0, 2), batchOf(ofB, 0, 2)],
    [batchOf({ node: C, life: 0 }, 0, 3)],
    [batchOf({ node: B, life: 1 }, 0, 3)],
    [new Uint8Array(200)],
  ]
  for (const batches of answers) {
    const stage = new Stage()
    stage.up(B)
    stage.told(B, { node: B, version: 3 })
    stage.hear(B, { type: 'batches', number: stage.said(B, 'pull')[0]!.number, batches })
    expect(stage.of('store')).toEqual([])
    expect(stage.named(B)).toEqual(['wrong-answer'])
    expect(stage.state.pulls).toEqual([])
  }
})

test('S3: an answer counts once; one nobody asked for, or from another, changes nothing', () => {
  const { stage, number } = storing()
  const before = stage.state
  stage.hear(B, { type: 'batches', number, batches: [batchOf(ofB, 0, 3)] })
  stage.hear(C, { type: 'batches', number, batches: [batchOf(ofB, 0, 3)] })
  stage.hear(B, { type: 'batches', number: number + 7, batches: [batchOf(ofB, 0, 3)] })
  stage.hear(B, { type: 'busy', number })
  expect(stage.of('store').length).toBe(1)
  expect(stage.state.pulls).toEqual(before.pulls)
  expect(stage.of('fault')).toEqual([])
})

describe('S4: what waits in memory is bounded', () => {
  const nodes = Array.from({ length: 20 }, (_, i) => nodeId(`n${i}`))

  test('a few pulls of one peer, a few in all, one of each log', () => {
    const stage = new Stage()
    stage.up(B)
    stage.told(B, ...nodes.map((node) => ({ node, version: 5 })))
    expect(stage.said(B, 'pull').length).toBe(MAX_PULLS_PER_PEER)
    stage.up(...nodes)
    for (const peer of nodes) stage.told(peer, ...nodes.map((node) => ({ node, version: 5 })))
    expect(stage.state.pulls.length).toBe(MAX_PULLS)
    expect(new Set(stage.state.pulls.map(({ origin }) => origin)).size).toBe(MAX_PULLS)
  })

  test('the next of a log is asked for when the store has taken the last, however slow it is', () => {
    const { stage, number } = storing()
    stage.told(B, { node: B, version: 9 })
    stage.pass(10 * PULL_TIMEOUT_MS)
    expect(stage.said(B, 'pull').length).toBe(1)
    stage.stored(number, { version: 3 })
    expect(stage.said(B, 'pull').at(-1)).toMatchObject({ ...ofB, above: 3 })
  })

  test('after a full disk it waits, and asks again for the same', () => {
    const { stage, number } = storing()
    stage.input({ type: 'store-failed', number })
    stage.pass(STORE_PAUSE_MS - 1)
    expect(stage.said(B, 'pull').length).toBe(1)
    stage.pass(TICK_MS + 1)
    expect(stage.said(B, 'pull').map(({ above }) => above)).toEqual([0, 0])
  })
})

describe('S5: a pull that fails costs one pull', () => {
  test('silence: another peer is asked, and the late answer changes nothing', () => {
    const stage = new Stage()
    stage.up(B)
    stage.told(B, { node: B, version: 3 })
    stage.up(C)
    stage.told(C, { node: B, version: 3 })
    stage.pass(PULL_TIMEOUT_MS + TICK_MS)
    expect(stage.named(B)).toEqual(['silent'])
    expect(stage.said(C, 'pull')).toMatchObject([{ ...ofB, above: 0 }])
    stage.hear(B, {
      type: 'batches',
      number: stage.said(B, 'pull')[0]!.number,
      batches: [batchOf(ofB, 0, 3)],
    })
    expect(stage.of('store')).toEqual([])
  })

  test('busy: the peer is asked again later, and is not named', () => {
    const stage = new Stage()
    stage.up(B)
    stage.told(B, { node: B, version: 3 })
    stage.hear(B, { type: 'busy', number: stage.said(B, 'pull')[0]!.number })
    expect(stage.said(B, 'pull').length).toBe(1)
    stage.pass(ASIDE_MS + TICK_MS)
    expect(stage.said(B, 'pull').length).toBe(2)
    expect(stage.named(B)).toEqual([])
  })

  test('a stream that ends: it goes on with another from where the last batch was stored', () => {
    const { stage, number } = storing()
    stage.up(C)
    stage.told(C, { node: B, version: 9 })
    stage.stored(number, { version: 3 })
    const peer = stage.state.pulls[0]!.peer
    expect(stage.said(peer, 'pull').at(-1)).toMatchObject({ ...ofB, above: 3 })
    stage.input({ type: 'peer-down', peer: C })
    expect(stage.state.pulls).toEqual([])
  })
})

describe('S6: what a peer holds is held here in the end', () => {
  test('everything is told to a new peer, and again from time to time', () => {
    const held = new Map([[logOf(C), { version: 8, edition: 0, bytes: 10 }]])
    const stage = new Stage({ held })
    stage.up(B)
    expect(stage.said(B, 'heads')[0]!.heads).toEqual([{ node: C, life: 0, version: 8, edition: 0 }])
    stage.pass(3 * TELL_EVERY_MS)
    expect(stage.said(B, 'heads').length).toBeGreaterThanOrEqual(3)
  })

  test('a late joiner pulls from whoever has it, the writer gone', () => {
    const stage = new Stage()
    stage.up(D)
    stage.told(D, { node: B, version: 900 }, { node: C, version: 7 })
    expect(stage.said(D, 'pull').map(({ node, above }) => [node, above])).toEqual([
      [B, 0],
      [C, 0],
    ])
  })
})

describe('S7: who lies is named and left alone, and nobody depends on it', () => {
  test('a head that is none: corrected, and after some of them nothing is pulled from it', () => {
    const stage = new Stage()
    stage.up(B)
    for (let lie = 1; lie <= MAX_STRIKES; lie += 1) {
      stage.told(B, { node: nodeId(`n${lie}`), version: 1_000 })
      stage.hear(B, { type: 'batches', number: stage.said(B, 'pull').at(-1)!.number, batches: [] })
    }
    expect(stage.named(B)).toEqual(Array(MAX_STRIKES).fill('false-head'))
    expect(stage.state.peers.get(B)!.told.size).toBe(0)
    stage.told(B, { node: C, version: 5 })
    expect(stage.said(B, 'pull').length).toBe(MAX_STRIKES)
    // Coming anew makes nothing good.
    stage.input({ type: 'peer-down', peer: B })
    stage.up(B)
    stage.told(B, { node: C, version: 5 })
    expect(stage.said(B, 'pull').length).toBe(MAX_STRIKES)
    stage.up(D)
    stage.told(D, { node: C, version: 5 })
    expect(stage.said(D, 'pull').length).toBe(1)
    stage.input({ type: 'peer-down', peer: D })
    stage.pass(SHUNNED_MS + TICK_MS)
    expect(stage.said(B, 'pull').length).toBe(MAX_STRIKES + 1)
  })

  test('who passes on what nobody signed is named, not the one it is said to be of', () => {
    const stage = new Stage()
    stage.up(C)
    stage.told(C, { node: B, version: 3 })
    const { number } = stage.said(C, 'pull')[0]!
    stage.hear(C, { type: 'batches', number, batches: [batchOf(ofB, 0, 3)] })
    stage.stored(number, { version: 0 }, { fault: 'forged' })
    expect(stage.named(C)).toEqual(['bad-batch'])
    expect(stage.named(B)).toEqual([])
  })

  test('of a writer this node has not heard of yet, nobody is named', () => {
    const stage = new Stage()
    stage.strangers.add(D)
    stage.up(B)
    stage.told(B, { node: D, version: 3 })
    expect(stage.said(B, 'pull')).toEqual([])
    expect(stage.named(B)).toEqual([])
    stage.strangers.delete(D)
    stage.told(B, { node: D, version: 3 })
    expect(stage.said(B, 'pull').length).toBe(1)
  })

  test('wrong rows are their writer’s fault, whoever passed them on', () => {
    const { stage, number } = storing()
    stage.stored(number, { version: 3 }, { wrong: 2 })
    expect(stage.of('fault')).toMatchObject([{ node: B, fault: 'wrong-rows', origin: logOf(B) }])
  })

  test('an edition that is none costs its peer nothing and this node one pull a while', () => {
    const held = new Map([[logOf(B), { version: 3, edition: 0, bytes: 100 }]])
    const stage = new Stage({ held })
    stage.up(B)
    stage.told(B, { node: B, version: 3, edition: 5 })
    expect(stage.said(B, 'pull')).toMatchObject([{ above: 0, edition: 5 }])
    stage.hear(B, { type: 'batches', number: stage.said(B, 'pull')[0]!.number, batches: [] })
    stage.pass(TIDY_PAUSE_MS - TICK_MS)
    expect(stage.said(B, 'pull').length).toBe(1)
    expect(stage.named(B)).toEqual([])
    stage.pass(2 * TICK_MS)
    expect(stage.said(B, 'pull').length).toBe(2)
  })
})

test('S8: a log that is longer than a log may be is pulled again once its writer has compacted it', () => {
  const { stage, number } = storing()
  stage.told(B, { node: B, version: 9 })
  stage.stored(number, { version: 3, bytes: MAX_LOG_BYTES })
  expect(stage.named(B)).toEqual(['endless-log'])
  stage.pass(60_000)
  expect(stage.said(B, 'pull').length).toBe(1)
  stage.told(B, { node: B, version: 9, edition: 1 })
  const tidy = stage.said(B, 'pull')[1]!
  expect(tidy).toMatchObject({ above: 0, edition: 1 })
  const batches = [batchOf(ofB, 0, 3, { edition: 1, base: 3 })]
  stage.hear(B, { type: 'batches', number: tidy.number, batches })
  stage.stored(tidy.number, { version: 3, edition: 1, bytes: 100 })
  expect(stage.said(B, 'pull').at(-1)).toMatchObject({ above: 3, edition: 0 })
})

test('tidying goes on where it ended, and ends when the edition is whole', () => {
  const held = new Map([[logOf(B), { version: 9, edition: 0, bytes: 100 }]])
  const stage = new Stage({ held })
  stage.up(B)
  stage.told(B, { node: B, version: 9, edition: 2 })
  const first = stage.said(B, 'pull')[0]!
  stage.hear(B, {
    type: 'batches',
    number: first.number,
    batches: [batchOf(ofB, 0, 5, { edition: 2, base: 9 })],
  })
  stage.stored(first.number, { version: 9, edition: 0 }, { through: 5 })
  const second = stage.said(B, 'pull')[1]!
  expect(second).toMatchObject({ above: 5, edition: 2 })
  stage.hear(B, {
    type: 'batches',
    number: second.number,
    batches: [batchOf(ofB, 5, 9, { edition: 2, base: 9 })],
  })
  stage.stored(second.number, { version: 9, edition: 2 }, { through: 9 })
  stage.pass(2 * TIDY_PAUSE_MS)
  expect(stage.said(B, 'pull').length).toBe(2)
  expect(stage.state.tidying.size).toBe(0)
})

describe('S9: all is bounded', () => {
  test('peers', () => {
    const stage = new Stage()
    for (let i = 0; i < MAX_PEERS + 50; i += 1) stage.up(nodeId(`n${i}`))
    expect(stage.state.peers.size).toBe(MAX_PEERS)
  })

  test('lives of a node, and logs in all', () => {
    const stage = new Stage()
    stage.up(B)
    stage.told(B, ...Array.from({ length: 60 }, (_, life) => ({ node: C, life, version: 1 })))
    expect(stage.state.peers.get(B)!.told.size).toBe(MAX_LIVES_PER_NODE)
    for (let i = 0; i < 200; i += 1) {
      stage.told(B, ...Array.from({ length: 10 }, (_, life) => ({ node: nodeId(`n${i}`), life, version: 1 })))
    }
    expect(stage.state.peers.get(B)!.told.size).toBe(MAX_ORIGINS)
    expect(new Set(stage.named(B))).toEqual(new Set(['too-many-logs']))
  })

  test('answers read for one peer, at once and in all; each question read for once', () => {
    const held = new Map([[logOf(C), { version: 8, edition: 0, bytes: 10 }]])
    const stage = new Stage({ held })
    stage.up(B)
    const pull = (number: number): void => {
      stage.hear(B, { type: 'pull', number, node: C, life: 0, above: 0, edition: 0 })
    }
    for (const number of [1, 1, 2, 3]) pull(number)
    expect(stage.of('read').map(({ number }) => number)).toEqual([1, 2])
    expect(stage.of('read').length).toBe(MAX_SERVED_AT_ONCE)
    expect(stage.said(B, 'busy')).toEqual([{ type: 'busy', number: 3 }])
    stage.input({ type: 'read', peer: B, number: 1, batches: [batchOf({ node: C, life: 0 }, 0, 8)] })
    expect(stage.said(B, 'batches').length).toBe(1)
    pull(4)
    expect(stage.of('read').length).toBe(3)
    for (let number = 5; number < 3 * MAX_SERVED_PULLS; number += 1) pull(number)
    expect(stage.named(B)).toEqual(['flood'])
    expect(stage.said(B, 'busy').length).toBeLessThan(MAX_SERVED_PULLS)
    expect(stage.state.peers.get(B)!.reading.length).toBeLessThanOrEqual(MAX_SERVED_AT_ONCE)
  })

  test('what is not held is answered with nothing, without a read', () => {
    const stage = new Stage()
    stage.up(B)
    stage.hear(B, { type: 'pull', number: 1, node: C, life: 0, above: 0, edition: 0 })
    expect(stage.said(B, 'batches')).toEqual([{ type: 'batches', number: 1, batches: [] }])
    expect(stage.of('read')).toEqual([])
  })
})

describe('S10: rows of a newer schema', () => {
  test('are read again when this node has it, from the first of them', () => {
    const { stage, number } = storing()
    stage.stored(number, { version: 3 }, { parked: true })
    expect(stage.state.parked.get(logOf(B))).toEqual({ above: 0 })
    stage.input({ type: 'schema', version: 2 })
    expect(stage.of('replay')).toEqual([{ type: 'replay', origin: logOf(B), above: 0 }])
    stage.input({ type: 'replayed', origin: logOf(B), parked: undefined })
    expect(stage.state.parked.size).toBe(0)
  })

  test('are read again at once when the schema came while they were being stored, and after a restart', () => {
    const { stage, number } = storing()
    stage.input({ type: 'schema', version: 2 })
    stage.stored(number, { version: 3 }, { parked: true, schema: 1 })
    expect(stage.of('replay').length).toBe(1)
    expect(new Stage({ parked: new Map([[logOf(B), { above: 4 }]]) }).of('replay')).toEqual([
      { type: 'replay', origin: logOf(B), above: 4 },
    ])
  })
})

test('S11: a node that meets more of its own log than it holds says that it was outlived, once', () => {
  const stage = new Stage({ held: new Map([[logOf(A), { version: 2, edition: 0, bytes: 50 }]]) })
  stage.up(B)
  stage.told(B, { ...own, version: 6 })
  // What a peer says proves nothing, nor what it forges; the signed batch does.
  expect(stage.of('outlived')).toEqual([])
  const forged = stage.said(B, 'pull')[0]!
  stage.hear(B, { type: 'batches', number: forged.number, batches: [batchOf(own, 2, 4)] })
  stage.stored(forged.number, { version: 2 }, { through: 0, fault: 'forged' })
  expect(stage.of('outlived')).toEqual([])
  stage.pass(ASIDE_MS + TICK_MS)
  // Nor what it wrote itself since it asked.
  const late = stage.said(B, 'pull')[1]!
  stage.input({ type: 'own-log', extent: { version: 3, edition: 0, bytes: 60 } })
  stage.hear(B, { type: 'batches', number: late.number, batches: [batchOf(own, 2, 3)] })
  stage.stored(late.number, { version: 3 })
  expect(stage.of('outlived')).toEqual([])
  const { number } = stage.said(B, 'pull')[2]!
  stage.hear(B, { type: 'batches', number, batches: [batchOf(own, 3, 4)] })
  stage.stored(number, { version: 4 })
  expect(stage.of('outlived').length).toBe(1)
  const next = stage.said(B, 'pull').at(-1)!
  stage.hear(B, { type: 'batches', number: next.number, batches: [batchOf(own, 4, 6)] })
  stage.stored(next.number, { version: 6 })
  expect(stage.of('outlived').length).toBe(1)
})
