/**
 * Reads a WebAssembly module just far enough to judge it before any engine compiles it: what it imports, what it
 * exports, how much memory and table it may take. Then writes the budget into it: the memory's maximum becomes what
 * the skill was granted, so growing beyond it fails inside the module.
 *
 * Binary format: WebAssembly Core Specification 2.0, chapter 5. Pure; never throws anything but `SkillError`.
 */
import { SkillError } from './errors.ts'

/** A module file. The largest of ours is 25 KB; languages with a large runtime bring 1–2 MiB. */
export const MAX_MODULE_BYTES = 4 * 1024 * 1024
/** Entries of a table: enough for every function of a large module, 512 KiB at 8 bytes each. */
export const MAX_TABLE_ENTRIES = 65_536
const MAX_IMPORTS = 256
const MAX_EXPORTS = 4_096
const MAX_NAME_BYTES = 256
const PAGE_KB = 64

export interface ModuleRules {
  /** Imports allowed, as `module.name`. */
  readonly imports: ReadonlySet<string>
  /** Functions the module must export. */
  readonly exports: readonly string[]
  readonly memory_kb: number
}

export interface CheckedModule {
  /** The module with the budget written into it. */
  readonly bytes: Uint8Array
  readonly imports: readonly string[]
  readonly exports: readonly string[]
  /** Most the module's memory can grow to, in pages of 64 KiB; 0 without memory. */
  readonly memory_pages: number
}

/** Errors: `SkillError` `skill-refused` that says what is wrong. */
export function checkModule(bytes: Uint8Array, rules: ModuleRules): CheckedModule {
  if (bytes.length > MAX_MODULE_BYTES) refuse(`it is larger than ${MAX_MODULE_BYTES / 1024 / 1024} MiB`)
  const reader = new Reader(bytes)
  if (reader.remaining < 8 || reader.u32le() !== 0x6d736100) refuse('it is not a WebAssembly module')
  if (reader.u32le() !== 1) refuse('it uses an unknown version of WebAssembly')

  const pages = Math.floor(rules.memory_kb / PAGE_KB)
  const rewritten: Uint8Array[] = [bytes.subarray(0, 8)]
  let imports: string[] = []
  let exports: string[] = []
  let memory_pages = 0
  let previous = 0
  while (reader.remaining > 0) {
    const start = reader.at
    const id = reader.byte()
    const body = reader.bytes(reader.u32())
    const whole = bytes.subarray(start, reader.at)
    if (id !== Section.custom) {
      const order = SECTION_ORDER.indexOf(id)
      if (order < previous || order === -1) refuse('its sections are unknown or out of order')
      previous = order + 1
    }
    switch (id) {
      // Names and debugging notes: nothing runs them, nothing needs them.
      case Section.custom:
        continue
      case Section.imports:
        imports = readImports(new Reader(body), rules.imports)
        break
      case Section.exports:
        exports = readExports(new Reader(body))
        break
      case Section.tables:
        rewritten.push(section(id, rewriteTables(new Reader(body))))
        continue
      case Section.memories: {
        const memory = rewriteMemory(new Reader(body), pages)
        memory_pages = memory.pages
        rewritten.push(section(id, memory.body))
        continue
      }
    }
    rewritten.push(whole)
  }
  for (const name of rules.exports) {
    if (!exports.includes(name)) refuse(`it does not export a function "${name}"`)
  }
  return { bytes: concat(rewritten), imports, exports, memory_pages }
}

/** A checked module, made ready to be called often. */
export interface ReadyModule {
  readonly bytes: Uint8Array
  /** Making an instance runs code of its own. */
  readonly starts: boolean
  /** The memory it now imports as `MEMORY_IMPORT`, pages of 64 KiB; absent: it has none, or keeps a large one of its own. */
  readonly memory?: { readonly least: number; readonly most: number }
}

export const MEMORY_IMPORT = { module: 'loqa', name: 'memory' } as const
/** To wipe a larger memory takes longer than to make a new one. */
const MOST_PAGES_TO_WIPE = 16

/**
 * Lets the module import its memory instead of making it. V8 reserves ten gigabytes of addresses for every memory it makes and gives
 * them back when it collects garbage, which takes several times as long as a call; one that is wiped and given to the next instance
 * takes two microseconds. `bytes` come from `checkModule`.
 */
export function readyModule(bytes: Uint8Array): ReadyModule {
  const sections: { readonly id: number; readonly body: Uint8Array; readonly whole: Uint8Array }[] = []
  const reader = new Reader(bytes)
  const magic = reader.bytes(8)
  while (reader.remaining > 0) {
    const start = reader.at
    const id = reader.byte()
    const body = reader.bytes(reader.u32())
    sections.push({ id, body, whole: bytes.subarray(start, reader.at) })
  }
  const starts = sections.some(({ id }) => id === Section.start)
  const declared = sections.find(({ id }) => id === Section.memories)
  if (declared === undefined) return { bytes, starts }
  // Past the count, which is one.
  const limits = new Reader(declared.body.subarray(1)).limits('memory')
  if (limits.least > MOST_PAGES_TO_WIPE) return { bytes, starts }

  const imports = sections.find(({ id }) => id === Section.imports)
  const list = new Reader(imports?.body ?? Uint8Array.of(0))
  const count = list.u32()
  const memory = [
    ...named(MEMORY_IMPORT.module),
    ...named(MEMORY_IMPORT.name),
    ...[2, 1, ...leb(limits.least), ...leb(limits.most)],
  ]
  const imported = section(
    Section.imports,
    Uint8Array.from([...leb(count + 1), ...list.bytes(list.remaining), ...memory]),
  )
  const kept = sections.filter((each) => each !== imports && each !== declared)
  const types = kept.filter(({ id }) => id === Section.types)
  const rest = kept.filter(({ id }) => id !== Section.types)
  const parts = [magic, ...types.map(({ whole }) => whole), imported, ...rest.map(({ whole }) => whole)]
  return { bytes: concat(parts), starts, memory: { least: limits.least, most: limits.most } }
}

