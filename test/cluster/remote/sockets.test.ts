/** Remote actors over real sockets: order, answers, what a lost link does, and a link that is full. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Behavior, createRuntime, type Message, next, type Runtime } from '../../../src/actors/index.ts'
import type { Remote } from '../../../src/cluster/remote/face.ts'
import { createRemote } from '../../../src/cluster/remote/remote.ts'
import { openMesh } from '../../../src/cluster/transport/libp2p-mesh.ts'
import type { Link, Mesh } from '../../../src/cluster/transport/mesh.ts'
import type { NodeId } from '../../../src/host/index.ts'
import { realHost } from '../../../src/host/real.ts'
import { identities, idOf, KEY } from '../transport/identities.ts'

const host = realHost()

/** Counts notes and checks that each is the next one. */
interface Count {
  readonly heard: number
  readonly inOrder: boolean
}
const counter: Behavior<Count, Message> = {
  kind: 'counter',
  mailbox: { capacity: 65_536, overflow: 'reject' },
  start: () => next({ heard: 0, inOrder: true }),
  receive(state, message, { replyTo }) {
    if (replyTo !== undefined) {
      return next(
        state,
        message.type === 'mute'
          ? []
          : [{ type: 'reply', to: replyTo, message: { type: 'count', ...state } as Message }],
      )
    }
    const { n } = message as Message & { n: number }
    return next({ heard: state.heard + 1, inOrder: state.inOrder && n >= state.heard })
  },
}

interface Node {
  readonly id: NodeId
  readonly mesh: Mesh
  readonly remote: Remote
  readonly runtime: Runtime
  link?: Link
}

async function node(index: number, boot: number): Promise<Node> {
  const identity = identities[index]!
  const id = idOf(identity)
  const remote = createRemote({ node: id, boot, clock: host.clock })
  const runtime = createRuntime({
    ...{ node: id, host, behaviors: { counter }, outside: {}, remote: remote.port, boot },
    observe: { log: () => undefined, metric: () => undefined, audit: () => undefined },
  })
  remote.connect(runtime.fromAfar)
  const mesh = await openMesh({
    host,
    identity,
    keys: [KEY],
    port: 0,
    hosts: ['127.0.0.1'],
    connections_per_source: 1_000,
  })
  const made: Node = { id, mesh, remote, runtime }
  mesh.onLink((link) => use(made, link))
  return made
}

function use(made: Node, link: Link): void {
  made.link = link
  const events = made.remote.linked(link)
  link.onFrame((streamClass, bytes) => streamClass === 'data' && events.frame(bytes))
  link.onDrain((streamClass) => streamClass === 'data' && events.drained())
  link.onClose(() => events.lost())
}

let a: Node
let b: Node
beforeAll(async () => {
  a = await node(0, 11)
  b = await node(1, 22)
  use(a, await a.mesh.dial(b.mesh.places[0]!, b.id))
})
afterAll(async () => {
  await Promise.all([a, b].flatMap(({ mesh, runtime }) => [mesh.close(), runtime.shutdown(1_000)]))
})

const tellAll = (path: string, count: number, pad: string): number => {
  let taken = 0
  for (let n = 0; n < count; n += 1) {
    if (a.runtime.tell(`loqa://${b.id}/${path}` as never, { type: 'note', n, pad } as Message)) taken += 1
  }
  return taken
}
const count = async (path: string): Promise<Count> =>
  (await a.runtime.ask(
    `loqa://${b.id}/${path}` as never,
    { type: 'report' },
    { deadline_ms: 20_000 },
  )) as never

it('A22 brings ten thousand messages in order, and the answer after them', async () => {
  b.runtime.spawn({ kind: 'counter', path: 'many' })
  expect(tellAll('many', 10_000, '')).toBe(10_000)
  expect(await count('many')).toMatchObject({ heard: 10_000, inOrder: true })
})

it('A23 keeps what it took when the link is full, and says what it did not take', async () => {
  b.runtime.spawn({ kind: 'counter', path: 'much' })
  // Several times what link and outbox hold together, in one tick.
  const taken = tellAll('much', 20_000, 'x'.repeat(1_000))
  expect(taken).toBeGreaterThan(4_000)
  expect(taken).toBeLessThan(20_000)
  expect(a.runtime.deadLetters().counts.overflow).toBe(20_000 - taken)
  const large = { type: 'report', pad: 'x'.repeat(2_000) } as Message
  const refused = a.runtime.ask(`loqa://${b.id}/much` as never, large, { deadline_ms: 20_000 })
  await expect(refused).rejects.toMatchObject({ code: 'overloaded' })
  // A small one still fits, behind all the others.
  expect(await count('much')).toMatchObject({ heard: taken, inOrder: true })
}, 30_000)

it('A24 fails what waits when the link is lost', async () => {
  const waiting = a.runtime.ask(`loqa://${b.id}/many` as never, { type: 'mute' }, { deadline_ms: 60_000 })
  b.link!.abort('the test cuts it')
  await expect(waiting).rejects.toMatchObject({ code: 'unreachable' })
  await expect(count('many')).rejects.toMatchObject({ code: 'unreachable' })
})
