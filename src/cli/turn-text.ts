/** One turn as a person reads it. Pure. */
import type { Latency, TurnView } from '../api/index.ts'
import { bar, facts, milliseconds, paint, type Style } from './table.ts'

const HOPS = ['endpoint', 'stt', 'nlu', 'skill', 'tts'] as const
const BAR_WIDTH = 24

export function turnText(turn: TurnView, style: Style, options: { heard: boolean }): string {
  const rows: [string, string][] = []
  if (options.heard) rows.push(['heard', paint(style, 'bold', heardText(turn.transcript))])
  rows.push(['intent', `${turn.intent}${slotsText(turn.slots)}`])
  rows.push(['reply', paint(style, 'cyan', turn.reply || '(nothing)')])
  if (turn.error !== undefined) {
    const { message, hint } = turn.error
    rows.push(['error', paint(style, 'red', hint === undefined ? message : `${message}. ${hint}`)])
  }
  if (turn.cut_off)
    rows.push(['note', paint(style, 'yellow', 'It answered although the person went on speaking.')])
  rows.push(['latency', latencyLine(turn.latency_ms, options.heard)])
  const saved = turn.reply_wav === null ? '' : facts([['saved  ', turn.reply_wav]], style)
  return facts(rows, style) + hopBars(turn.latency_ms, style) + saved
}

/** What the recogniser took for a word it does not know is shown as a gap. */
export const heardText = (transcript: string): string => transcript.replaceAll('<unk>', '…') || '(nothing)'

const slotsText = (slots: Readonly<Record<string, unknown>>): string =>
  Object.entries(slots)
    .map(([name, value]) => `  ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('')

function latencyLine(latency: Latency, heard: boolean): string {
  if (latency.total !== null) return `${milliseconds(latency.total)} ms in all`
  if (heard) return 'no speech came back'
  const hops = HOPS.reduce((sum, hop) => sum + (latency[hop] ?? 0), 0)
  return `${milliseconds(hops)} ms, without speech`
}

function hopBars(latency: Latency, style: Style): string {
  const known = HOPS.filter((hop) => latency[hop] !== null)
  if (known.length === 0) return ''
  const most = Math.max(latency.total ?? 0, ...known.map((hop) => latency[hop] ?? 0))
  return known
    .map((hop) => {
      const ms = latency[hop] ?? 0
      const value = milliseconds(ms).padStart(6)
      return `  ${paint(style, 'dim', hop.padEnd(8))} ${value} ms  ${bar(ms, most, BAR_WIDTH)}`.trimEnd()
    })
    .map((line) => `${line}\n`)
    .join('')
}
