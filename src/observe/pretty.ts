/** A JSON log line as people like to read it: `12:03:44 info  Listening  port=7420`. Pure. */

const COLORS: Readonly<Record<string, string>> = {
  debug: '\u001b[90m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
}
const DIM = '\u001b[2m'
const RESET = '\u001b[0m'

export function prettyLine(line: string, color: boolean): string {
  const { level, time, message, ...values } = JSON.parse(line) as Record<string, unknown>
  const paint = (code: string | undefined, text: string): string =>
    color && code !== undefined ? `${code}${text}${RESET}` : text

  const clock = String(time).slice(11, 19)
  const name = String(level).padEnd(5)
  const details = Object.entries(values)
    .map(([key, value]) => `${key}=${show(value)}`)
    .join(' ')
  const head = `${paint(DIM, clock)} ${paint(COLORS[String(level)], name)} ${String(message)}`
  return details === '' ? `${head}\n` : `${head}  ${paint(DIM, details)}\n`
}

function show(value: unknown): string {
  if (typeof value === 'string') return /[\s="]/.test(value) ? JSON.stringify(value) : value
  return JSON.stringify(value)
}
