/**
 * What runs a skill that is no module: a container, or a program of its own. Each skill has its process alone, and may find that what
 * it needs is not on this machine; then there are words for it, and they are asked for anew whenever it would be started.
 */
import type { Skill } from './catalogue.ts'
import type { Containers } from './containers/index.ts'
import type { SkillErrorShape } from './errors.ts'
import { adapterProblem } from './native.ts'
import type { Fence } from './sandbox/fence.ts'
import { adapterStarter, type StartProcess } from './sandbox/process.ts'
import { adapterFilter } from './sandbox/seccomp.ts'

export interface Runner {
  readonly start: StartProcess
  /** Why it cannot run here now; undefined when it can. */
  look(): Promise<SkillErrorShape | undefined>
  /** As it was when last looked at. */
  readonly problem: SkillErrorShape | undefined
}

export type RunnerOf = (skill: Skill) => Runner | undefined

export interface RunnerParts {
  readonly containers: Containers
  readonly fence: Fence
}

export const runners =
  ({ containers, fence }: RunnerParts): RunnerOf =>
  ({ manifest: { name, runtime, container, budgets }, module }) => {
    if (runtime === 'container' && container !== undefined) {
      return remembering(containers.starter(container, name), () => containers.look(container.image))
    }
    const filter = adapterFilter(process.arch)
    if (runtime !== 'native' || filter === undefined) return undefined
    const start = adapterStarter(module, budgets.memory_kb, filter)
    return remembering(start, async () => adapterProblem(module, fence, process.arch))
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
