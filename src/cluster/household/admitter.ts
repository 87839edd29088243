/**
 * The member's side of one enrolment: it checks who asks, and lets the household decide (`household.ts`) on grounds that
 * cannot be forged: the key the joiner proved, and the code both sides can compare.
 *
 * E1 Nobody is put before the household without having proved its key in this very conversation.
 * E2 One greeting, one nonce, one reveal: whoever errs has to start again, and is counted when it does.
 * E3 A welcome is sent at most once, sealed for the one who proved its key.
 * E4 Whoever does not finish within HANDSHAKE_MS, or is not decided on within ENROLMENT_MS, is let go.
 */
import { assertNever, keyOf, LoqaError, type NodeId, type Wall } from '../../host/index.ts'
import { ENROLMENT_MS, HANDSHAKE_MS } from './bounds.ts'
import { agree, hex, newSecret, sealingPublicKey, sign, verify } from './crypto.ts'
import { HouseholdError, type HouseholdFault } from './errors.ts'
import type { EnrolmentContext } from './joiner.ts'
import { ENROLMENT_VERSION, type EnrolmentMessage, type Hello, type Offer, type Welcome } from './messages.ts'
import { clockFault } from './presented.ts'
import { type Card, isOwnCard } from './records.ts'
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
import { leads, type Standing } from './sighting.ts'

export interface AdmitterOptions {
  readonly node: NodeId
  readonly identity: Secret
  /** What this household tells strangers now; undefined while closed. */
  readonly standing: Standing | undefined
}

export type AdmitterState =
  | { readonly phase: 'listening'; readonly options: AdmitterOptions }
  | {
      readonly phase: 'offered'
      readonly options: AdmitterOptions
      readonly hello: Hello
      readonly offer: Offer
      readonly ephemeral: Secret
    }
  | { readonly phase: 'deciding'; readonly node: NodeId; readonly send: Lane; readonly receive: Lane }
  | { readonly phase: 'welcomed'; readonly node: NodeId; readonly receive: Lane }
  | { readonly phase: 'ended'; readonly error: LoqaError | undefined }

export type AdmitterInput =
  | { readonly type: 'received'; readonly message: EnrolmentMessage }
  | { readonly type: 'garbled' }
  | { readonly type: 'closed' }
  | { readonly type: 'expired' }
  | { readonly type: 'welcome'; readonly welcome: Welcome }
  | { readonly type: 'refuse'; readonly code: HouseholdFault }

export type AdmitterEffect =
  | { readonly type: 'send'; readonly message: EnrolmentMessage }
  /** `expired` in that time; replaces the deadline before. */
  | { readonly type: 'expire'; readonly after_ms: number }
  | {
      readonly type: 'met'
      readonly node: NodeId
      readonly standing: Standing | undefined
      /** The port on which it lets others in, as it says. */
      readonly door: number | undefined
    }
  | { readonly type: 'ask'; readonly card: Card; readonly code: string }
  | { readonly type: 'ended'; readonly node: NodeId | undefined; readonly error: LoqaError | undefined }

interface Next {
  readonly state: AdmitterState
  readonly effects: readonly AdmitterEffect[]
}

export const startAdmitting = (options: AdmitterOptions): Next => ({
  state: { phase: 'listening', options },
  effects: [{ type: 'expire', after_ms: HANDSHAKE_MS }],
})

export function admitter(state: AdmitterState, input: AdmitterInput, context: EnrolmentContext): Next {
  if (state.phase === 'ended') return { state, effects: [] }
  switch (input.type) {
    case 'received':
      return received(state, input.message, context)
    case 'garbled':
      return refused(state, 'enrolment-broken')
    case 'closed':
      return ended(state, new HouseholdError('enrolment-refused', 'the other side hung up'))
    case 'expired':
      return refused(state, 'enrolment-expired')
    case 'refuse':
      return refused(state, input.code)
    case 'welcome': {
      if (state.phase !== 'deciding') return { state, effects: [] }
      const { box } = sealOn(state.send, input.welcome)
      return {
        state: { phase: 'welcomed', node: state.node, receive: state.receive },
        effects: [
          { type: 'send', message: { type: 'sealed', box } },
          { type: 'expire', after_ms: HANDSHAKE_MS },
        ],
      }
    }
    default:
      return assertNever(input)
  }
}

type Live = Exclude<AdmitterState, { phase: 'ended' }>

