/** A small JSON reader, and quoting for writing. Reads what the node sends; malformed text reads as null. */

export enum Kind {
  Null,
  Boolean,
  Number,
  Text,
  List,
  Object,
}

export class Json {
  kind: Kind = Kind.Null
  boolean: bool = false
  number: f64 = 0
  text: string = ''
  items: Json[] = []
  fields: Map<string, Json> = new Map<string, Json>()

  /** A field of an object; null when there is none. */
  field(name: string): Json | null {
    return this.fields.has(name) ? this.fields.get(name) : null
  }
}

export function parse(text: string): Json {
  const reader = new Reader(text)
  const value = reader.value(0)
  return reader.failed || !reader.finished() ? new Json() : value
}

/**
 * The text as a JSON string, quotes included. Put together from whole stretches: nothing is freed during a call, so text grown
 * letter by letter would take memory with the square of its length.
 */
export function quote(text: string): string {
  const parts: string[] = ['"']
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code != 0x22 && code != 0x5c && code >= 0x20) continue
    parts.push(text.substring(start, i))
    parts.push(code < 0x20 ? '\\u00' + (code < 16 ? '0' : '1') + HEX.charAt(code & 15) : '\\' + String.fromCharCode(code))
    start = i + 1
  }
  parts.push(text.substring(start))
  parts.push('"')
  return parts.join('')
}

const HEX = '0123456789abcdef'
/** The node nests three deep; more is not ours to read. */
const MAX_NESTING: i32 = 16

class Reader {
  at: i32 = 0
  failed: bool = false

  constructor(private source: string) {}

  value(nesting: i32): Json {
    this.skipSpace()
    const json = new Json()
    if (nesting > MAX_NESTING) return this.fail(json)
    const code = this.peek()
    if (code == 0x7b) this.object(json, nesting)
    else if (code == 0x5b) this.list(json, nesting)
    else if (code == 0x22) {
      json.kind = Kind.Text
      json.text = this.string()
    } else if (this.word('true')) {
      json.kind = Kind.Boolean
      json.boolean = true
    } else if (this.word('false')) json.kind = Kind.Boolean
    else if (!this.word('null')) this.numeral(json)
    return json
  }

  /** Nothing but white space is left. */
  finished(): bool {
    this.skipSpace()
    return this.at == this.source.length
  }

  private object(json: Json, nesting: i32): void {
    json.kind = Kind.Object
    this.at += 1
    while (!this.closes(0x7d, json.fields.size > 0)) {
      this.skipSpace()
      const name = this.string()
      this.skipSpace()
      if (this.peek() != 0x3a) this.fail(json)
      this.at += 1
      json.fields.set(name, this.value(nesting + 1))
    }
  }

  private list(json: Json, nesting: i32): void {
    json.kind = Kind.List
    this.at += 1
    while (!this.closes(0x5d, json.items.length > 0)) json.items.push(this.value(nesting + 1))
  }

  /** Steps over the end of a list or object, or over the comma before its next element. */
  private closes(end: i32, needsComma: bool): bool {
    this.skipSpace()
    if (this.failed || this.at >= this.source.length) {
      this.failed = true
      return true
    }
    if (this.peek() == end) {
      this.at += 1
      return true
    }
    if (needsComma) {
      if (this.peek() == 0x2c) this.at += 1
      else this.failed = true
    }
    return this.failed
  }

  private string(): string {
    if (this.peek() != 0x22) {
      this.failed = true
      return ''
    }
    this.at += 1
    const parts: string[] = []
    let start = this.at
    while (this.at < this.source.length) {
      const code = this.source.charCodeAt(this.at)
      if (code == 0x22) {
        parts.push(this.source.substring(start, this.at))
        this.at += 1
        return parts.join('')
      }
      if (code == 0x5c) {
        parts.push(this.source.substring(start, this.at))
        parts.push(this.escape())
        start = this.at
      } else this.at += 1
    }
    this.failed = true
    return ''
  }

  private escape(): string {
    const code = this.at + 1 < this.source.length ? this.source.charCodeAt(this.at + 1) : 0
    this.at += 2
    if (code == 0x6e) return '\n'
    if (code == 0x74) return '\t'
    if (code == 0x72) return '\r'
    if (code == 0x62) return '\b'
    if (code == 0x66) return '\f'
    if (code == 0x75) {
      const digits = this.source.substr(this.at, 4)
      this.at += 4
      return String.fromCharCode(i32(parseInt(digits, 16)))
    }
    return String.fromCharCode(code)
  }

  private numeral(json: Json): void {
    const start = this.at
    while ('+-.eE0123456789'.includes(this.source.charAt(this.at)) && this.at < this.source.length) this.at += 1
    if (this.at == start) this.fail(json)
    json.kind = Kind.Number
    json.number = parseFloat(this.source.substring(start, this.at))
    if (isNaN(json.number)) this.fail(json)
  }

  private word(word: string): bool {
    if (this.source.substr(this.at, word.length) != word) return false
    this.at += word.length
    return true
  }

  private peek(): i32 {
    return this.at < this.source.length ? this.source.charCodeAt(this.at) : -1
  }

  private skipSpace(): void {
    while (this.peek() == 0x20 || this.peek() == 0x0a || this.peek() == 0x0d || this.peek() == 0x09) this.at += 1
  }

  private fail(json: Json): Json {
    this.failed = true
    return json
  }
}
