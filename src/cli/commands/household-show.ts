/** `loqa household show` and `pending`: who is in it, who waits, what this node waits for. */
import type { HouseholdView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, duration, facts, paint, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'
import { plural } from './status.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const household = await (await client()).get<HouseholdView>('/api/v1/household')
  world.terminal.out(json ? `${JSON.stringify(household)}\n` : householdText(household, style))
  return EXIT.ok
}

const MEMBERS: readonly Column[] = [
  { title: 'member', flexible: true },
  { title: 'since' },
  { title: 'certified until' },
  { title: 'id', flexible: true },
  { title: 'note' },
]

const PENDING: readonly Column[] = [
  { title: 'waits', flexible: true },
  { title: 'code' },
  { title: 'for', align: 'right' },
  { title: 'id', flexible: true },
]

export function householdText(household: HouseholdView, style: Style): string {
  const { members } = household
  const rows = members.map(({ name, since, expires, id, self }) => [
    name,
    since.slice(0, 10),
    expires.slice(0, 10),
    id,
    self ? 'this node' : '',
  ])
  const head = facts(
    [
      ['household', `${paint(style, 'bold', household.id)}, ${plural(members.length, 'node')}`],
      ['new nodes', doorText(household)],
      ...(household.removed.length === 0
        ? []
        : ([['removed', plural(household.removed.length, 'node')]] as const)),
      ...joiningFacts(household),
    ],
    style,
  )
  const waiting = household.pending.length === 0 ? '' : `\n${pendingText(household, style)}`
  return `${head}${rows.length === 0 ? '' : `\n${table(MEMBERS, rows, style)}`}${waiting}`
}

export function pendingText({ pending }: HouseholdView, style: Style): string {
  if (pending.length === 0) return 'Nobody waits.\n'
  const rows = pending.map(({ name, code, waits_s, id }) => [name, spaced(code), duration(waits_s), id])
  return `${table(PENDING, rows, style)}Approve one that shows the same digits: loqa household approve CODE\n`
}

function doorText({ phase, open_until, locked }: HouseholdView): string {
  if (phase === 'removed') return 'this node was removed from its household: loqa household reset'
  if (open_until !== null) return `may join by themselves until ${open_until}`
  return `wait for approval${locked ? ' (founded locked)' : ''}: loqa household open lets them in for ten minutes`
}

function joiningFacts({ joining }: HouseholdView): (readonly [string, string])[] {
  if (joining === null) return []
  const code = joining.code === null ? 'no code yet' : `code ${spaced(joining.code)}`
  const what = joining.confirmed
    ? 'approve it on a member'
    : 'approve it on both: here loqa household approve CODE'
  return [['asks', `to be let in by ${joining.id}: ${code}; ${what}`]]
}

/** `123456` as people read it aloud. */
export const spaced = (code: string): string => `${code.slice(0, 3)} ${code.slice(3)}`
