/** `loqa status`: one screen about the node. */
import type { CapabilityView, QualityView, StatusView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, duration, facts, milliseconds, type Paint, paint, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const status = await (await client()).get<StatusView>('/api/v1/status')
  world.terminal.out(json ? `${JSON.stringify(status)}\n` : statusText(status, style))
  return EXIT.ok
}

const HEALTH: Readonly<Record<StatusView['health']['state'], Paint>> = {
  starting: 'yellow',
  ok: 'green',
  degraded: 'yellow',
  stopping: 'red',
}

const STATES: Readonly<Record<string, Paint>> = {
  ready: 'green',
  starting: 'yellow',
  restarting: 'yellow',
  failed: 'red',
}

const COLUMNS: readonly Column[] = [
  { title: 'can do', flexible: true },
  { title: 'state', paint: (state) => STATES[state] },
  { title: 'p95 ms', align: 'right' },
  { title: 'speed', align: 'right' },
  { title: 'restarts', align: 'right' },
  { title: 'MB', align: 'right' },
]

export function statusText(status: StatusView, style: Style): string {
  const { node, health, household } = status
  const reasons = health.reasons.length === 0 ? '' : `: ${health.reasons.join('; ')}`
  const open = household.open_until === null ? '' : `, open for new nodes until ${household.open_until}`
  const head = facts(
    [
      ['node', `${paint(style, 'bold', node.name)} (${node.id})`],
      ['room', node.room],
      ['health', `${paint(style, HEALTH[health.state], health.state)}${reasons}`],
      ['running', `${duration(node.uptime_s)}, version ${node.version}, pid ${node.pid}`],
      ['answers', qualityText(status.quality, style)],
      ['household', `${plural(household.members, 'node')}${open}`],
      ['now', `${plural(status.sessions, 'conversation')}, ${plural(status.actors, 'actor')}`],
    ],
    style,
  )
  const rows = status.capabilities.map(capabilityRow)
  const engines = rows.length === 0 ? '' : `\n${table(COLUMNS, rows, style)}`
  const notices = facts(
    status.notices.map((notice) => ['note', notice]),
    style,
  )
  return head + engines + (notices === '' ? '' : `\n${notices}`)
}

const TIERS: Readonly<Record<QualityView['tier'], Paint>> = {
  rich: 'green',
  balanced: 'yellow',
  fast: 'yellow',
}

function qualityText(quality: QualityView, style: Style): string {
  const { tier, best, fixed, budget_ms, p95_ms, last_step: step } = quality
  const told = tier === best ? tier : paint(style, TIERS[tier], tier)
  const kept = p95_ms === null ? '' : `, p95 ${Math.round(p95_ms)} ms`
  const why = fixed
    ? ' (fixed)'
    : step === null || tier === best
      ? ''
      : `, was ${step.from}: ${WHY[step.why]}`
  return `${told}, within ${budget_ms} ms${kept}${why}`
}

const WHY: Readonly<Record<NonNullable<QualityView['last_step']>['why'], string>> = {
  'slow-turns': 'turns were slow',
  spike: 'a turn was very slow',
  recovered: 'engines are quick again',
}

const capabilityRow = (capability: CapabilityView): string[] => [
  capability.tag,
  capability.state,
  milliseconds(capability.p95_ms),
  speedOf(capability),
  String(capability.restarts),
  capability.rss_mb === null ? '–' : String(Math.round(capability.rss_mb)),
]

/** How many times faster than speech, or tokens per second. */
function speedOf({ real_time_factor, tokens_per_s }: CapabilityView): string {
  if (tokens_per_s !== null) return `${Math.round(tokens_per_s)} tok/s`
  if (real_time_factor !== null && real_time_factor > 0) return `${Math.round(1 / real_time_factor)}×`
  return '–'
}

export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
