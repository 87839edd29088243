/**
 * The node's functions as a script calls them: texts and numbers where a module passes offsets. They are the same functions,
 * counted by the same budget, taken from the same imports; only the passing differs.
 */
import { HOST_MODULE, KERNEL_MODULE } from '../../permissions.ts'
import type { Kernel } from './kernel.ts'

/** `text`: an offset of a text, 0 for an empty one in `optional`; `i64`, `i32`: numbers; `void`: nothing. */
type Taken = 'text' | 'optional' | 'i64'
type Given = 'text' | 'maybe' | 'i64' | 'i32' | 'void'

interface Signature {
  readonly takes: readonly Taken[]
  readonly gives: Given
}

const signature = (takes: readonly Taken[], gives: Given): Signature => ({ takes, gives })

/** By the function's name; a test compares the names with what permissions grant. */
export const SIGNATURES: Readonly<Record<string, Signature>> = {
  storage_get: signature(['text'], 'maybe'),
  storage_put: signature(['text', 'text'], 'i32'),
  storage_delete: signature(['text'], 'i32'),
  storage_list: signature(['optional'], 'text'),
  timer_set: signature(['text', 'i64'], 'i32'),
  timer_cancel: signature(['text'], 'i32'),
  timer_left: signature(['text'], 'i64'),
  timer_list: signature([], 'text'),
  announce: signature(['text', 'optional', 'optional'], 'i32'),
  clock_now: signature([], 'i64'),
  clock_offset: signature([], 'i32'),
  random: signature([], 'i32'),
  device_list: signature([], 'text'),
  device_command: signature(['text'], 'i32'),
  http_send: signature(['text'], 'i32'),
  topic_publish: signature(['text'], 'i32'),
  language_ask: signature(['text'], 'i32'),
  question_ask: signature(['text'], 'i32'),
  card_update: signature(['text'], 'i32'),
  personal_get: signature(['text'], 'maybe'),
  personal_put: signature(['text', 'text'], 'i32'),
  personal_delete: signature(['text'], 'i32'),
  personal_list: signature(['optional'], 'text'),
  config_get: signature(['text'], 'maybe'),
  log_debug: signature(['text'], 'void'),
  log_info: signature(['text'], 'void'),
  log_warn: signature(['text'], 'void'),
  log_error: signature(['text'], 'void'),
}

/** Of the kernel's functions those a script has a use for. */
export const FROM_KERNEL = ['config_get', 'log_debug', 'log_info', 'log_warn', 'log_error'] as const

export type ScriptFunction = (...given: readonly unknown[]) => string | number | undefined

/** Errors of the functions: `Stop`, as for a module. */
export function scriptFunctions(kernel: Kernel, imports: WebAssembly.Imports): Map<string, ScriptFunction> {
  type Functions = Record<string, (...args: never[]) => unknown>
  const offered = new Map(Object.entries((imports[HOST_MODULE] ?? {}) as Functions))
  for (const name of FROM_KERNEL) offered.set(name, (imports[KERNEL_MODULE] as Functions)[name]!)
  const functions = new Map<string, ScriptFunction>()
  for (const [name, run] of offered) {
    const known = SIGNATURES[name]
    if (known !== undefined) functions.set(name, adapted(kernel, run, known))
  }
  return functions
}

function adapted(
  kernel: Kernel,
  run: (...args: never[]) => unknown,
  { takes, gives }: Signature,
): ScriptFunction {
  return (...given) => {
    const passed = takes.map((type, at) => taken(kernel, type, given[at])) as never[]
    return handed(kernel, gives, run(...passed))
  }
}

function taken(kernel: Kernel, type: Taken, value: unknown): bigint {
  if (type === 'i64') return wholeNumber(value)
  const text = value === undefined ? '' : String(value)
  return type === 'optional' && text === '' ? 0n : kernel.put(text)
}

/** As WebAssembly would hold it: what is no number, or too large for one, is out of every range. */
function wholeNumber(value: unknown): bigint {
  const number = Math.round(Number(value))
  return Number.isSafeInteger(number) ? BigInt(number) : -1n
}

function handed(kernel: Kernel, type: Given, result: unknown): string | number | undefined {
  switch (type) {
    case 'text':
      return kernel.text(result as bigint)
    case 'maybe':
      return result === 0n ? undefined : kernel.text(result as bigint)
    case 'i64':
    case 'i32':
      return Number(result)
    case 'void':
      return undefined
  }
}
