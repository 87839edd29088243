/** `loqa completion SHELL`: a script made from the table of commands. */

import type { Run } from '../call.ts'
import { completionScript, SHELLS } from '../completion.ts'
import { UsageError } from '../failures.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, args, commands }) => {
  const shell = SHELLS.find((name) => name === args[0])
  if (shell === undefined)
    throw new UsageError(`There is no completion for ${args[0]}`, `Choose ${SHELLS.join(', ')}.`)
  world.terminal.out(completionScript(shell, commands))
  return EXIT.ok
}
