/**
 * The harness for skills: say a sentence, see the intent, the slots, what the skill did and what it answered. `loqa skill test`
 * runs the conversations of `skill.test.yaml` through it; in a test of your own, open a stage:
 *
 *     const stage = await openStage('skills/visitors')
 *     expect(await stage.say('a package came')).toMatchObject({ intent: 'visitors.came', reply: 'That makes one parcel.' })
 *     stage.end()
 *
 * Read `script.ts` for what a test may say, `stage.ts` for what is real and what is played.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { InvalidInputError } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { type Grammar, loadSkill, type Skill } from '../../src/skills/index.ts'
import {
  differences,
  MAX_SCRIPT_BYTES,
  type Script,
  type ScriptedTest,
  type Step,
  scriptSchema,
  waitOf,
} from './script.ts'
import { type Happened, Stage, type StageOptions, StageSandbox } from './stage.ts'
import { grammarWith } from './words.ts'

export type { DeviceCommand, ScriptedServer } from './house.ts'
export { type Happened, Stage, type StageOptions } from './stage.ts'

const SCRIPT = 'skill.test.yaml'

export interface Verdict {
  readonly test: string
  /** Empty when all went as expected. */
  readonly problems: readonly string[]
}

/** A stage for the skill in this folder, its module as it lies there. Errors: as the skill is refused by a node. */
export async function openStage(folder: string, options: StageOptions = {}): Promise<Stage> {
  const skill = await loadSkill(realHost().disk, folder)
  return Stage.open(skill, grammarWith(skill, options.language), options)
}

/** Runs every test of the skill's `skill.test.yaml`. `skill` is it, built; its folder holds the script. Errors: `InvalidInputError`, `GrammarError`. */
export async function rehearse(skill: Skill): Promise<readonly Verdict[]> {
  const script = readScript(join(skill.folder, SCRIPT))
  const grammars = new Map<string, Grammar>()
  const grammarIn = (language = 'en'): Grammar => {
    const grammar = grammars.get(language) ?? grammarWith(skill, language)
    grammars.set(language, grammar)
    return grammar
  }
  const sandbox = await StageSandbox.open(skill)
  try {
    const verdicts: Verdict[] = []
    for (const test of script) {
      verdicts.push({ test: test.test, problems: await run(skill, grammarIn(test.in), test, sandbox) })
    }
    return verdicts
  } finally {
    sandbox.end()
  }
}

async function run(
  skill: Skill,
  grammar: Grammar,
  test: ScriptedTest,
  sandbox: StageSandbox,
): Promise<readonly string[]> {
  const { at, room, config, secrets, devices, steps } = test
  const options = {
    ...(at === undefined ? {} : { at }),
    ...(room === undefined ? {} : { room }),
    ...(test.in === undefined ? {} : { language: test.in }),
  }
  const stage = await Stage.open(skill, grammar, options, sandbox)
  try {
    stage.house.settings = { ...stage.house.settings, ...config }
    stage.house.secrets = secrets ?? {}
    stage.house.devices = devices ?? []
    const problems: string[] = []
    for (const [index, step] of steps.entries()) {
      const happened = await take(stage, step)
      const place = `step ${index + 1} (${step.say ?? `wait ${step.wait}`})`
      problems.push(...differences(step, happened, stage.house.commands).map((what) => `${place}: ${what}`))
    }
    return problems
  } finally {
    stage.end()
  }
}

async function take(stage: Stage, step: Step): Promise<Happened> {
  const { say, wait, http, language } = step
  if (http !== undefined) {
    const servers = [http].flat() as (typeof stage.house.servers)[number][]
    stage.house.servers.push(...servers)
  }
  if (language !== undefined) stage.house.texts.push(language)
  if (say !== undefined) return stage.say(say)
  const ms = waitOf(wait ?? '')
  if (ms === undefined) throw new InvalidInputError(`"${wait}" is no length of time`, 'Write e.g. 5 minutes.')
  return stage.wait(ms)
}

function readScript(file: string): Script {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new InvalidInputError(`${file} is missing`, 'It holds the tests of the skill; see sdk/README.md.')
  }
  if (text.length > MAX_SCRIPT_BYTES) throw new InvalidInputError(`${file} is too large`)
  const read = scriptSchema.safeParse(parse(text))
  if (read.success) return read.data
  const { path, message } = read.error.issues[0]!
  throw new InvalidInputError(`${file}: ${path.join('.')}: ${message}`)
}
