/** The steps of a conversation as a person reads them: one table for each turn, with how long after its beginning each was. Pure. */
import type { NodeRow, ReplayView, TimelineEventView, TimelineRow, TimelineView } from '../api/index.ts'
import { bar, type Column, duration, milliseconds, paint, type Style, table } from './table.ts'

const COLUMNS: readonly Column[] = [
  { title: 'after', align: 'right' },
  { title: 'took' },
  { title: 'step' },
  { title: 'what', flexible: true },
  { title: 'by', flexible: true },
]
const BAR_WIDTH = 10

type Body = Readonly<Record<string, unknown>>

/** Names of nodes by id, for engines. */
export type Names = ReadonlyMap<string, string>

export const namesOf = (nodes: readonly Pick<NodeRow, 'id' | 'name'>[]): Names =>
  new Map(nodes.map(({ id, name }) => [id, name]))

export function timelineText({ session, events }: TimelineView, names: Names, style: Style): string {
  const first = events[0]
  if (first === undefined) return ''
  const head = `${session}  ${first.privacy_scope}, tier ${first.capability_tier}`
  const turns = turnsOf(events).map((turn) => turnText(turn, names, style))
  return [`${paint(style, 'bold', head)}\n`, ...turns].join('\n')
}

function turnsOf(events: readonly TimelineEventView[]): TimelineEventView[][] {
  const turns: TimelineEventView[][] = []
  for (const event of events) {
    if (event.kind === 'session.began') continue
    if (event.kind === 'turn.began' || turns.length === 0) turns.push([])
    turns.at(-1)!.push(event)
  }
  return turns
}

function turnText(events: readonly TimelineEventView[], names: Names, style: Style): string {
  const { body, at, at_ms, trace_id } = events[0]!
  const took = events.map((event, i) => event.at_ms - (events[i - 1] ?? event).at_ms)
  const most = Math.max(...took)
  const title = `turn ${String(body.turn)}  ${new Date(at).toISOString()}  trace ${trace_id.slice(0, 8)}`
  const rows = events.map((event, i) => [
    `${milliseconds(event.at_ms - at_ms)} ms`,
    bar(took[i]!, most, BAR_WIDTH),
    event.kind,
    whatText(event.kind, event.body),
    byText(event.body, names),
  ])
  return `${paint(style, 'dim', title)}\n${table(COLUMNS, rows, style)}`
}

const quoted = (text: unknown): string => JSON.stringify(String(text ?? ''))
const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error)

function whatText(kind: string, body: Body): string {
  switch (kind) {
    case 'turn.began':
      if (body.source !== 'voice') return `${String(body.source)} ${quoted(body.text)}`
      return body.interrupting === true ? 'voice, into a reply' : 'voice'
    case 'turn.endpoint':
      return body.cause === 'pause'
        ? `${String(body.silence_ms)} ms of silence after ${quoted(body.text)}: ${String(body.reason)}`
        : `${String(body.cause).replaceAll('-', ' ')} after ${quoted(body.text)}`
    case 'stt.text':
      return quoted(body.text)
    case 'llm.answer':
      return body.error === undefined ? String(body.answer) : codeOf(body.error)
    case 'turn.decided':
      return decisionText(body)
    case 'skill.result':
      return skillText(body)
    case 'turn.replied':
      return quoted(body.speech)
    case 'stt.failed':
    case 'tts.failed':
      return codeOf(body.error)
    case 'turn.ended':
      return body.error === undefined ? String(body.end) : `${String(body.end)}: ${codeOf(body.error)}`
    default:
      return ''
  }
}

function decisionText(body: Body): string {
  const intent = body.intent as { name: string; slots: Body } | undefined
  const slots = Object.entries(intent?.slots ?? {}).map(([name, value]) => ` ${name}=${String(value)}`)
  const meant = intent === undefined ? '' : `${intent.name}${slots.join('')}`
  switch (body.decision) {
    case 'act':
      return `${meant} → ask the skill ${String(body.skill)}`
    case 'say':
      return `${meant} → say${body.asks === undefined ? '' : `, and ask ${String(body.asks)}`}`
    case 'hush':
      return `${meant} → be silent`
    case 'interpret':
      return 'no template fits → ask the language model'
    default:
      return 'nothing was said to us'
  }
}

function skillText({ skill, result, error }: Body): string {
  if (error !== undefined) return `${String(skill)}: ${codeOf(error)}`
  const { speech, failed } = (result ?? {}) as { speech?: string; failed?: unknown }
  return `${String(skill)}: ${quoted(speech)}${failed === undefined ? '' : ` (${codeOf(failed)})`}`
}

function byText({ engine, permissions, by, score }: Body, names: Names): string {
  if (engine !== undefined) {
    const { model, node } = engine as { model: string; node: string }
    return `${model} on ${names.get(node) ?? node}`
  }
  if (Array.isArray(permissions))
    return permissions.length === 0 ? 'may nothing' : `may ${permissions.join(', ')}`
  if (by === undefined) return ''
  return score === undefined ? String(by) : `${String(by)}, score ${Number(score).toFixed(2)}`
}

export function replayText(verdict: ReplayView): string {
  const { same, turns, decisions, difference } = verdict
  if (same || difference === undefined) {
    return `Same decisions: ${decisions} in ${turns} ${turns === 1 ? 'turn' : 'turns'}, decided again without audio.\n`
  }
  const shown = (side: { readonly kind: string; readonly body?: unknown } | null): string =>
    side === null ? 'nothing' : `${side.kind} ${JSON.stringify(side.body)}`
  return [
    `Turn ${difference.turn}, step ${difference.step} is decided otherwise now; ${decisions - 1} before it are the same.`,
    `  then  ${shown(difference.recorded)}`,
    `  now   ${shown(difference.replayed)}`,
    '',
  ].join('\n')
}

const KEPT: readonly Column[] = [
  { title: 'session', flexible: true },
  { title: 'scope' },
  { title: 'room', flexible: true },
  { title: 'person', flexible: true },
  { title: 'began', align: 'right' },
  { title: 'ended', align: 'right' },
  { title: 'steps', align: 'right' },
]

/** `now`: milliseconds since 1970. */
export function keptText(rows: readonly TimelineRow[], now: number, style: Style): string {
  const ago = (at: string): string => `${duration(Math.max(0, (now - Date.parse(at)) / 1000))} ago`
  return table(
    KEPT,
    rows.map((row) => [
      row.session,
      row.scope,
      row.room,
      row.person ?? '–',
      ago(row.started_at),
      row.ended_at === null ? 'goes on' : ago(row.ended_at),
      String(row.events),
    ]),
    style,
  )
}
