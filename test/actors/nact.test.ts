/** What nact's tree holds of ours: every actor, under its parent, at most 64 below any, and gone when it is gone. */
import { start, stop } from 'nact'
import { describe, expect, it } from 'vitest'
import { Cell } from '../../src/actors/cell.ts'
import { Children } from '../../src/actors/children.ts'
import { nactHosting } from '../../src/actors/nact.ts'
import { DEFAULT_LIMITS } from '../../src/actors/supervisor.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'

interface Node {
  readonly name: string
  readonly children: ReadonlyMap<string, Node>
  readonly reference: never
}

/** nact keeps its systems in a module of its own; this looks at the tree from the root, as nact itself does. */
async function treeOf(act: () => void): Promise<Node> {
  const map = (await import('nact/lib/system-map.js' as string)) as {
    default: { add: (system: Node) => void }
  }
  let found: Node | undefined
  const { add } = map.default
  map.default.add = (system) => {
    found = system
    add(system)
  }
  act()
  map.default.add = add
  return found!
}

let incarnation = 0
function cell(address: string, parent?: Cell): Cell {
  incarnation += 1
  const made = new Cell({
    address: address as never,
    incarnation,
    species: { kind: 'x', behavior: undefined, limits: DEFAULT_LIMITS, passivate_after_ms: undefined },
    args: undefined,
    parent,
    place: { restart: 'permanent', shutdown_ms: 1, fixed: true },
    mailbox: { capacity: 1, overflow: 'reject' },
  })
  made.phase = 'running'
  if (parent !== undefined) {
    parent.children ??= new Children()
    parent.children.add(made)
  }
  return made
}

const all = (node: Node): Node[] => [node, ...[...node.children.values()].flatMap(all)]
const actors = (node: Node): string[] =>
  all(node)
    .slice(1)
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('shard-'))

async function hosting(stopped: (cell: Cell) => void = () => undefined) {
  const clock = new SimulatedClock()
  let host: ReturnType<typeof nactHosting> | undefined
  const tree = await treeOf(() => {
    host = nactHosting(clock, stopped)
  })
  return { host: host!, clock, tree }
}

describe('nact', () => {
  it('holds ten thousand children of one parent, at most 64 under any', async () => {
    const { host, clock, tree } = await hosting()
    const parent = cell('loqa:/x/parent')
    host.attach(parent)
    for (let i = 0; i < 10_000; i += 1) host.attach(cell(`loqa:/x/c${i}`, parent))
    clock.runUntilIdle()
    expect(actors(tree)).toHaveLength(10_001)
    expect(Math.max(...all(tree).map(({ children }) => children.size))).toBeLessThanOrEqual(64)
    host.close()
  })

  it('lets go of the ended ones, uses their places again, and never takes in who ended before', async () => {
    const { host, clock, tree } = await hosting()
    const parent = cell('loqa:/x/parent')
    host.attach(parent)
    for (let round = 0; round < 50; round += 1) {
      const children = Array.from({ length: 20 }, (_, i) => cell(`loqa:/x/r${round}-${i}`, parent))
      for (const child of children) host.attach(child)
      clock.runUntilIdle()
      expect(actors(tree)).toHaveLength(21)
      for (const child of children) {
        child.phase = 'ended'
        host.detach(child)
      }
      clock.runUntilIdle()
      expect(actors(tree)).toHaveLength(1)
    }
    expect(all(tree).filter(({ name }) => name.startsWith('shard-'))).toHaveLength(0)
    const brief = cell('loqa:/x/brief', parent)
    host.attach(brief)
    brief.phase = 'ended'
    host.detach(brief)
    clock.runUntilIdle()
    expect(actors(tree)).toHaveLength(1)
    host.close()
  })

  it('passes on a stop in its tree', async () => {
    const { promise, resolve } = Promise.withResolvers<Cell>()
    const { host, clock, tree } = await hosting(resolve)
    const actor = cell('loqa:/x/a')
    host.attach(actor)
    clock.runUntilIdle()
    stop([...tree.children.values()][0]!.reference)
    expect(await promise).toBe(actor)
    host.close()
  })

  it('keeps the systems of one process apart', () => {
    const clock = new SimulatedClock()
    const first = nactHosting(clock, () => undefined)
    const second = nactHosting(clock, () => undefined)
    for (const host of [first, second]) host.attach(cell('loqa:/x/same'))
    clock.runUntilIdle()
    first.close()
    second.close()
    expect(start).toBeTypeOf('function')
  })
})
