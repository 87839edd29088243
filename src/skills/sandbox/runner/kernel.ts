/**
 * Extism's kernel for one call: blocks of memory that the module and its host share, beside the module's own memory.
 * Modules made with any Extism PDK find here the functions they import from `extism:host/env`.
 *
 * The module is hostile until proven otherwise: every offset is checked, memory and blocks are counted, and whatever
 * breaks a rule ends the call with a `Stop`, never the process.
 */
import type { SkillFault } from '../../errors.ts'

/** Ends the call. Thrown through the module's own frames; what they make of it does not count (`gate.ts`). */
export class Stop extends Error {
  readonly fault: SkillFault

  constructor(fault: SkillFault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** Blocks in one call, freed ones counted. The timer skill at its limits uses about 3,000. */
export const MAX_BLOCKS = 16_384
/** What a module may output, bytes. An answer is a sentence or two and a small card. */
export const MAX_OUTPUT_BYTES = 32 * 1024
const FIRST_BYTES = 16 * 1024
/** Every call begins with this, wiped: calls run one at a time, and most need no more. */
const FIRST_MEMORY = new Uint8Array(FIRST_BYTES)
/** Offset 0 means "no block", so blocks start behind it. */
const FIRST_OFFSET = 16

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export class Kernel {
  readonly #limit_bytes: number
  readonly #input: Uint8Array
  readonly #inputView: DataView
  readonly #blocks = new Map<number, number>()
  readonly #variables = new Map<string, Uint8Array>()
  readonly #log: LogSink
  /** Lines the module may still log, heard or not. */
  #lines: number
  #memory = FIRST_MEMORY.fill(0)
  #view = new DataView(this.#memory.buffer)
  #top = FIRST_OFFSET
  #allocated = 0
  #output = new Uint8Array()
  #error: string | undefined

  constructor(input: Uint8Array, limit_bytes: number, most_lines: number, log: LogSink) {
    this.#lines = most_lines
    this.#input = input
    this.#inputView = new DataView(input.buffer, input.byteOffset, input.byteLength)
    this.#limit_bytes = limit_bytes
    this.#log = log
  }

  /** What the module output, as text. Errors: `Stop` when it is not UTF-8. */
  output(): string {
    return toText(this.#output)
  }

  /** The module's own words about why it failed, when it set them. */
  get error(): string | undefined {
    return this.#error
  }

  /** The text of a block. Errors: `Stop` when there is no such block or it is not UTF-8. */
  text(offset: bigint): string {
    return toText(this.#block(offset))
  }

  /** A new block holding the text; its offset. Errors: `Stop` when memory is used up. */
  put(text: string): bigint {
    return this.#store(encoder.encode(text))
  }

  free(offset: bigint): void {
    this.#blocks.delete(Number(offset))
  }

  /** 0 when there is no such block. */
  length(offset: bigint): bigint {
    return BigInt(this.#blocks.get(Number(offset)) ?? 0)
  }

  loadByte(offset: bigint): number {
    return this.#memory[this.#checked(offset, 1)]!
  }

  loadWord(offset: bigint): bigint {
    return this.#view.getBigUint64(this.#checked(offset, 8), true)
  }

  storeByte(offset: bigint, value: number): void {
    this.#memory[this.#checked(offset, 1)] = value
  }

  storeWord(offset: bigint, value: bigint): void {
    this.#view.setBigUint64(this.#checked(offset, 8), value, true)
  }

  inputOffset(): bigint {
    return this.#store(this.#input)
  }

  inputLength(): bigint {
    return BigInt(this.#input.length)
  }

  inputByte(offset: bigint): number {
    return this.#input[this.#checkedInput(offset, 1)]!
  }

  inputWord(offset: bigint): bigint {
    return this.#inputView.getBigUint64(this.#checkedInput(offset, 8), true)
  }

  setError(offset: bigint): void {
    this.#error = offset === 0n ? undefined : this.text(offset).slice(0, 200)
  }

  logLine(level: LogLevel, offset: bigint): void {
    this.#lines -= 1
    if (this.#lines < 0) throw new Stop('skill-budget', 'it logged more lines than it may make host calls')
    this.#log(level, this.text(offset))
  }

  allocate(size: bigint): bigint {
    if (size < 0n || size > BigInt(this.#limit_bytes - this.#top)) {
      throw new Stop('skill-budget', `it wanted more than ${this.#limit_bytes / 1024} KiB of shared memory`)
    }
    this.#allocated += 1
    if (this.#allocated > MAX_BLOCKS) {
      throw new Stop('skill-budget', `it wanted more than ${MAX_BLOCKS} blocks of shared memory`)
    }
    const offset = this.#top
    const length = Number(size)
    this.#reserve(offset + length)
    this.#blocks.set(offset, length)
    // Rounded up to a multiple of 8 and never empty, so that no two blocks share an offset.
    this.#top += Math.max(8, (length + 7) & ~7)
    return BigInt(offset)
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return
    const grown = new Uint8Array(Math.max(bytes, Math.min(this.#memory.length * 2, this.#limit_bytes)))
    grown.set(this.#memory)
    this.#memory = grown
    this.#view = new DataView(grown.buffer)
  }

  #store(bytes: Uint8Array): bigint {
    const offset = this.allocate(BigInt(bytes.length))
    this.#memory.set(bytes, Number(offset))
    return offset
  }

  #block(offset: bigint): Uint8Array {
    const length = this.#blocks.get(Number(offset))
    if (length === undefined) throw new Stop('skill-trapped', 'it used a block that does not exist')
    return this.#memory.subarray(Number(offset), Number(offset) + length)
  }

  #checked(offset: bigint, width: number): number {
    const at = Number(offset)
    if (at < FIRST_OFFSET || at + width > Math.min(this.#top, this.#memory.length)) {
      throw new Stop('skill-trapped', 'it reached outside the shared memory')
    }
    return at
  }

  #checkedInput(offset: bigint, width: number): number {
    const at = Number(offset)
    if (at < 0 || at + width > this.#input.length) {
      throw new Stop('skill-trapped', 'it reached outside its input')
    }
    return at
  }

  setOutput(offset: bigint, length: bigint): void {
    if (length > BigInt(MAX_OUTPUT_BYTES)) {
      throw new Stop('skill-budget', `its answer was longer than ${MAX_OUTPUT_BYTES / 1024} KiB`)
    }
    const start = Number(offset)
    const end = start + Number(length)
    if (length < 0n || end > this.#top || (length > 0n && start < FIRST_OFFSET)) {
      throw new Stop('skill-trapped', 'its answer lies outside the shared memory')
    }
    this.#output = this.#memory.slice(start, end)
  }

  /** Variables last as long as the call: what must last longer belongs into storage. */
  getVariable(key: bigint): bigint {
    const value = this.#variables.get(this.text(key))
    return value === undefined ? 0n : this.#store(value)
  }

  setVariable(key: bigint, value: bigint): void {
    const name = this.text(key)
    if (value === 0n) {
      this.#variables.delete(name)
      return
    }
    const bytes = this.#block(value).slice()
    let held = bytes.length
    for (const other of this.#variables.values()) held += other.length
    if (held > this.#limit_bytes || this.#variables.size >= MAX_BLOCKS) {
      throw new Stop('skill-budget', 'its variables are too large')
    }
    this.#variables.set(name, bytes)
  }
}

/** The kernel of the call under way: functions are bound once for a module and serve all its calls. */
export interface InKernel {
  readonly kernel: Kernel
}

/** The functions of `extism:host/env`. */
export function kernelFunctions(now: InKernel): Record<string, (...args: never[]) => unknown> {
  return {
    alloc: (size: bigint) => now.kernel.allocate(size),
    // Memory is given back as a whole when the call ends: a free list would only be one more thing to attack.
    free: (offset: bigint) => now.kernel.free(offset),
    length: (offset: bigint) => now.kernel.length(offset),
    length_unsafe: (offset: bigint) => now.kernel.length(offset),
    load_u8: (offset: bigint) => now.kernel.loadByte(offset),
    load_u64: (offset: bigint) => now.kernel.loadWord(offset),
    store_u8: (offset: bigint, value: number) => now.kernel.storeByte(offset, value),
    store_u64: (offset: bigint, value: bigint) => now.kernel.storeWord(offset, value),
    input_offset: () => now.kernel.inputOffset(),
    input_length: () => now.kernel.inputLength(),
    input_load_u8: (offset: bigint) => now.kernel.inputByte(offset),
    input_load_u64: (offset: bigint) => now.kernel.inputWord(offset),
    output_set: (offset: bigint, length: bigint) => now.kernel.setOutput(offset, length),
    error_set: (offset: bigint) => now.kernel.setError(offset),
    var_get: (key: bigint) => now.kernel.getVariable(key),
    var_set: (key: bigint, value: bigint) => now.kernel.setVariable(key, value),
    log_trace: (offset: bigint) => now.kernel.logLine('debug', offset),
    log_debug: (offset: bigint) => now.kernel.logLine('debug', offset),
    log_info: (offset: bigint) => now.kernel.logLine('info', offset),
    log_warn: (offset: bigint) => now.kernel.logLine('warn', offset),
    log_error: (offset: bigint) => now.kernel.logLine('error', offset),
    get_log_level: () => 1,
  }
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogSink = (level: LogLevel, message: string) => void

function toText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Stop('skill-answer', 'it wrote text that is not UTF-8')
  }
}
