/** `loqa skill test`: builds a skill and runs the conversations of its `skill.test.yaml`. No node is needed. */
import { resolve } from 'node:path'
import type { Run } from '../call.ts'
import { build, readProject } from '../skill-project.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, args, json }) => {
  const { terminal } = world
  const { skill } = await build(readProject(resolve(world.directory, args[0] ?? '.')), true)
  const { rehearse } = await import('../../../sdk/testing/index.ts')
  const verdicts = await rehearse(skill)
  const failed = verdicts.filter(({ problems }) => problems.length > 0)
  if (json) terminal.out(`${JSON.stringify({ name: skill.manifest.name, tests: verdicts })}\n`)
  else {
    const [red, green, reset] = terminal.color ? ['\u001b[31m', '\u001b[32m', '\u001b[0m'] : ['', '', '']
    for (const { test, problems } of verdicts) {
      terminal.out(
        problems.length === 0 ? `${green}ok${reset}      ${test}\n` : `${red}failed${reset}  ${test}\n`,
      )
      for (const problem of problems) terminal.out(`          ${problem}\n`)
    }
    terminal.out(
      `${skill.manifest.name}: ${verdicts.length - failed.length} of ${verdicts.length} tests passed\n`,
    )
  }
  return failed.length === 0 ? EXIT.ok : EXIT.failed
}
