/** Takes personal content and unsafe error texts out of log values. Pure. */
import { LoqaError } from '../host/index.ts'

export type Values = Readonly<Record<string, unknown>>

/** Deeper structures are cut: a log line is no dump. */
const MAX_DEPTH = 4
/** Longer texts are cut: ids, paths and reasons are shorter. */
const MAX_TEXT = 1_000
const MAX_ITEMS = 50

const isPersonal = (key: string): boolean => key === 'pii' || key.startsWith('pii.')

export function redact(values: Values | undefined, keepPersonal: boolean): Values {
  if (values === undefined) return {}
  return object(values, keepPersonal, 0)
}

function object(values: Values, keepPersonal: boolean, depth: number): Values {
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(values).slice(0, MAX_ITEMS)) {
    if (isPersonal(key) && !keepPersonal) continue
    kept[key] = plain(value, keepPersonal, depth + 1)
  }
  return kept
}

function plain(value: unknown, keepPersonal: boolean, depth: number): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return safeError(value, keepPersonal)
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (depth >= MAX_DEPTH) return '…'
  if (Array.isArray(value))
    return value.slice(0, MAX_ITEMS).map((item) => plain(item, keepPersonal, depth + 1))
  return object(value as Values, keepPersonal, depth)
}

/**
 * Our own errors promise a message without user content. Others do not (JSON.parse quotes its input), so of them
 * only the class, the code and the places in the program are kept.
 */
function safeError(error: Error, keepPersonal: boolean): Values {
  if (error instanceof LoqaError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.cause instanceof Error ? { cause: safeError(error.cause, keepPersonal) } : {}),
    }
  }
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim())
    .slice(0, 12)
  return {
    class: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(keepPersonal ? { message: error.message } : {}),
    frames,
  }
}
