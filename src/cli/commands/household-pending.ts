/** `loqa household pending`: who waits to be let in, with the digits to compare. */
import type { HouseholdView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { EXIT } from '../world.ts'
import { pendingText } from './household-show.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const household = await (await client()).get<HouseholdView>('/api/v1/household')
  world.terminal.out(json ? `${JSON.stringify(household.pending)}\n` : pendingText(household, style))
  return EXIT.ok
}
