/**
 * Conversations of the whole household, from one of its nodes. Each lives where its microphone is and is claimed there, so that the
 * others find it by `loqa:/session/<id>`; which there are is asked of every node when somebody wants to know.
 */
import { fixedAddress, type Runtime } from '../actors/index.ts'
import type { SessionMoved, SessionView } from '../api/index.ts'
import type { Cluster, Movable, Moving, PlacedKinds, Placing } from '../cluster/index.ts'
import { LoqaError, type NodeId, type SessionId, sessionId } from '../host/index.ts'
import {
  CARRIED_VERSION,
  formerCarried,
  type Household,
  SESSIONS_ASKED,
  sessionAddress,
  sessionsFromAfar,
  type Voice,
} from '../voice/index.ts'
import type { Rooms } from './rooms.ts'

/** A node that is there answers in milliseconds; one that is busy or about to be suspected is left out of the list. */
const LIST_MS = 500
/** As many letters of a node's id as nobody else in the house has: one of 58⁶. */
const MARK = 6

/** What this node has placed. */
export const PLACED: PlacedKinds = new Map([
  [
    'session',
    // Its head outlives its node (`heads.ts`); it goes on when whoever spoke there comes back, wherever that is.
    { requirement: { tag: undefined, tier: 'balanced', place: undefined }, when_lost: 'forget' },
  ],
])

/** What moves from node to node while it lives. */
export const MOVES: ReadonlyMap<string, Movable> = new Map([
  ['session', { version: CARRIED_VERSION, former: formerCarried }],
])

/** Whether what lives at that address is of a kind that moves. */
export const isMovable = (address: string): boolean =>
  MOVES.has(address.slice('loqa:/'.length, address.lastIndexOf('/')))

/** Whose conversation lives at that address. */
export const sessionOf = (address: string): SessionId =>
  sessionId(address.slice(address.lastIndexOf('/') + 1))

export interface ConversationsParts {
  readonly self: NodeId
  readonly placing: Pick<Placing, 'taken' | 'livesOn' | 'isYielding'>
  readonly cluster: () => Pick<Cluster, 'linkTo' | 'members'> | undefined
}

export const householdOf = ({ self, placing, cluster }: ConversationsParts): Household => ({
  mark: self.slice(-MARK),
  begun: (address) => placing.taken(address),
  isYielding: (address) => placing.isYielding(address),
  isElsewhere(address) {
    const node = placing.livesOn(address)
    // One whose link was lost is asked for nothing, whatever the verdict on it will be: the conversation begins anew here.
    return node !== undefined && node !== self && cluster()?.linkTo(node) !== undefined
  },
})

/** This node's own, and those of every other node that answers. */
export async function listSessions({
  self,
  voice,
  runtime,
  cluster,
}: {
  readonly self: NodeId
  readonly voice: Pick<Voice, 'sessions'>
  readonly runtime: Pick<Runtime, 'ask'>
  readonly cluster: Pick<Cluster, 'linkTo' | 'members'> | undefined
}): Promise<readonly SessionView[]> {
  const own = voice.sessions().map((session) => shown(self, session))
  const others = (cluster?.members() ?? []).filter(({ id }) => cluster?.linkTo(id) !== undefined)
  const told = await Promise.all(others.map(({ id }) => sessionsOn(id, runtime)))
  return [...own, ...told.flat()]
}

/** None when it does not answer, or is of a version that has no registrar. */
async function sessionsOn(node: NodeId, { ask }: Pick<Runtime, 'ask'>): Promise<readonly SessionView[]> {
  try {
    const answer = await ask(fixedAddress(node, 'registrar'), SESSIONS_ASKED, { deadline_ms: LIST_MS })
    return (sessionsFromAfar(answer) ?? []).map((session) => shown(node, session))
  } catch {
    return []
  }
}

const shown = (
  node: NodeId,
  { id, room, phase, started_at }: Omit<SessionView, 'node' | 'started_at'> & { readonly started_at: number },
): SessionView => ({ id, room, node, phase, started_at: new Date(started_at).toISOString() })

/** Errors: `not-found`, `ambiguous`, `already-there`, `unreachable`, `not-moved`, each with why. */
export async function moveSession(
  id: string,
  wanted: { readonly node: string } | { readonly room: string },
  {
    moving,
    rooms,
    cluster,
    noted,
  }: {
    readonly moving: Pick<Moving, 'move'>
    readonly rooms: Pick<Rooms, 'move'>
    readonly cluster: Pick<Cluster, 'nodes' | 'self'> | undefined
    readonly noted: (object: string, outcome: string) => Promise<void>
  },
): Promise<SessionMoved> {
  if ('room' in wanted) return moveToRoom(id, wanted.room, rooms, noted)
  if (cluster === undefined) {
    throw new LoqaError('not-ready', 'This node is in no cluster now: there is no other node', {
      hint: 'It opens a few seconds after the start, unless cluster.enabled is false.',
    })
  }
  const session = sessionId(id)
  const to = nodeNamed(cluster.nodes(), wanted.node)
  try {
    const { from, away_ms } = await moving.move(sessionAddress(session), to as NodeId)
    await noted(id, `from ${from} to ${to}`)
    return { session: id, from, to, away_ms: rounded(away_ms) }
  } catch (thrown) {
    await noted(id, `refused: ${thrown instanceof LoqaError ? thrown.code : 'unexpected'}`)
    throw thrown
  }
}

async function moveToRoom(
  id: string,
  wanted: string,
  rooms: Pick<Rooms, 'move'>,
  noted: (object: string, outcome: string) => Promise<void>,
): Promise<SessionMoved> {
  try {
    const { room, from, to, away_ms } = await rooms.move(sessionId(id), wanted.trim().toLowerCase())
    return { session: id, room, from, to, away_ms: rounded(away_ms) }
  } catch (thrown) {
    await noted(id, `refused: ${thrown instanceof LoqaError ? thrown.code : 'unexpected'}`)
    throw thrown
  }
}

const rounded = (ms: number): number => Math.round(ms * 10) / 10

/** By id, the end of one, or a name that only one node bears. */
function nodeNamed(nodes: readonly { readonly id: string; readonly name: string }[], wanted: string): string {
  const byId = nodes.filter(({ id }) => id === wanted || (wanted.length >= MARK && id.endsWith(wanted)))
  const [found, second] = byId.length > 0 ? byId : nodes.filter(({ name }) => name === wanted)
  if (found !== undefined && second === undefined) return found.id
  const shown = JSON.stringify(wanted.slice(0, 80))
  throw found === undefined
    ? new LoqaError('not-found', `There is no node ${shown}`, { hint: 'loqa nodes lists them.' })
    : new LoqaError('ambiguous', `Several nodes are called ${shown}`, { hint: 'Give the end of its id.' })
}
