/**
 * The arbiter of a node, at `loqa://<node>/arbiter`: hears of words from this node's microphones and from the arbiters of the others, and
 * tells who answers. Its rules are in `arbitration.ts`; this keeps the rounds.
 */
import { z } from 'zod'
import {
  type Behavior,
  type Context,
  type Effect,
  fixedAddress,
  type Message,
  type Next,
  type SystemMessage,
  same,
} from '../../actors/index.ts'
import { type Monotonic, type NodeId, requestId } from '../../host/index.ts'
import {
  type Claim,
  claimSchema,
  compareClaims,
  DECIDE_MS,
  JOIN_MS,
  MOST_CLAIMS,
  ROUND_MS,
  type Verdict,
  verdictOn,
} from './arbitration.ts'

/** gate → arbiter: this microphone heard the word. `peers` can be told now. Answered on the topic `wake.decided`. */
export interface WakeHeard extends Message {
  readonly type: 'wake.heard'
  readonly claim: Claim
  readonly peers: readonly NodeId[]
}

const claimed = z.strictObject({ type: z.literal('wake.claim'), claim: claimSchema })
const noticed = z.strictObject({ type: z.literal('wake.noticed'), id: z.string().max(128) })
const fromAfar = z.discriminatedUnion('type', [claimed, noticed])

/** arbiter → arbiter: a microphone of the sender heard the word; or the receiver's claim has come. */
export type WakeFromAfar = Readonly<z.infer<typeof fromAfar>>
export const isWakeFromAfar = (message: unknown): message is WakeFromAfar =>
  fromAfar.safeParse(message).success

interface WakeDecide extends Message {
  readonly type: 'wake.decide'
  readonly id: string
}

/** arbiter → subscribers of the topic of the same name. Said once, and again when a winner yields. */
export interface WakeDecided extends Message {
  readonly type: 'wake.decided'
  readonly id: string
  readonly verdict: Verdict
  /** Since the word was claimed here. */
  readonly after_ms: number
  /** Node and room that answer, as far as they are known here. */
  readonly by: { readonly node: string; readonly room: string }
}

export type ArbiterMessage = WakeHeard | WakeDecide | (WakeFromAfar & Message) | SystemMessage

interface Known {
  readonly claim: Claim
  readonly at: Monotonic
}

interface Own extends Known {
  readonly asked: readonly NodeId[]
  readonly answered: readonly string[]
  readonly verdict: Verdict | undefined
}

export interface ArbiterState {
  /** Of this node's microphones; those older than a round are forgotten. */
  readonly own: readonly Own[]
  /** Of others. */
  readonly heard: readonly Known[]
}

export const ARBITER = 'arbiter'
export const arbiterOf = (node: NodeId | string) => fixedAddress(node as NodeId, ARBITER)

export const arbiter: Behavior<ArbiterState, ArbiterMessage, unknown> = {
  kind: 'arbiter',
  mailbox: { capacity: 4 * MOST_CLAIMS, overflow: 'drop-newest' },

  start: () => ({ state: { own: [], heard: [] }, effects: [] }),

  receive(before, message, context) {
    const state = recent(before, context.now)
    switch (message.type) {
      case 'wake.heard':
        return heard(state, message, context)
      case 'wake.claim':
        return told(state, message.claim, context)
      case 'wake.noticed':
        return same({ ...state, own: state.own.map((own) => answeredBy(own, message.id, nodeOf(context))) })
      case 'wake.decide':
        return decided(state, message.id, context)
      default:
        return same(state)
    }
  },
}

const recent = ({ own, heard: others }: ArbiterState, now: Monotonic): ArbiterState => ({
  own: own.filter(({ at }) => now - at < ROUND_MS),
  heard: others.filter(({ at }) => now - at < ROUND_MS),
})

