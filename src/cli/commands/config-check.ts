/** `loqa config check`: every problem of the settings, or that there is none. */
import { ConfigError, loadConfig, problemLine } from '../../config.ts'
import type { Run } from '../call.ts'
import { nodeRequest } from '../node-request.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, options, json }) => {
  const { out, err } = world.terminal
  try {
    await loadConfig(world.disk, world, nodeRequest(options))
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    if (json) out(`${JSON.stringify({ ok: false, problems: thrown.problems })}\n`)
    else err(`${thrown.problems.map(problemLine).join('\n')}\n`)
    return EXIT.config
  }
  out(json ? `${JSON.stringify({ ok: true, problems: [] })}\n` : 'The settings are right.\n')
  return EXIT.ok
}
