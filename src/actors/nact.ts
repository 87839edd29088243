/**
 * nact keeps the tree of names, parents and lives; the only importer of nact 7.6.2. It never sees a message.
 *
 * Why beside the data path: one hop through nact takes 2.6 µs, and its cost grows with the number of siblings (52 µs with a
 * thousand). Why in the background: nact alone spawns 0.7 M actors a second, so spawning through it would halve ours;
 * an actor enters its tree a few turns after it started, and one that ended before never does.
 * Parents are sharded: at most 64 children each, however many an actor has here.
 *
 * Of its supervision only `stop` is used. What is stopped in its tree from outside is stopped here, in order.
 */
import { type Ref as NactRef, spawn, start, stop } from 'nact'
import type { Clock } from '../host/index.ts'
import type { Cell } from './cell.ts'
import type { Hosting } from './hosting.ts'

/** A host holds this many actors and this many further hosts: together the 64 above which nact becomes slow. */
const PER_HOST = 32
/** Entries and exits per turn of the event loop: about 0.3 ms. */
const BATCH = 128

type Anchor = NactRef<never>

/** The place of one actor in nact's tree, and the hosts that hold its children. */
interface Hosted {
  readonly ref: Anchor
  readonly parent: Hosted | undefined
  /** Its place among the parent's children, to be used again. */
  readonly place: number
  /** Host 0 is the actor itself. */
  readonly hosts: Anchor[]
  readonly free: number[]
  children: number
}

let systems = 0

/** `stopped` hears of actors stopped in nact's tree by somebody else. */
export function nactHosting(clock: Clock, stopped: (cell: Cell) => void): Hosting {
  systems += 1
  // Without a name nact draws one; with it, several runtimes of one process stay apart.
  const system = start({ name: `loqa-${systems}` } as never) as unknown as Anchor
  const root: Hosted = hosted(system, undefined, 0)
  const entered = new Map<Cell, Hosted>()
  const backlog: Cell[] = []
  let next = 0
  let scheduled = false
  let open = true

  const schedule = (): void => {
    if (scheduled || !open) return
    scheduled = true
    clock.soon(work)
  }

  const later = (cell: Cell): void => {
    backlog.push(cell)
    schedule()
  }

  function work(): void {
    scheduled = false
    if (!open) return
    const end = Math.min(backlog.length, next + BATCH)
    for (; next < end; next += 1) settle(backlog[next]!)
    if (next < backlog.length) {
      schedule()
      return
    }
    backlog.length = 0
    next = 0
  }

  /** Brings nact's tree up to date with one actor. */
  function settle(cell: Cell): void {
    const present = entered.get(cell)
    if (cell.phase === 'ended') {
      if (present !== undefined) leave(cell, present)
    } else if (present === undefined) enter(cell)
  }

  function enter(cell: Cell): void {
    const parent = (cell.parent && entered.get(cell.parent)) ?? root
    const place = parent.free.pop() ?? parent.children
    parent.children = Math.max(parent.children, place + 1)
    const properties = {
      initialState: cell,
      afterStop: (of: Cell): void => {
        if (open && of.phase !== 'ended') stopped(of)
      },
    }
    const ref = spawn(hostFor(parent, Math.floor(place / PER_HOST)), idle, nameOf(cell), properties as never)
    entered.set(cell, hosted(ref as unknown as Anchor, parent, place))
  }

  function leave(cell: Cell, present: Hosted): void {
    entered.delete(cell)
    present.parent?.free.push(present.place)
    stop(present.ref)
  }

  return {
    attach: later,
    detach: later,
    close: () => {
      open = false
      backlog.length = 0
      entered.clear()
      stop(system)
    },
  }
}

const hosted = (ref: Anchor, parent: Hosted | undefined, place: number): Hosted => ({
  ref,
  parent,
  place,
  hosts: [ref],
  free: [],
  children: 0,
})

/** The n-th host of a parent, made when first needed. Host n hangs under host ⌊(n−1)/32⌋, so none has more than 64 children. */
function hostFor(parent: Hosted, n: number): Anchor {
  const known = parent.hosts[n]
  if (known !== undefined) return known
  const above = hostFor(parent, Math.floor((n - 1) / PER_HOST))
  const host = spawn(above, idle, `shard-${n}`) as unknown as Anchor
  parent.hosts[n] = host
  return host
}

const idle = <State>(state: State): State => state

/** Unique for ever by the incarnation, readable by the address; nact allows few characters. */
const nameOf = (cell: Cell): string =>
  `${cell.address.replace(/^loqa:\/+/, '').replace(/[^A-Za-z0-9.-]/g, '_')}-${cell.ref.incarnation}`
