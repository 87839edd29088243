/**
 * The part of Home Assistant's template language that devices use in what they announce:
 *
 *     {{ value }}   {{ value_json.state }}   {{ value_json['a b'][0] }}   {{ value_json.t | float / 10 }}
 *     {{ 'ON' if value_json.power == 'on' else 'OFF' }}   {"state": "{{ value }}"}
 *
 * Paths, texts, numbers, comparison with `==` and `!=`, one condition, arithmetic from left to right, and the filters `int`, `float`,
 * `round`, `default`, `lower`, `upper`, `trim`, `is_defined`, `string`, `tojson`. Anything else (`{% … %}`, functions, states of other
 * things) is not supported: the template is refused when it is read, with the place, and what needed it is left out.
 */

/** Longest template read. Those of Zigbee2MQTT and Tasmota stay under 200. */
export const MAX_TEMPLATE_CHARS = 1_000

/** What names in a template stand for: `value`, `value_json`, `position` … */
export type Names = Readonly<Record<string, unknown>>
export type Template = (names: Names) => string | undefined

export interface Unsupported {
  readonly unsupported: string
}

/** A template, or why it is none we can follow. A template without `{{` is its own text. */
export function compileTemplate(text: string): Template | Unsupported {
  if (text.length > MAX_TEMPLATE_CHARS) return { unsupported: 'longer than 1000 characters' }
  if (text.includes('{%') || text.includes('{#')) return { unsupported: 'statements' }
  const parts: (string | Expression)[] = []
  let at = 0
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open < 0) break
    const close = text.indexOf('}}', open)
    if (close < 0) return { unsupported: 'an expression without its end' }
    const expression = readExpression(text.slice(open + 2, close))
    if (typeof expression === 'string') return { unsupported: expression }
    parts.push(text.slice(at, open), expression)
    at = close + 2
  }
  parts.push(text.slice(at))
  return (names) => {
    let said = ''
    for (const part of parts) {
      const value = typeof part === 'string' ? part : part(names)
      if (value === undefined) return undefined
      said += textOf(value)
    }
    return said.trim()
  }
}

/** What a message's payload is to a template. */
export function payloadNames(payload: string): Names {
  return { value: payload, value_json: parsed(payload) }
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch {
    return undefined
  }
}

type Expression = (names: Names) => unknown

const TOKEN =
  /\s*(?:(?<name>[A-Za-z_]\w*)|(?<number>\d+(?:\.\d+)?)|'(?<single>[^']*)'|"(?<double>[^"]*)"|(?<mark>==|!=|[.[\]|()*/+,-]))/y

interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'mark' | 'end'
  readonly text: string
}

/** Reads tokens of one expression; `problem` is kept once something does not fit. */
class Reader {
  readonly #tokens: readonly Token[]
  #at = 0
  problem: string | undefined

  constructor(source: string) {
    const tokens: Token[] = []
    TOKEN.lastIndex = 0
    while (source.slice(TOKEN.lastIndex).trim() !== '') {
      const from = TOKEN.lastIndex
      const groups = TOKEN.exec(source)?.groups
      if (groups === undefined) {
        this.problem = `"${source.slice(from).trim().slice(0, 20)}"`
        break
      }
      if (groups.name !== undefined) tokens.push({ kind: 'name', text: groups.name })
      else if (groups.number !== undefined) tokens.push({ kind: 'number', text: groups.number })
      else if (groups.mark !== undefined) tokens.push({ kind: 'mark', text: groups.mark })
      else tokens.push({ kind: 'text', text: groups.single ?? groups.double ?? '' })
    }
    this.#tokens = tokens
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: 'the end' }
  }

  take(): Token {
    const token = this.next
    this.#at += 1
    return token
  }

  /** Takes the token if it is this one. */
  takes(text: string): boolean {
    const { kind, text: found } = this.next
    if (found !== text || kind === 'text' || kind === 'end') return false
    this.#at += 1
    return true
  }

  fail(): Expression {
    this.problem ??= `"${this.next.text.slice(0, 20)}"`
    return () => undefined
  }
}

function readExpression(source: string): Expression | string {
  const reader = new Reader(source)
  if (reader.problem !== undefined) return reader.problem
  const expression = readChoice(reader)
  if (reader.problem === undefined && reader.next.kind !== 'end') reader.fail()
  return reader.problem ?? expression
}

/** `a if b == c else d` */
function readChoice(reader: Reader): Expression {
  const first = readSum(reader)
  if (!reader.takes('if')) return first
  const condition = readComparison(reader)
  if (!reader.takes('else')) return reader.fail()
  const otherwise = readSum(reader)
  return (names) => (truthy(condition(names)) ? first(names) : otherwise(names))
}

