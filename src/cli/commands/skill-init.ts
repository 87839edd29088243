/** `loqa skill init`: a new skill that works, to change into one's own. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PACKAGE } from '../../host/index.ts'
import type { Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { EXIT } from '../world.ts'

const TEMPLATES = `${PACKAGE}sdk/templates`
const NAME = /^[a-z][a-z0-9-]{0,31}$/
/** Stands for the skill's name in the text and the file names of a template. */
const PLACEHOLDER = 'myskill'

export const run: Run = async ({ world, args, options, json }) => {
  const name = args[0] ?? ''
  if (!NAME.test(name)) {
    throw new UsageError(
      `${JSON.stringify(name)} cannot be the name of a skill`,
      'A name has 1 to 32 small letters, digits and hyphens, a letter first.',
    )
  }
  const template = typeof options.template === 'string' ? options.template : 'typescript'
  const known = readdirSync(TEMPLATES).sort()
  if (!known.includes(template)) {
    throw new UsageError(
      `There is no template ${JSON.stringify(template)}`,
      `There are: ${known.join(', ')}.`,
    )
  }
  const folder = resolve(world.directory, typeof options.dir === 'string' ? options.dir : name)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`${folder} is there already, and not empty`, 'Choose another name, or --dir FOLDER.')
  }
  const files = copy(join(TEMPLATES, template), folder, name)
  forEditors(folder, template)
  if (json) world.terminal.out(`${JSON.stringify({ name, template, folder, files })}\n`)
  else
    world.terminal.out(`${name} is in ${folder}, made from the template ${template}:\n${next(folder, files)}`)
  return EXIT.ok
}

function copy(from: string, to: string, name: string): readonly string[] {
  const files = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1))
    .sort()
  return files.map((file) => {
    const named = file.replaceAll(PLACEHOLDER, name)
    const target = join(to, named)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, readFileSync(join(from, file), 'utf8').replaceAll(PLACEHOLDER, name))
    return named
  })
}

/** What an editor needs to know the kit and the manifest; nothing of it becomes part of the skill. */
function forEditors(folder: string, template: string): void {
  const kit = join(folder, '.loqa')
  mkdirSync(kit, { recursive: true })
  cpSync(`${PACKAGE}sdk/skill.schema.json`, join(kit, 'skill.schema.json'))
  if (template === 'typescript') cpSync(`${PACKAGE}sdk/typescript/loqa.ts`, join(kit, 'loqa.ts'))
  else cpSync(`${PACKAGE}sdk/assemblyscript`, join(kit, 'assemblyscript'), { recursive: true })
}

const next = (folder: string, files: readonly string[]): string =>
  [
    ...files.map((file) => `  ${file}`),
    '',
    'Next:',
    `  cd ${folder}`,
    '  loqa skill test    says its sentences and compares the answers',
    '  loqa skill dev     in a running node, anew at every change',
    '',
  ].join('\n')
