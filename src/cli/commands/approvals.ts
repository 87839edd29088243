/** `loqa approvals ls | allow | deny`: what skills want to do and may not without a person. */
import type { ApprovalRow } from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { type Column, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

const COLUMNS: readonly Column[] = [
  { title: 'id' },
  { title: 'skill' },
  { title: 'wants to', flexible: true },
  { title: 'risk', paint: (risk) => (risk === 'critical' ? 'red' : risk === 'high' ? 'yellow' : undefined) },
  { title: 'room' },
  { title: 'state', paint: (state) => (state.startsWith('waits') ? 'yellow' : undefined) },
]

export const ls: Run = async (call) => {
  const { world, json, style, options } = call
  const all = await (await call.client()).get<ApprovalRow[]>('/api/v1/approvals')
  const rows = options.all === true ? all : all.filter(({ state }) => state === 'waiting')
  if (json) world.terminal.out(`${JSON.stringify(rows)}\n`)
  else if (rows.length > 0) world.terminal.out(approvalsText(rows, style))
  else world.terminal.out('Nothing waits for you. What was decided before: loqa approvals ls --all\n')
  return EXIT.ok
}

export const approvalsText = (rows: readonly ApprovalRow[], style: Style): string =>
  table(
    COLUMNS,
    rows.map((row) => [row.id, row.skill, row.wants, row.risk, row.room, stateText(row)]),
    style,
  )

const stateText = ({ state, by, until }: ApprovalRow): string =>
  state === 'waiting' ? `waits until ${until.slice(11, 19)}Z` : by === null ? state : `${state} by ${by}`

const deciding =
  (allow: boolean): Run =>
  async (call) => {
    const { world, json, style } = call
    const row = await (await call.client()).post<ApprovalRow>(`/api/v1/approvals/${idOf(call)}`, {
      allow,
      by: 'cli',
    })
    world.terminal.out(json ? `${JSON.stringify(row)}\n` : approvalsText([row], style))
    return EXIT.ok
  }

export const allow: Run = deciding(true)
export const deny: Run = deciding(false)

function idOf({ args }: Call): string {
  const id = args.join('').trim()
  if (/^[a-z0-9]{1,32}$/.test(id)) return id
  throw new UsageError('That is no id of an approval', 'loqa approvals ls shows what waits, with its id.')
}
