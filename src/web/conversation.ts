/**
 * What the page shows of a conversation: a pure machine over what the node says and the person does.
 *
 * C1  Words that are still heard stand in `partial` alone; a line is said once, as soon as it is known.
 * C2  An answer stands there while it is spoken, and gets its times when its turn is complete; it is never shown twice.
 * C3  At most `MOST_LINES` are kept, the oldest go first.
 */
import type { TurnView, VoiceEvent } from '../api/index.ts'

export interface Line {
  /** Counted up; what it is told apart by. */
  readonly id: number
  readonly who: 'person' | 'house'
  readonly text: string
  readonly kind: 'said' | 'announced' | 'trouble' | 'card'
  /** Somebody spoke before it was said to its end. */
  readonly interrupted: boolean
  readonly turn?: TurnView
}

export type Phase = 'idle' | 'listening' | 'thinking' | 'speaking'

export interface Conversation {
  readonly phase: Phase
  readonly partial: string
  readonly lines: readonly Line[]
  readonly next: number
  /** What is being spoken: an answer of which the turn has not come, or an announcement. */
  readonly saying: number | undefined
}

export type Happening =
  | VoiceEvent
  /** A turn with its times by the page's own clock. */
  | { readonly type: 'completed'; readonly turn: TurnView }
  | { readonly type: 'typed'; readonly text: string }
  | { readonly type: 'answered'; readonly turn: TurnView }
  | { readonly type: 'trouble'; readonly message: string; readonly hint?: string }
  /** The loudspeaker has sound, or no more. */
  | { readonly type: 'playing'; readonly on: boolean }
  /** The person holds the button, or lets it go. */
  | { readonly type: 'held'; readonly on: boolean }

const MOST_LINES = 200

export const QUIET: Conversation = { phase: 'idle', partial: '', lines: [], next: 1, saying: undefined }

export function happened(now: Conversation, happening: Happening): Conversation {
  switch (happening.type) {
    case 'speech-started':
      return { ...interrupted(now), phase: 'listening', partial: '' }
    case 'partial':
      return { ...now, phase: 'listening', partial: happening.text }
    case 'final': {
      const calm: Conversation = { ...now, phase: 'thinking', partial: '' }
      return happening.text === ''
        ? { ...calm, phase: 'idle' }
        : add(calm, { who: 'person', text: happening.text })
    }
    case 'reply': {
      if (happening.text === undefined || happening.text === '' || now.saying !== undefined) return now
      const said = add(now, { who: 'house', text: happening.text })
      return { ...said, saying: now.next }
    }
    case 'announce':
      return { ...add(now, { who: 'house', text: happening.text, kind: 'announced' }), saying: now.next }
    case 'reply-end':
      return isAnnouncing(now) ? { ...now, saying: undefined } : now
    case 'card':
      return add(now, { who: 'house', text: cardText(happening.card), kind: 'card' })
    case 'stop-playback':
      return interrupted(now)
    case 'completed':
      return completed(now, happening.turn)
    case 'typed':
      return { ...add(now, { who: 'person', text: happening.text }), phase: 'thinking' }
    case 'answered':
      return { ...answered(now, happening.turn), phase: now.phase === 'thinking' ? 'idle' : now.phase }
    case 'error':
    case 'trouble': {
      const text =
        happening.hint === undefined ? happening.message : `${happening.message}. ${happening.hint}`
      const told = add(now, { who: 'house', text, kind: 'trouble' })
      return { ...told, phase: told.phase === 'thinking' ? 'idle' : told.phase, partial: '' }
    }
    case 'notice':
      return add(now, { who: 'house', text: happening.message, kind: 'announced' })
    case 'playing':
      if (happening.on) return now.phase === 'listening' ? now : { ...now, phase: 'speaking' }
      return now.phase === 'speaking' ? { ...now, phase: 'idle' } : now
    case 'held':
      if (happening.on) return { ...now, phase: 'listening', partial: '' }
      return now.phase === 'listening' ? { ...now, phase: 'thinking' } : now
    default:
      return now
  }
}

function add(
  now: Conversation,
  line: Pick<Line, 'who' | 'text'> & Partial<Pick<Line, 'kind' | 'turn' | 'interrupted'>>,
): Conversation {
  const whole: Line = { id: now.next, kind: 'said', interrupted: false, ...line }
  return { ...now, lines: [...now.lines, whole].slice(-MOST_LINES), next: now.next + 1 }
}

const change = (now: Conversation, id: number, change: Partial<Line>): Conversation => ({
  ...now,
  lines: now.lines.map((line) => (line.id === id ? { ...line, ...change } : line)),
})

const isAnnouncing = ({ lines, saying }: Conversation): boolean =>
  lines.some(({ id, kind }) => id === saying && kind === 'announced')

/** The answer that is being spoken was broken off. */
const interrupted = (now: Conversation): Conversation =>
  now.saying === undefined ? now : change(now, now.saying, { interrupted: true })

function completed(now: Conversation, turn: TurnView): Conversation {
  const settled: Conversation = {
    ...now,
    saying: undefined,
    phase: now.phase === 'thinking' ? 'idle' : now.phase,
  }
  if (now.saying === undefined) return answered(settled, turn)
  return change(settled, now.saying, { turn, ...(turn.reply === '' ? {} : { text: turn.reply }) })
}

function answered(now: Conversation, turn: TurnView): Conversation {
  if (turn.reply !== '') return add(now, { who: 'house', text: turn.reply, turn })
  if (turn.error === undefined) return now
  return add(now, { who: 'house', text: turn.error.message, kind: 'trouble', turn })
}

/** A card is what a skill says it is: its words are shown, nothing of it is run or fetched. */
function cardText(card: Readonly<Record<string, unknown>>): string {
  const words = Object.values(card).filter((value) => typeof value === 'string' || typeof value === 'number')
  return words.length === 0 ? JSON.stringify(card).slice(0, 500) : words.join(' · ').slice(0, 500)
}
