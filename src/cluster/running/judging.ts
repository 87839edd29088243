/** Whether whoever greets may stay: its version, its certificate, and whether it is the only one of its id. */
import { LoqaError, type NodeId, type Wall, wall } from '../../host/index.ts'
import type { Life } from '../household/clones.ts'
import { admittance } from '../household/presented.ts'
import type { Roster } from '../household/tables.ts'
import type { Link } from '../transport/mesh.ts'
import type { Copies } from './copies.ts'
import type { Refusal } from './links.ts'
import { CONTROL_VERSION, type ControlMessage, type Hello, OLDEST_CONTROL_VERSION } from './messages.ts'

export interface Judges {
  readonly roster: Roster
  readonly copies: Copies
  readonly now: Wall
  /** The boot of the life that is connected under this id. */
  readonly connected: (node: NodeId) => string | undefined
  /** Says something to the life that is connected. */
  readonly tell: (node: NodeId, message: ControlMessage) => void
}

export function judge({ peer, place }: Link, hello: Hello, judges: Judges): Refusal | undefined {
  const { certificate, time, starts, boot, name } = hello
  const error = versionFault(hello)
  if (error !== undefined) return { error, before: [] }
  const presented = { certificate, presenter: peer, their_time: wall(time) }
  const verdict = admittance(judges.roster, presented, judges.now)
  if (!verdict.admitted) return { error: verdict.error, before: [] }
  return judgeLife({ node: peer, incarnation: starts, boot, address: `${place.host} (${name})` }, judges)
}

function judgeLife(life: Life, { copies, connected, tell }: Judges): Refusal | undefined {
  const newest = copies.newestOf(life.node)
  const alive = newest !== undefined && connected(life.node) === newest.boot
  const error = copies.greeted(life, alive)
  if (error === undefined || newest === undefined) return undefined
  // The one that goes on is told too: it names the copy, and goes on.
  tell(life.node, toldOf(life))
  return { error, before: [toldOf(newest)] }
}

const toldOf = ({ node, incarnation, boot, address }: Life): ControlMessage => ({
  type: 'life',
  node,
  starts: incarnation,
  boot,
  address,
})

function versionFault({ speaks, understands }: Hello): LoqaError | undefined {
  if (speaks < OLDEST_CONTROL_VERSION)
    return new LoqaError('version-too-old', 'that node runs a version this one no longer understands', {
      hint: 'Update it.',
    })
  if (understands > CONTROL_VERSION)
    return new LoqaError('version-too-new', 'that node no longer understands the version of this one', {
      hint: 'Update this node.',
    })
  return undefined
}
