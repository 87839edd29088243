/**
 * What the tokens of an answer become: content, or the call of a tool. Pure: (state, tokens) → { state, deltas }.
 *
 * A1 The deltas joined are the same however the tokens were cut. A2 A tool is named before its arguments come, and once. A3 An engine
 * that keeps to no grammar and answers with plain text where JSON was asked for is passed on as it is: as content.
 */
import type { AnswerForm } from './chat-prompt.ts'
import {
  beginsObject,
  type MembersState,
  newMembers,
  takeMembers,
  unescaped,
  unquoted,
} from './json-members.ts'

export type Delta =
  | { readonly type: 'content'; readonly text: string }
  | { readonly type: 'tool'; readonly name: string }
  /** JSON, in pieces. */
  | { readonly type: 'arguments'; readonly text: string }

export interface AnswerState {
  readonly form: AnswerForm
  /** JSON: white space that may be followed by nothing; tools: what came before it was clear that they are meant. */
  readonly held: string
  readonly plain: boolean
  readonly members: MembersState
  readonly key: string
  /** Of the tool's name. */
  readonly name: string
  readonly called: boolean
}

export const newAnswer = (form: AnswerForm): AnswerState => ({
  form,
  held: '',
  plain: false,
  members: newMembers,
  key: '',
  name: '',
  called: false,
})

export interface AnswerStep {
  readonly state: AnswerState
  readonly deltas: readonly Delta[]
}

export function takeTokens(state: AnswerState, text: string): AnswerStep {
  switch (state.form.type) {
    case 'text':
      return { state, deltas: content(text) }
    case 'json': {
      const all = state.held + text
      const kept = all.trimEnd()
      return { state: { ...state, held: all.slice(kept.length) }, deltas: content(kept) }
    }
    default:
      return takeObject(state, text)
  }
}

/** A tool was called. */
export const isCall = ({ called }: AnswerState): boolean => called

function takeObject(state: AnswerState, text: string): AnswerStep {
  if (state.plain) return { state, deltas: content(text) }
  let fed = text
  if (state.members.phase === 'start') {
    const begun = state.held + text
    const isObject = beginsObject(begun)
    if (isObject === undefined) return { state: { ...state, held: begun }, deltas: [] }
    if (!isObject) return { state: { ...state, held: '', plain: true }, deltas: content(begun) }
    fed = begun
  }
  const { state: members, pieces } = takeMembers(state.members, fed)
  let next: AnswerState = { ...state, members, held: state.members.phase === 'start' ? '' : state.held }
  const deltas: Delta[] = []
  for (const piece of pieces) {
    if (piece.type === 'key') next = { ...next, key: piece.key, held: '' }
    else if (next.key === 'tool') {
      if (piece.type === 'value') next = { ...next, name: next.name + piece.text }
      else if (!next.called) {
        next = { ...next, called: true }
        deltas.push({ type: 'tool', name: unquoted(next.name) })
      }
    } else if (piece.type === 'value' && next.key === 'arguments' && next.called)
      deltas.push({ type: 'arguments', text: piece.text })
    else if (piece.type === 'value' && next.key === 'reply' && !next.called) {
      const read =
        state.form.type === 'tools' && state.form.reply === 'json'
          ? { text: piece.text, held: '' }
          : unescaped(next.held, piece.text)
      next = { ...next, held: read.held }
      deltas.push(...content(read.text))
    }
  }
  return { state: next, deltas }
}

const content = (text: string): readonly Delta[] => (text === '' ? [] : [{ type: 'content', text }])
