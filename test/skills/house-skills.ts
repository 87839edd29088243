/** The skills that ship with the node, in their real sandbox; one process for all tests of a file. */
import { fileURLToPath } from 'node:url'
import { placedAddress } from '../../src/actors/index.ts'
import { nodeId, requestId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { createLog } from '../../src/observe/index.ts'
import type { CallOutcome, CallResult, SkillCall } from '../../src/skills/call.ts'
import type { SkillErrorShape } from '../../src/skills/errors.ts'
import { loadSkills, type Skills } from '../../src/skills/index.ts'
import { SkillStage } from './stage.ts'

export const SKILLS_FOLDER = fileURLToPath(new URL('../../skills', import.meta.url))

export const silentLog = createLog({
  level: 'silent',
  format: 'json',
  log_pii: false,
  output: { tty: false, color: false, write: () => undefined },
  wall: () => 0,
})

export const houseSkills = (roots: readonly string[] = [SKILLS_FOLDER], zone = 'UTC'): Promise<Skills> =>
  loadSkills({ host: realHost(), log: silentLog, node: nodeId('stage'), roots, zone })

/** The same, with its sandbox started: a test's first call finds it as quick as its last. */
export async function startedSkills(): Promise<Skills> {
  const skills = await houseSkills()
  skills.start()
  for (const name of ['clock', 'list', 'timer']) await callSkill(skills, name, EMPTY_CALL, PATIENT_MS)
  return skills
}

export const EMPTY_CALL: SkillCall = {
  entry: 'handle',
  input: '{"intent":"","slots":{},"room":"","session":"","confirmed":false}',
  storage: {},
  timers: {},
  time: { wall_ms: 0, offset_min: 0 },
  seed: 0,
}

/** Tests share the machine with others: a busy one is no reason to fail. */
export const PATIENT_MS = 15_000

let calls = 0

/** One call through the port, as the runtime would make it. */
export function callSkill(
  skills: Skills,
  name: string,
  call: SkillCall,
  deadline_ms?: number,
): Promise<CallOutcome> {
  calls += 1
  const id = requestId(`call-${calls}`)
  return new Promise((done) => {
    skills.port.request(
      {
        type: 'invoke',
        id,
        to: name,
        op: 'call',
        body: call,
        ...(deadline_ms === undefined ? {} : { deadline_ms }),
      },
      (outcome) => {
        if (outcome.event === 'failed') done({ ok: false, error: outcome.error as SkillErrorShape })
        else done({ ok: true, result: outcome.body as CallResult })
      },
      { address: placedAddress('skill', name), incarnation: 1 },
    )
  })
}

/** The actor of a skill on a stage, its calls going to the real sandbox. */
export function stageOf(skills: Skills, name: string, zone?: string): SkillStage {
  const found = skills.actors.find(({ key }) => key === name)
  if (found === undefined) throw new Error(`there is no skill ${name}`)
  const args = zone === undefined ? found.args : { ...found.args, zone }
  return new SkillStage(args, (call) => callSkill(skills, name, call, PATIENT_MS))
}