function heard(state: ArbiterState, { claim, peers }: WakeHeard, { now }: Context): Next<ArbiterState> {
  const known = [...state.own, ...state.heard]
  const first = known.reduce<number | undefined>((least, { at }) => Math.min(least ?? at, at), undefined)
  const own: Own = { claim, at: now, asked: peers, answered: [], verdict: undefined }
  // W3: the round it belongs to is closed, or closes before this could be known everywhere.
  if ((first !== undefined && now - first > JOIN_MS) || state.own.length >= MOST_CLAIMS) {
    const best = known.map((each) => each.claim).toSorted(compareClaims)[0] ?? claim
    return { state, effects: [publish(own, 'lost', best, now)] }
  }
  const tell = peers.map((peer) => send(peer, claimOf(claim)))
  // W5. Other microphones of this node may hear it too.
  const due: WakeDecide = { type: 'wake.decide', id: claim.id }
  const decide: Effect = {
    type: 'schedule',
    id: requestId(`decide:${claim.id}`),
    delay_ms: DECIDE_MS,
    message: due,
  }
  return { state: { ...state, own: [...state.own, own] }, effects: [...tell, decide] }
}

/** The node whose arbiter says it, by the link it came over. */
const nodeOf = ({ sender }: Context): string => sender?.address.slice('loqa://'.length).split('/', 1)[0] ?? ''

function told(state: ArbiterState, claim: Claim, context: Context): Next<ArbiterState> {
  const { now } = context
  // Nobody claims for another node.
  if (claim.node !== nodeOf(context) || !claim.id.startsWith(`${claim.node}/`)) return same(state)
  if (state.heard.length >= MOST_CLAIMS || state.heard.some((known) => known.claim.id === claim.id))
    return same(state)
  const own = state.own.map((each) => answeredBy(each, undefined, claim.node))
  const noticed = send(claim.node, noticedClaim(claim))
  const next: ArbiterState = { own, heard: [...state.heard, { claim, at: now }] }
  // W2: nothing was said yet; whoever was told first would have won.
  const beaten = own.filter((each) => each.verdict === 'won' && compareClaims(claim, each.claim) < 0)
  const yields = beaten.map((each) => publish(each, 'lost', claim, now))
  const after = own.map((each): Own => (beaten.includes(each) ? { ...each, verdict: 'lost' } : each))
  return { state: { ...next, own: after }, effects: [noticed, ...yields] }
}

function answeredBy(own: Own, id: string | undefined, node: string): Own {
  if (id !== undefined && own.claim.id !== id) return own
  return own.answered.includes(node) ? own : { ...own, answered: [...own.answered, node] }
}

function decided(state: ArbiterState, id: string, { now }: Context): Next<ArbiterState> {
  const own = state.own.find(({ claim, verdict }) => claim.id === id && verdict === undefined)
  if (own === undefined) return same(state)
  const others = [...state.own, ...state.heard].map(({ claim }) => claim).filter((claim) => claim.id !== id)
  const verdict = verdictOn(own.claim, others, { asked: own.asked.length, answered: own.answered.length })
  const best = [own.claim, ...others].toSorted(compareClaims)[0] ?? own.claim
  return {
    state: { ...state, own: state.own.map((each) => (each === own ? { ...own, verdict } : each)) },
    effects: [publish(own, verdict, best, now)],
  }
}

function publish({ claim, at }: Known, verdict: Verdict, { node, room }: Claim, now: Monotonic): Effect {
  const message: WakeDecided = {
    type: 'wake.decided',
    id: claim.id,
    verdict,
    after_ms: now - at,
    by: { node, room },
  }
  return { type: 'publish', topic: 'wake.decided', message }
}

const send = (to: string, message: WakeFromAfar): Effect => ({ type: 'send', to: arbiterOf(to), message })

const claimOf = (claim: Claim): WakeFromAfar => ({ type: 'wake.claim', claim })
const noticedClaim = ({ id }: Claim): WakeFromAfar => ({ type: 'wake.noticed', id })
