/** `loqa skill build`: makes the module of a skill, judged as a node would judge it. */
import { resolve } from 'node:path'
import type { Run } from '../call.ts'
import { build, readProject, writeModule } from '../skill-project.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, args, json }) => {
  const project = readProject(resolve(world.directory, args[0] ?? '.'))
  const built = await build(project)
  writeModule(built)
  const { name, version, module, container } = project.manifest
  const row = { name, version, module, bytes: built.module.length, ms: Math.round(built.ms) }
  const made = container === undefined ? `${module}, ${row.bytes} bytes` : `runs ${container.image}`
  const text = `${name} ${version} is built: ${made}, ${row.ms} ms\n`
  world.terminal.out(json ? `${JSON.stringify(row)}\n` : text)
  return EXIT.ok
}
