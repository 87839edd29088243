/**
 * Whether a text is YAML of a kind that is read in bounded time. A stranger's few kilobytes of nested or doubled keys otherwise hold up
 * a reader for minutes; so the words are looked at first, which takes time in proportion to their number.
 */
import { CST, isMap, isScalar, isSeq, Lexer } from 'yaml'

/** A manifest with a list of 2,000 values has about 14,000. */
const MAX_WORDS = 30_000
/** Ours nest to six. */
const MAX_DEPTH = 16
/** Spaces a line begins with: as many levels of block style, at two or more a level. */
const MAX_INDENT = 48

/** What nobody needs in a manifest, each a way to make a small text large or slow. */
const REFUSED: Readonly<Record<string, string>> = {
  anchor: 'anchors (&name)',
  alias: 'aliases (*name)',
  tag: 'tags (!name)',
  'explicit-key-ind': 'keys with a question mark',
  'directive-line': 'directives (%)',
}

export interface YamlObstacle {
  /** Where it stands in the text. */
  readonly offset: number
  readonly given: string
  readonly allowed: string
}

export function obstacleIn(text: string): YamlObstacle | undefined {
  let offset = 0
  let words = 0
  let flow = 0
  let items = 0
  let isLineStart = true
  for (const word of new Lexer().lex(text)) {
    words += 1
    const kind = CST.tokenType(word) ?? ''
    const refused = REFUSED[kind]
    if (refused !== undefined) return { offset, given: refused, allowed: 'YAML without them' }
    if (words > MAX_WORDS) return { offset, given: `more than ${MAX_WORDS} words`, allowed: 'a shorter text' }
    if (kind === 'newline') items = 0
    if (kind === 'seq-item-ind') items += 1
    if (kind === 'flow-seq-start' || kind === 'flow-map-start') flow += 1
    if (kind === 'flow-seq-end' || kind === 'flow-map-end') flow -= 1
    const indent = kind === 'space' && isLineStart ? word.length : 0
    if (flow > MAX_DEPTH || items > MAX_DEPTH || (indent > MAX_INDENT && flow === 0))
      return { offset, given: 'nesting without end', allowed: `at most ${MAX_DEPTH} levels` }
    isLineStart = kind === 'newline'
    // Marks of the lexer's own stand for no text.
    if (!MARKS.has(word)) offset += word.length
  }
  return undefined
}

const MARKS: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR])

/** The second of two equal keys of one mapping: where it begins, and its name. */
export function doubledKey(node: unknown): { readonly offset: number; readonly name: string } | undefined {
  if (isSeq(node)) return first(node.items, doubledKey)
  if (!isMap(node)) return undefined
  const names = new Set<string>()
  return first(node.items, ({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : ''
    if (names.has(name)) return { offset: isScalar(key) ? (key.range?.[0] ?? 0) : 0, name }
    names.add(name)
    return doubledKey(value)
  })
}

function first<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
