/** `loqa audit ls`: the newest records of what was done on the node. */
import type { AuditRow } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { type Column, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, options, json, style, client }) => {
  const query = new URLSearchParams()
  const { since, what, limit } = options
  if (typeof since === 'string') query.set('since', sinceIn(since, world.clock.wall()))
  if (typeof what === 'string') query.set('what', what)
  if (typeof limit === 'string') query.set('limit', limitIn(limit))
  const rows = await (await client()).get<AuditRow[]>(`/api/v1/audit?${query}`)
  if (json) world.terminal.out(`${JSON.stringify(rows)}\n`)
  else world.terminal.out(rows.length === 0 ? 'There is no such record.\n' : auditText(rows, style))
  return EXIT.ok
}

const UNITS_MS: Readonly<Record<string, number>> = { min: 60_000, h: 3_600_000, d: 86_400_000 }

/** A time, or how long ago: `2h`. Gives ISO 8601. Errors: `UsageError`. */
export function sinceIn(text: string, now: number): string {
  const ago = /^(\d{1,6}) ?(min|h|d)$/.exec(text)
  const time = ago === null ? Date.parse(text) : now - Number(ago[1]) * UNITS_MS[ago[2]!]!
  const valid = Number.isFinite(time) && Math.abs(time) < 8.64e15
  if (valid && (ago !== null || /^\d{4}-\d\d-\d\d/.test(text))) return new Date(time).toISOString()
  throw new UsageError(
    `${text} is no time`,
    'Say how long ago, e.g. --since 2h (min, h, d), or when: --since 2026-01-31 or 2026-01-31T18:00.',
  )
}

function limitIn(text: string): string {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 1_000) return text
  throw new UsageError(`${text} is no number from 1 to 1000`, 'For all of them: loqa audit export')
}

const COLUMNS: readonly Column[] = [
  { title: 'no.', align: 'right' },
  { title: 'time' },
  { title: 'what', flexible: true },
  { title: 'object', flexible: true },
  { title: 'outcome', flexible: true, paint: (outcome) => (outcome === 'ok' ? undefined : 'yellow') },
  { title: 'by', flexible: true },
  { title: 'for', flexible: true },
]

export const auditText = (rows: readonly AuditRow[], style: Style): string =>
  table(
    COLUMNS,
    rows.map((row) => [
      String(row.seq),
      row.time.slice(0, 19).replace('T', ' '),
      row.what,
      row.object,
      row.outcome,
      row.actor,
      row.who,
    ]),
    style,
  )
