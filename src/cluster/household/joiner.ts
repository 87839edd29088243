/**
 * The joining side of one enrolment. It greets, proves its key, shows six digits, and takes up a welcome when its own side
 * consents: because its window is open, or because a person compared the digits here.
 *
 * J1 It joins nobody but the node whose key signed this conversation, and nothing but a household that vouches for itself.
 * J2 Without consent on this side no welcome is taken up, however early it came.
 * J3 It reveals its nonce once, to the first offer; after anything unexpected it fails and never goes on.
 * J4 It says `joined` only after the household was kept.
 */
import { assertNever, keyOf, type LoqaError, type NodeId, type Random, type Wall } from '../../host/index.ts'
import { ENROLMENT_MS, HANDSHAKE_MS } from './bounds.ts'
import { agree, hex, newSecret, sealingPublicKey, sign, verify } from './crypto.ts'
import { HouseholdError } from './errors.ts'
import type { EnrolmentMessage, Hello, Offer, Welcome } from './messages.ts'
import { ENROLMENT_VERSION } from './messages.ts'
import { clockFault } from './presented.ts'
import type { Card, HouseholdId } from './records.ts'
import type { Secret } from './secret.ts'
import {
  codeOf,
  commitmentTo,
  type Lane,
  lanesOf,
  proofOf,
  sealOn,
  transcriptOf,
  unsealOn,
} from './short-code.ts'
import type { Standing } from './sighting.ts'
import { checkWelcome, type Joined } from './welcome.ts'

export interface JoinerOptions {
  readonly card: Card
  readonly identity: Secret
  readonly standing: Standing | undefined
  /** Whom discovery named: another one's offer is not taken. */
  readonly admitter: NodeId
  /** Only this household will do; undefined when any will. */
  readonly household?: HouseholdId
  readonly consented: boolean
  /** The port on which this node lets others in. */
  readonly door?: number
}

interface Session {
  readonly options: JoinerOptions
  readonly transcript: Uint8Array
  readonly send: Lane
  readonly receive: Lane
  readonly code: string
}

export type JoinerState =
  | {
      readonly phase: 'greeting'
      readonly options: JoinerOptions
      readonly hello: Hello
      readonly nonce: string
      readonly ephemeral: Secret
    }
  | ({ readonly phase: 'proving' } & Session)
  | ({ readonly phase: 'comparing'; readonly welcome: Welcome | undefined } & Session)
  /** The household decides whether to move, and keeps it. */
  | ({ readonly phase: 'moving' } & Session)
  | { readonly phase: 'joined' }
  | { readonly phase: 'failed'; readonly error: LoqaError }

export type JoinerInput =
  | { readonly type: 'received'; readonly message: EnrolmentMessage }
  | { readonly type: 'garbled' }
  | { readonly type: 'closed' }
  | { readonly type: 'expired' }
  | { readonly type: 'consented' }
  /** The household was taken up and is on disk. */
  | { readonly type: 'kept' }
  /** A person, or the household, changed its mind. */
  | { readonly type: 'withdrawn' }

export type JoinerEffect =
  | { readonly type: 'send'; readonly message: EnrolmentMessage }
  /** `expired` in that time; replaces the deadline before. */
  | { readonly type: 'expire'; readonly after_ms: number }
  | { readonly type: 'show-code'; readonly code: string; readonly node: NodeId }
  | { readonly type: 'met'; readonly node: NodeId; readonly standing: Standing | undefined }
  | { readonly type: 'move'; readonly joined: Joined; readonly by: NodeId }
  | { readonly type: 'ended'; readonly error: LoqaError | undefined }

interface Next {
  readonly state: JoinerState
  readonly effects: readonly JoinerEffect[]
}

export interface EnrolmentContext {
  readonly wall: Wall
  readonly random: Random
}

export function startJoining(options: JoinerOptions, { wall, random }: EnrolmentContext): Next {
  const ephemeral = newSecret(random)
  const nonce = hex(random.bytes(32))
  const public_ephemeral = sealingPublicKey(ephemeral)
  const hello: Hello = {
    type: 'hello',
    version: ENROLMENT_VERSION,
    node: options.card.node,
    ephemeral: public_ephemeral,
    time: wall,
    standing: options.standing ?? null,
    commitment: commitmentTo(nonce, options.card.node, public_ephemeral),
    ...(options.door === undefined ? {} : { door: options.door }),
  }
  return {
    state: { phase: 'greeting', options, hello, nonce, ephemeral },
    effects: [
      { type: 'send', message: hello },
      { type: 'expire', after_ms: HANDSHAKE_MS },
    ],
  }
}

export function joiner(state: JoinerState, input: JoinerInput, context: EnrolmentContext): Next {
  if (state.phase === 'joined' || state.phase === 'failed') return { state, effects: [] }
  switch (input.type) {
    case 'garbled':
      return failed('enrolment-broken', 'the other side sent something that is no enrolment message')
    case 'closed':
      return failed('enrolment-refused', 'the other side hung up')
    case 'expired':
      return failed('enrolment-expired', 'nobody approved this node in time')
    case 'withdrawn':
      return withdrawn(state)
    case 'consented':
      return consented(state, context)
    case 'kept':
      if (state.phase !== 'moving') return { state, effects: [] }
      return {
        state: { phase: 'joined' },
        effects: [
          { type: 'send', message: { type: 'sealed', box: sealOn(state.send, { type: 'joined' }).box } },
          { type: 'ended', error: undefined },
        ],
      }
    case 'received':
      return received(state, input.message, context)
    default:
      return assertNever(input)
  }
}

