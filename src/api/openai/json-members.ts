/** A JSON object that arrives in pieces, taken apart into its members as they come. Pure; reads its own engine's JSON, checks little. */

export interface MembersState {
  readonly phase: 'start' | 'between' | 'key' | 'colon' | 'value' | 'over'
  /** Raw, with its quotes. */
  readonly key: string
  /** Of the value: brackets that are open. */
  readonly depth: number
  readonly inString: boolean
  readonly escaped: boolean
  /** Of the value: something of it has come. */
  readonly begun: boolean
}

export type Piece =
  | { readonly type: 'key'; readonly key: string }
  /** A part of the value of the key before, as it is written. */
  | { readonly type: 'value'; readonly text: string }
  | { readonly type: 'value-end' }

export const newMembers: MembersState = {
  phase: 'start',
  key: '',
  depth: 0,
  inString: false,
  escaped: false,
  begun: false,
}

/** Whether `text`, the beginning of an answer, is one of an object; undefined: it cannot be told yet. */
export function beginsObject(text: string): boolean | undefined {
  const [first] = text.trimStart()
  return first === undefined ? undefined : first === '{'
}

export function takeMembers(
  before: MembersState,
  text: string,
): { readonly state: MembersState; readonly pieces: readonly Piece[] } {
  const pieces: Piece[] = []
  let state = before
  let value = ''
  const flush = (): void => {
    if (value !== '') pieces.push({ type: 'value', text: value })
    value = ''
  }
  for (const letter of text) {
    const read = readLetter(state, letter)
    if (read.value) value += letter
    if (read.ended) {
      flush()
      pieces.push({ type: 'value-end' })
    }
    if (state.phase === 'key' && read.state.phase === 'colon')
      pieces.push({ type: 'key', key: unquoted(read.state.key) })
    state = read.state
  }
  flush()
  return { state, pieces }
}

interface Read {
  readonly state: MembersState
  /** The letter is a part of the value. */
  readonly value?: boolean
  /** The value ended, with this letter or before it. */
  readonly ended?: boolean
}

function readLetter(state: MembersState, letter: string): Read {
  switch (state.phase) {
    case 'start':
      return { state: letter === '{' ? { ...state, phase: 'between' } : state }
    case 'between':
      if (letter === '"') return { state: { ...newMembers, phase: 'key', key: letter } }
      return { state: letter === '}' ? { ...state, phase: 'over' } : state }
    case 'key': {
      const key = state.key + letter
      if (state.escaped) return { state: { ...state, key, escaped: false } }
      if (letter === '"') return { state: { ...state, key, phase: 'colon' } }
      return { state: { ...state, key, escaped: letter === '\\' } }
    }
    case 'colon':
      return { state: letter === ':' ? { ...state, phase: 'value' } : state }
    case 'value':
      return readValue(state, letter)
    default:
      return { state }
  }
}

function readValue(state: MembersState, letter: string): Read {
  if (state.inString) {
    const closes = letter === '"' && !state.escaped
    const inside = { ...state, escaped: letter === '\\' && !state.escaped, inString: !closes }
    if (closes && state.depth === 0)
      return { state: { ...inside, phase: 'between' }, value: true, ended: true }
    return { state: inside, value: true }
  }
  switch (letter) {
    case '"':
      return { state: { ...state, inString: true, begun: true }, value: true }
    case '{':
    case '[':
      return { state: { ...state, depth: state.depth + 1, begun: true }, value: true }
    case '}':
    case ']': {
      // Of the object itself: a number or a word ended.
      if (state.depth === 0) return { state: { ...state, phase: 'over' }, ended: true }
      const depth = state.depth - 1
      if (depth > 0) return { state: { ...state, depth }, value: true }
      return { state: { ...state, depth, phase: 'between' }, value: true, ended: true }
    }
    case ',':
      return state.depth === 0
        ? { state: { ...state, phase: 'between' }, ended: true }
        : { state, value: true }
    default:
      if (letter.trim() === '' && !state.begun) return { state }
      return { state: { ...state, begun: true }, value: true }
  }
}

export function unquoted(raw: string): string {
  try {
    const value: unknown = JSON.parse(raw)
    return typeof value === 'string' ? value : raw
  } catch {
    return raw
  }
}

/** The text of a JSON string that arrives in pieces; `held` is what cannot be read before more has come. */
export function unescaped(held: string, raw: string): { readonly text: string; readonly held: string } {
  const all = held + raw
  let text = ''
  for (let at = 0; at < all.length; ) {
    const letter = all[at]!
    if (letter === '"') {
      at += 1
      continue
    }
    const length = letter !== '\\' ? 1 : all[at + 1] === 'u' ? 6 : 2
    if (at + length > all.length) return { text, held: all.slice(at) }
    const read = letter === '\\' ? unquoted(`"${all.slice(at, at + length)}"`) : letter
    // Half of a pair: the other one follows.
    if (/[\ud800-\udbff]$/.test(read)) {
      const rest = all.slice(at + length)
      if (rest === '' || (rest.startsWith('\\') && rest.length < 6)) return { text, held: all.slice(at) }
    }
    text += read
    at += length
  }
  return { text, held: '' }
}
