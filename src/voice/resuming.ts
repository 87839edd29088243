/**
 * A turn that nobody heard to its end, because the satellite lost its node or the node was lost: what is kept of it, and what of it is
 * said when the satellite is back, here or elsewhere. What was broken off on purpose is the business of `going-on.ts`. Pure.
 *
 * W1  What the satellite says it has is believed: nothing of it is said twice, nothing after it is left out.
 * W2  Only a turn by voice goes on, or one that brought its answer from another room: a text is answered where it was asked, an
 *     announcement is given to somebody else.
 * W3  A turn before its words were final is not kept: the satellite has its sound, and sends it again.
 */
import type { UnderWay } from './carried-shape.ts'
import type { Heard } from './messages.ts'
import type { Turn, TurnState } from './turn-state.ts'

/** Nobody comes back to an answer after so long, ms. */
export const UNSAID_MS = 30_000

/** How far the turn is that runs now. Undefined: it is none to go on with. */
export function underWay({ phase }: TurnState): UnderWay | undefined {
  if (phase.name === 'acting') {
    const { turn, confirmed = false } = phase
    return kept(turn, { confirmed, reply: null, ends: [] })
  }
  if (phase.name !== 'speaking' && phase.name !== 'playing') return undefined
  const { turn, speaking } = phase
  // One that goes on with a former reply counts its samples and sentences from the beginning of that.
  const reply = speaking.from === 0 ? turn.reply : speaking.sentences.join(' ')
  return kept(turn, { confirmed: false, reply, ends: speaking.ends })
}

function kept(
  { number, source, transcript, intent }: Turn,
  { ends, ...more }: Pick<UnderWay, 'confirmed' | 'reply'> & { readonly ends: readonly number[] },
): UnderWay | undefined {
  if (source.kind !== 'voice' && source.kind !== 'moved') return undefined
  // How much of it was played its satellite knows, and says.
  return {
    turn: number,
    transcript,
    intent: intent as UnderWay['intent'],
    samples: 0,
    ends: [...ends],
    ...more,
  }
}

/** What is left when a turn has ended with no satellite there. */
export function leftUnsaid(before: TurnState, after: TurnState): UnderWay | undefined {
  if (after.phase.name !== 'idle' || after.satellite !== undefined) return undefined
  const left = underWay(before)
  if (left === undefined || left.reply !== null) return left
  // The skill has answered meanwhile.
  const { lastReply } = after.conversation
  return lastReply === undefined ? undefined : { ...left, reply: lastReply }
}

/** What is to be said to one who has that much of the conversation. */
export function restFor(unsaid: UnderWay | undefined, heard: Heard): UnderWay | undefined {
  if (unsaid === undefined || heard.turn > unsaid.turn) return undefined
  if (heard.turn < unsaid.turn) return { ...unsaid, samples: 0 }
  return heard.samples === null ? undefined : { ...unsaid, samples: heard.samples }
}

/**
 * Changes whenever another node would have to know more: a skill is asked, a reply is known, one more sentence of it was rendered, the
 * turn is over. Undefined: nothing worth a word now.
 */
export function headPoint(state: TurnState): string | undefined {
  const { phase, turns } = state
  if (phase.name === 'idle') return turns === 0 ? undefined : `idle ${turns}`
  const left = underWay(state)
  return left === undefined ? undefined : `${phase.name} ${left.turn} ${left.ends.length}`
}
