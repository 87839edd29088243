/** One actor for each skill, also for those that come, change and go while the node runs. */
import { fixedAddress, placedAddress, type Runtime } from '../actors/index.ts'
import type { Cancel, Clock, NodeId } from '../host/index.ts'
import type { SkillChange, SkillMessage, Skills } from '../skills/index.ts'

/** An actor with no room for the news gets it again. */
const AGAIN_AFTER_MS = 50

export interface SkillActorsParts {
  readonly node: NodeId
  readonly clock: Clock
  readonly runtime: Pick<Runtime, 'tell' | 'find' | 'spawn' | 'stop'>
  readonly skills: Pick<Skills, 'follow' | 'actors'>
}

/** To be called when the tree stands. The answer ends it. */
export function followSkills({ node, clock, runtime, skills }: SkillActorsParts): () => void {
  const again = new Map<string, Cancel>()
  /** The life of an actor that was told to end; its address is free when it did. */
  const going = new Map<string, number>()
  const end = skills.follow(carryOut)
  return () => {
    end()
    for (const cancel of again.values()) cancel()
  }

  function carryOut({ name, ...change }: SkillChange): void {
    again.get(name)?.()
    again.delete(name)
    const address = placedAddress('skill', name)
    const actor = runtime.find(address)
    if (change.change === 'removed') {
      if (actor !== undefined) going.set(name, actor.incarnation)
      runtime.stop(address, { reason: 'the skill was removed' })
      return
    }
    const { args } = change
    if (actor === undefined) {
      going.delete(name)
      const parent = fixedAddress(node, SKILLS_BRANCH)
      runtime.spawn({ kind: 'skill', key: name, args, restart: 'permanent', parent })
      return
    }
    const renewed: SkillMessage = { type: 'renewed', args }
    if (going.get(name) !== actor.incarnation && runtime.tell(address, renewed)) return
    again.set(
      name,
      clock.after(AGAIN_AFTER_MS, () => carryOut({ change: 'put', name, args })),
    )
  }
}

/** Where the tree has its skills (`tree.ts`): a branch below the first is named by itself. */
const SKILLS_BRANCH = 'skills'