function readComparison(reader: Reader): Expression {
  const left = readSum(reader)
  const equal = reader.takes('==')
  if (!equal && !reader.takes('!=')) return left
  const right = readSum(reader)
  return (names) => same(left(names), right(names)) === equal
}

/** Arithmetic from left to right: devices write one operation, and brackets where there are two. */
function readSum(reader: Reader): Expression {
  let left = readFiltered(reader)
  for (;;) {
    const operator = ['*', '/', '+', '-'].find((mark) => reader.takes(mark))
    if (operator === undefined) return left
    const [before, right] = [left, readFiltered(reader)]
    left = (names) => calculated(operator, numberOf(before(names)), numberOf(right(names)))
  }
}

function calculated(operator: string, a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined
  const result = operator === '*' ? a * b : operator === '/' ? a / b : operator === '+' ? a + b : a - b
  return Number.isFinite(result) ? result : undefined
}

function readFiltered(reader: Reader): Expression {
  let value = readValue(reader)
  while (reader.takes('|')) {
    const { kind, text } = reader.take()
    const argument = reader.takes('(') ? readArgument(reader) : undefined
    const filter = kind === 'name' && Object.hasOwn(FILTERS, text) ? FILTERS[text] : undefined
    if (filter === undefined) return reader.fail()
    const before = value
    value = (names) => filter(before(names), argument?.(names))
  }
  return value
}

/** The first argument counts; `default(0, true)` has a second. */
function readArgument(reader: Reader): Expression {
  if (reader.takes(')')) return () => undefined
  const first = readSum(reader)
  while (reader.takes(',')) readSum(reader)
  return reader.takes(')') ? first : reader.fail()
}

function readValue(reader: Reader): Expression {
  if (reader.takes('(')) {
    const inner = readChoice(reader)
    return reader.takes(')') ? inner : reader.fail()
  }
  if (reader.takes('-')) {
    const positive = readValue(reader)
    return (names) => calculated('-', 0, numberOf(positive(names)))
  }
  const { kind, text } = reader.take()
  if (kind === 'text') return () => text
  if (kind === 'number') return () => Number(text)
  if (kind !== 'name' || KEYWORDS.has(text)) return reader.fail()
  if (text === 'true' || text === 'True') return () => true
  if (text === 'false' || text === 'False') return () => false
  return readPath(reader, text)
}

const KEYWORDS = new Set(['if', 'else', 'and', 'or', 'not', 'is', 'in'])

function readPath(reader: Reader, name: string): Expression {
  const path: (string | number)[] = []
  for (;;) {
    if (reader.takes('.')) {
      const { kind, text } = reader.take()
      if (kind !== 'name' && kind !== 'number') return reader.fail()
      path.push(text)
    } else if (reader.takes('[')) {
      const { kind, text } = reader.take()
      if ((kind !== 'text' && kind !== 'number') || !reader.takes(']')) return reader.fail()
      path.push(kind === 'number' ? Number(text) : text)
    } else if (reader.takes('(')) return reader.fail()
    else break
  }
  return (names) => {
    let value: unknown = own(names, name)
    for (const step of path) value = own(value, step)
    return value
  }
}

/** Own properties only: what every object has under a name was said by nobody. */
function own(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string | number, unknown>)[key]
}

const FILTERS: Readonly<Record<string, (value: unknown, argument: unknown) => unknown>> = {
  int: (value, otherwise) => {
    const number = numberOf(value)
    return number === undefined ? otherwise : Math.trunc(number)
  },
  float: (value, otherwise) => numberOf(value) ?? otherwise,
  round: (value, digits) => {
    const number = numberOf(value)
    const factor = 10 ** Math.max(0, Math.min(6, numberOf(digits) ?? 0))
    return number === undefined ? undefined : Math.round(number * factor) / factor
  },
  default: (value, otherwise) => value ?? otherwise,
  lower: (value) => (value === undefined ? undefined : textOf(value).toLowerCase()),
  upper: (value) => (value === undefined ? undefined : textOf(value).toUpperCase()),
  trim: (value) => (value === undefined ? undefined : textOf(value).trim()),
  string: (value) => (value === undefined ? undefined : textOf(value)),
  tojson: (value) => (value === undefined ? undefined : JSON.stringify(value)),
  is_defined: (value) => value,
}

export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'boolean') return Number(value)
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** As Python writes it. */
function textOf(value: unknown): string {
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (value === null) return 'None'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const truthy = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && value !== 0 && value !== ''

/** A template's 1 and a payload's "1" are not the same in Jinja; `true` and "true" are taken for it, as devices mean it. */
const same = (a: unknown, b: unknown): boolean =>
  a === b || (a !== undefined && b !== undefined && typeof a !== typeof b && textOf(a) === textOf(b))