const named = (name: string): number[] => [...leb(name.length), ...new TextEncoder().encode(name)]

const Section = { custom: 0, types: 1, imports: 2, tables: 4, memories: 5, exports: 7, start: 8 } as const
/** Order in a module; 13 is the tag section (exceptions), 12 the data count. */
const SECTION_ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]

function readImports(reader: Reader, granted: ReadonlySet<string>): string[] {
  const names: string[] = []
  const count = reader.count(MAX_IMPORTS, 'imports')
  for (let index = 0; index < count; index += 1) {
    const module = reader.name()
    const name = `${module}.${reader.name()}`
    const kind = reader.byte()
    if (kind !== 0) refuse(`it imports ${printable(name)}, which is not a function`)
    reader.u32()
    if (!granted.has(name)) refuse(`it imports ${printable(name)}, which it was not granted`)
    names.push(name)
  }
  reader.end()
  return names
}

/** Names of exported functions. */
function readExports(reader: Reader): string[] {
  const names: string[] = []
  const count = reader.count(MAX_EXPORTS, 'exports')
  for (let index = 0; index < count; index += 1) {
    const name = reader.name()
    const kind = reader.byte()
    reader.u32()
    if (kind === 0) names.push(name)
  }
  reader.end()
  return names
}

function rewriteMemory(reader: Reader, pages: number): { body: Uint8Array; pages: number } {
  if (reader.count(16, 'memories') !== 1) refuse('it has more than one memory')
  const limits = reader.limits('memory')
  reader.end()
  if (limits.least > pages) {
    refuse(`it needs ${limits.least * PAGE_KB} KiB of memory and was granted ${pages * PAGE_KB} KiB`)
  }
  const most = Math.min(limits.most, pages)
  return { body: Uint8Array.from([1, 1, ...leb(limits.least), ...leb(most)]), pages: most }
}

function rewriteTables(reader: Reader): Uint8Array {
  const count = reader.count(16, 'tables')
  const body = leb(count)
  for (let index = 0; index < count; index += 1) {
    const type = reader.byte()
    // funcref and externref; typed references and tables with initial values are later proposals.
    if (type !== 0x70 && type !== 0x6f) refuse('it has a table of an unknown type')
    const limits = reader.limits('table')
    if (limits.least > MAX_TABLE_ENTRIES) refuse(`it has a table of more than ${MAX_TABLE_ENTRIES} entries`)
    body.push(type, 1, ...leb(limits.least), ...leb(Math.min(limits.most, MAX_TABLE_ENTRIES)))
  }
  reader.end()
  return Uint8Array.from(body)
}

function section(id: number, body: Uint8Array): Uint8Array {
  return Uint8Array.from([id, ...leb(body.length), ...body])
}

/** Unsigned LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    const low = rest & 0x7f
    rest >>>= 7
    bytes.push(rest === 0 ? low : low | 0x80)
  } while (rest !== 0)
  return bytes
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function refuse(reason: string): never {
  throw new SkillError('skill-refused', `The module was refused: ${reason}`)
}

/** Names come from a stranger: shown short and without control characters. */
const printable = (name: string): string => JSON.stringify(name.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80))

class Reader {
  readonly #bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.at
  }

  byte(): number {
    const value = this.#bytes[this.at]
    if (value === undefined) refuse('it is cut off')
    this.at += 1
    return value
  }

  bytes(length: number): Uint8Array {
    if (length > this.remaining) refuse('it is cut off')
    this.at += length
    return this.#bytes.subarray(this.at - length, this.at)
  }

  u32le(): number {
    const bytes = this.bytes(4)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  }

  /** LEB128 of at most five bytes. */
  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) {
        if (value > 0xffffffff) break
        return value
      }
    }
    return refuse('it holds a malformed number')
  }

  count(most: number, what: string): number {
    const count = this.u32()
    if (count > most) refuse(`it has more than ${most} ${what}`)
    return count
  }

  name(): string {
    const length = this.u32()
    if (length > MAX_NAME_BYTES) refuse('it holds a name that is too long')
    return String.fromCharCode(...this.bytes(length))
  }

  /** Least and most of a memory or table; shared and 64-bit ones are refused. */
  limits(what: string): { least: number; most: number } {
    const flags = this.byte()
    if (flags > 1) refuse(`its ${what} is shared or 64 bits wide`)
    const least = this.u32()
    const most = flags === 1 ? this.u32() : 0xffffffff
    if (most < least) refuse(`its ${what} has a maximum below its minimum`)
    return { least, most }
  }

  end(): void {
    if (this.remaining > 0) refuse('a section is longer than what it holds')
  }
}
