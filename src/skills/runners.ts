/**
 * What runs a skill that is no module: a container, or a program of its own. Each skill has its process alone, and may find that what
 * it needs is not on this machine; then there are words for it, and they are asked for anew whenever it would be started.
 */
import type { Skill } from './catalogue.ts'
import type { Containers } from './containers/index.ts'
import type { SkillErrorShape } from './errors.ts'
import type { StartProcess } from './sandbox/process.ts'

export interface Runner {
  readonly start: StartProcess
  /** Why it cannot run here now; undefined when it can. */
  look(): Promise<SkillErrorShape | undefined>
  /** As it was when last looked at. */
  readonly problem: SkillErrorShape | undefined
}

export type RunnerOf = (skill: Skill) => Runner | undefined

export const runners =
  (containers: Containers): RunnerOf =>
  ({ manifest: { name, runtime, container } }) => {
    if (runtime !== 'container' || container === undefined) return undefined
    return remembering(containers.starter(container, name), () => containers.look(container.image))
  }

function remembering(start: StartProcess, ask: Runner['look']): Runner {
  let problem: SkillErrorShape | undefined
  return {
    start,
    async look() {
      problem = await ask()
      return problem
    },
    get problem() {
      return problem
    },
  }
}