function received(state: Live, message: EnrolmentMessage, context: EnrolmentContext): Next {
  if (message.type === 'refused')
    return ended(state, new HouseholdError('enrolment-refused', 'the joiner gave up'))
  if (state.phase === 'listening' && message.type === 'hello') return greeted(state.options, message, context)
  if (state.phase === 'offered' && message.type === 'reveal')
    return revealed(state, message.nonce, message.box)
  if ((state.phase === 'deciding' || state.phase === 'welcomed') && message.type === 'sealed') {
    const inner = unsealOn(state.receive, message.box)?.message.type
    if (state.phase === 'welcomed' && inner === 'joined') return ended(state, undefined)
    if (inner === 'withdrawn')
      return ended(state, new HouseholdError('enrolment-refused', 'the joiner gave up'))
  }
  return refused(state, 'enrolment-broken')
}

function greeted(options: AdmitterOptions, hello: Hello, { wall, random }: EnrolmentContext): Next {
  const state: AdmitterState = { phase: 'listening', options }
  const theirs = hello.standing ?? undefined
  const met: AdmitterEffect = { type: 'met', node: hello.node, standing: theirs, door: hello.door }
  // Somebody with our id is us, or a copy of us: neither is let in here.
  if (hello.node === options.node || keyOf(hello.node) === undefined)
    return refused(state, 'enrolment-broken')
  const skew = clockFault(wall, hello.time as Wall)
  const ours = options.standing
  const ephemeral = newSecret(random)
  const offer: Offer = {
    type: 'offer',
    version: ENROLMENT_VERSION,
    node: options.node,
    ephemeral: sealingPublicKey(ephemeral),
    time: wall,
    standing: ours ?? null,
    nonce: hex(random.bytes(32)),
  }
  // The offer tells our time, from which the joiner sees by how much its clock is off.
  if (skew !== undefined) return refused(state, 'clock-wrong', [met, { type: 'send', message: offer }])
  if (theirs?.movable && ours?.movable && theirs.household !== ours.household && leads(theirs, ours)) {
    return refused(state, 'enrolment-other-way', [met, { type: 'send', message: offer }])
  }
  return {
    state: { phase: 'offered', options, hello, offer, ephemeral },
    effects: [met, { type: 'send', message: offer }],
  }
}

function revealed(state: Extract<AdmitterState, { phase: 'offered' }>, nonce: string, box: string): Next {
  const { hello, offer, options } = state
  if (commitmentTo(nonce, hello.node, hello.ephemeral) !== hello.commitment)
    return refused(state, 'enrolment-broken')
  const shared = agree(state.ephemeral, hello.ephemeral)
  if (shared === undefined) return refused(state, 'enrolment-broken')
  const transcript = transcriptOf(hello, offer, nonce)
  const lanes = lanesOf(shared, transcript)
  const opened = unsealOn(lanes.to_admitter, box)
  const proof = opened?.message
  if (opened === undefined || proof?.type !== 'joiner-proof' || proof.card.node !== hello.node) {
    return refused(state, 'enrolment-broken')
  }
  const signed = verify(keyOf(hello.node)!, proofOf('joiner', transcript), proof.signature)
  if (!signed || !isOwnCard(proof.card)) return refused(state, 'enrolment-broken')
  const signature = sign(options.identity, proofOf('admitter', transcript))
  const answer = sealOn(lanes.to_joiner, { type: 'admitter-proof', signature })
  return {
    state: { phase: 'deciding', node: hello.node, send: answer.lane, receive: opened.lane },
    effects: [
      { type: 'send', message: { type: 'sealed', box: answer.box } },
      { type: 'expire', after_ms: ENROLMENT_MS },
      { type: 'ask', card: proof.card, code: codeOf(transcript) },
    ],
  }
}

/** Says why, sealed if there is a seal, and ends. */
function refused(
  state: Live,
  code: HouseholdFault | 'clock-wrong',
  before: readonly AdmitterEffect[] = [],
): Next {
  const message: EnrolmentMessage =
    state.phase === 'deciding'
      ? { type: 'sealed', box: sealOn(state.send, { type: 'withdrawn', code }).box }
      : { type: 'refused', code }
  return ended(state, new LoqaError(code, `enrolment ended: ${code.replaceAll('-', ' ')}`), [
    ...before,
    { type: 'send', message },
  ])
}

function ended(state: Live, error: LoqaError | undefined, before: readonly AdmitterEffect[] = []): Next {
  const node = state.phase === 'deciding' || state.phase === 'welcomed' ? state.node : undefined
  return { state: { phase: 'ended', error }, effects: [...before, { type: 'ended', node, error }] }
}