type Live = Exclude<JoinerState, { phase: 'joined' | 'failed' }>

function received(state: Live, message: EnrolmentMessage, context: EnrolmentContext): Next {
  if (message.type === 'refused')
    return failed('enrolment-refused', `the other side refused: ${message.code}`)
  if (state.phase === 'greeting' && message.type === 'offer') return offered(state, message, context)
  if (state.phase === 'greeting' || message.type !== 'sealed') {
    return failed(
      'enrolment-broken',
      `the other side sent ${message.type} while this node was ${state.phase}`,
    )
  }
  const opened = unsealOn(state.receive, message.box)
  if (opened === undefined)
    return failed('enrolment-broken', 'a sealed message was changed, repeated or out of order')
  const next = { ...state, receive: opened.lane }
  const inner = opened.message
  if (inner.type === 'withdrawn') return failed('enrolment-refused', `the other side refused: ${inner.code}`)
  if (state.phase === 'proving' && inner.type === 'admitter-proof')
    return proven(next as typeof state, inner.signature)
  if (state.phase === 'comparing' && state.welcome === undefined && inner.type === 'welcome') {
    return consented({ ...next, phase: 'comparing', welcome: inner }, context, state.options.consented)
  }
  return failed('enrolment-broken', `the other side sent ${inner.type} while this node was ${state.phase}`)
}

function offered(
  state: Extract<JoinerState, { phase: 'greeting' }>,
  offer: Offer,
  context: EnrolmentContext,
): Next {
  const { options, hello, nonce, ephemeral } = state
  const met: JoinerEffect = { type: 'met', node: offer.node, standing: offer.standing ?? undefined }
  if (offer.node !== options.admitter) {
    // Who it says it is may be worth a look, as what any announcement says.
    return ended(
      new HouseholdError('enrolment-broken', `${offer.node} answers in place of ${options.admitter}`),
      [met],
    )
  }
  // We are told the other's time: that it is far from ours means that one of the two is wrong.
  const skew = clockFault(offer.time as Wall, context.wall)
  if (skew !== undefined) return ended(skew, [met])
  const shared = agree(ephemeral, offer.ephemeral)
  if (shared === undefined) return failed('enrolment-broken', 'the other side offered a key that is none')
  const transcript = transcriptOf(hello, offer, nonce)
  const lanes = lanesOf(shared, transcript)
  const signature = sign(options.identity, proofOf('joiner', transcript))
  const sealed = sealOn(lanes.to_admitter, { type: 'joiner-proof', card: options.card, signature })
  return {
    state: {
      phase: 'proving',
      options,
      transcript,
      send: sealed.lane,
      receive: lanes.to_joiner,
      code: codeOf(transcript),
    },
    effects: [met, { type: 'send', message: { type: 'reveal', nonce, box: sealed.box } }],
  }
}

function proven(state: Extract<JoinerState, { phase: 'proving' }>, signature: string): Next {
  const { admitter } = state.options
  const key = keyOf(admitter)
  if (key === undefined || !verify(key, proofOf('admitter', state.transcript), signature)) {
    return failed('enrolment-broken', `the other side is not ${admitter}`)
  }
  return {
    state: { ...state, phase: 'comparing', welcome: undefined },
    effects: [
      { type: 'show-code', code: state.code, node: admitter },
      { type: 'expire', after_ms: ENROLMENT_MS },
    ],
  }
}

/** Takes up the welcome when it is there and this side agrees; otherwise remembers what is there already. */
function consented(state: Live, { wall }: EnrolmentContext, agrees = true): Next {
  if (state.phase === 'moving') return { state, effects: [] }
  const options = { ...state.options, consented: agrees }
  if (state.phase !== 'comparing' || state.welcome === undefined || !agrees) {
    return { state: { ...state, options }, effects: [] }
  }
  const joined = checkWelcome(state.welcome, { ...options, now: wall })
  if (joined instanceof Error) return ended(joined)
  const { welcome: _, ...session } = state
  return {
    state: { ...session, options, phase: 'moving' },
    effects: [{ type: 'move', joined, by: options.admitter }],
  }
}

function withdrawn(state: Live): Next {
  const error = new HouseholdError('enrolment-refused', 'this node does not want to join any more')
  if (state.phase === 'greeting') return ended(error)
  const code = 'enrolment-refused'
  return ended(error, [
    { type: 'send', message: { type: 'sealed', box: sealOn(state.send, { type: 'withdrawn', code }).box } },
  ])
}

const failed = (code: ConstructorParameters<typeof HouseholdError>[0], message: string): Next =>
  ended(new HouseholdError(code, message, { retryable: code !== 'enrolment-broken' }))

const ended = (error: LoqaError, before: readonly JoinerEffect[] = []): Next => ({
  state: { phase: 'failed', error },
  effects: [...before, { type: 'ended', error }],
})
