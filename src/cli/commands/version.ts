/** `loqa version`. */
import { VERSION } from '../../host/version.ts'
import type { Run } from '../call.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, json }) => {
  const { terminal, runtime } = world
  terminal.out(
    json
      ? `${JSON.stringify({ version: VERSION, node: runtime })}\n`
      : `loqa-node ${VERSION} (Node ${runtime})\n`,
  )
  return EXIT.ok
}
