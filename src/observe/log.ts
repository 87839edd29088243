/**
 * Structured logs; the only importer of pino. A message is a static sentence, everything that varies is a value beside
 * it. Personal content (what was said, names, audio) may appear only under a `pii` key or keys starting with
 * `pii.`: they are removed here unless `observe.log_pii` is on, so a log can be shown to a stranger.
 */
import { pino } from 'pino'
import { prettyLine } from './pretty.ts'
import { redact, type Values } from './redact.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** `auto` is `pretty` on a terminal and `json` (one object per line) anywhere else. */
export const LOG_FORMATS = ['auto', 'pretty', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

export interface Log {
  debug(message: string, values?: Values): void
  info(message: string, values?: Values): void
  warn(message: string, values?: Values): void
  error(message: string, values?: Values): void
  /** A log whose every line carries these values too, e.g. `{ node }`, `{ actor }`, `{ session }`. */
  child(values: Values): Log
}

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly log_pii: boolean
  /** Where lines go; each call is one whole line with its newline. */
  readonly output: LogOutput
  /** Wall clock, milliseconds since 1970: lines are for reading, so they show the time people know. */
  readonly wall: () => number
}

export interface LogOutput {
  readonly tty: boolean
  readonly color: boolean
  write(line: string): void
}

export function createLog(options: LogOptions): Log {
  const { output } = options
  const pretty = options.format === 'pretty' || (options.format === 'auto' && output.tty)
  const destination = {
    write: (line: string): void => output.write(pretty ? prettyLine(line, output.color) : line),
  }
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date(options.wall()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    destination,
  )
  return wrap(logger, options.log_pii)
}

/** The part of pino used here. */
interface Sink {
  debug(values: object, message: string): void
  info(values: object, message: string): void
  warn(values: object, message: string): void
  error(values: object, message: string): void
  child(values: object): Sink
}

/** Names a line has already: a value of the same name would be a second one in the same object. */
const RESERVED = ['level', 'time', 'message']

function attributes(values: Values | undefined, keepPersonal: boolean): Values {
  const kept = redact(values, keepPersonal)
  if (!RESERVED.some((name) => name in kept)) return kept
  return Object.fromEntries(
    Object.entries(kept).map(([name, value]) => [RESERVED.includes(name) ? `value.${name}` : name, value]),
  )
}

const wrap = (sink: Sink, keepPersonal: boolean): Log => ({
  debug: (message, values) => sink.debug(attributes(values, keepPersonal), message),
  info: (message, values) => sink.info(attributes(values, keepPersonal), message),
  warn: (message, values) => sink.warn(attributes(values, keepPersonal), message),
  error: (message, values) => sink.error(attributes(values, keepPersonal), message),
  child: (values) => wrap(sink.child(attributes(values, keepPersonal)), keepPersonal),
})
