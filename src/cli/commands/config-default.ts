/** `loqa config default`: a file with every setting; `config/default.toml` is what it prints. */
import { defaultToml } from '../../config.ts'
import type { Run } from '../call.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world }) => {
  world.terminal.out(defaultToml())
  return EXIT.ok
}
