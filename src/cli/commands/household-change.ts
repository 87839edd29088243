/** `loqa household open | lock | approve | revoke | dismiss | join | reset`: asks for a change, then shows what came of it. */
import type { HouseholdView } from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { EXIT } from '../world.ts'
import { householdText } from './household-show.ts'

const change =
  (action: string, bodyOf: (call: Call) => object, done: (call: Call) => string): Run =>
  async (call) => {
    const { world, json, style, client } = call
    const body = bodyOf(call)
    const household = await (await client()).post<HouseholdView>(`/api/v1/household/${action}`, body)
    if (json) world.terminal.out(`${JSON.stringify(household)}\n`)
    else {
      world.terminal.err(`${done(call)}\n`)
      world.terminal.out(householdText(household, style))
    }
    return EXIT.ok
  }

const first = ({ args }: Call): string => args.join(' ')
const node = (call: Call) => ({ node: first(call) })

export const open: Run = change(
  'open',
  ({ options }) => (options.minutes === undefined ? {} : { minutes: minutesIn(options.minutes) }),
  () => 'Nodes nearby may join by themselves now.',
)
export const lock: Run = change(
  'lock',
  () => ({}),
  () => 'Whoever comes from now on waits for approval.',
)
export const approve: Run = change(
  'approve',
  (call) => ({ code: codeIn(first(call)) }),
  () => 'Approved.',
)
export const revoke: Run = change(
  'revoke',
  node,
  (call) => `${first(call)} was removed; the household key was changed.`,
)
export const dismiss: Run = change('dismiss', node, (call) => `${first(call)} was sent away.`)
export const join: Run = change('join', node, (call) => `This node asks ${first(call)} to be let in.`)
export const reset: Run = change(
  'reset',
  ({ options }) => {
    if (options.yes === true) return {}
    throw new UsageError(
      'This gives the node a new identity: it leaves its household for good',
      'If that is meant: loqa household reset --yes. What it stored stays.',
    )
  },
  () => 'This node starts anew, in a household of its own.',
)

function codeIn(text: string): string {
  const digits = text.replaceAll(/[\s-]/g, '')
  if (/^\d{6}$/.test(digits)) return digits
  throw new UsageError('A code has six digits', 'loqa household pending shows them; compare both sides.')
}

function minutesIn(given: unknown): number {
  const minutes = Number(given)
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= 60) return minutes
  throw new UsageError('--minutes takes a whole number from 1 to 60')
}
