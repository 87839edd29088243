/** Each skill has one actor: the new ones too, with what they are now; those that went have none. */
import { expect, it } from 'vitest'
import { placedAddress, type Runtime } from '../../src/actors/index.ts'
import { nodeId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import { followSkills } from '../../src/node/skill-actors.ts'
import type { SkillArgs, SkillChange } from '../../src/skills/index.ts'

class Stage {
  readonly clock = new SimulatedClock()
  readonly did: unknown[] = []
  readonly alive = new Map<string, number>()
  full = false
  change: (change: SkillChange) => void = () => undefined
  readonly end: () => void

  constructor() {
    this.end = followSkills({
      node: nodeId('a'),
      clock: this.clock,
      runtime: {
        find: (target) => {
          const incarnation = this.alive.get(String(target))
          return incarnation === undefined ? undefined : { address: placedAddress('skill', 'x'), incarnation }
        },
        tell: (target, message) => {
          if (this.full) return false
          this.did.push(['tell', target, message])
          return true
        },
        spawn: ({ kind, key, args, parent }) => {
          this.did.push(['spawn', kind, key, args, parent])
          this.alive.set(placedAddress('skill', key!), this.did.length)
          return undefined as never
        },
        stop: (target) => void this.did.push(['stop', target]),
      } satisfies Pick<Runtime, 'find' | 'tell' | 'spawn' | 'stop'>,
      skills: {
        actors: [],
        follow: (listener) => {
          this.change = listener
          return () => void this.did.push(['unfollowed'])
        },
      },
    })
  }
}

const PETS = placedAddress('skill', 'pets')
const args = { name: 'pets' } as SkillArgs

it('a new skill gets an actor in its branch, a new version is told to the one there is', () => {
  const stage = new Stage()
  stage.change({ change: 'put', name: 'pets', args })
  stage.change({ change: 'put', name: 'pets', args })
  expect(stage.did).toEqual([
    ['spawn', 'skill', 'pets', args, 'loqa://a/skills'],
    ['tell', PETS, { type: 'renewed', args }],
  ])
  stage.change({ change: 'removed', name: 'pets' })
  expect(stage.did.at(-1)).toEqual(['stop', PETS])
})

it('an actor whose mailbox is full is told again, of the latest only', () => {
  const stage = new Stage()
  stage.alive.set(PETS, 1)
  stage.full = true
  stage.change({ change: 'put', name: 'pets', args })
  const newer = { ...args, zone: 'UTC' }
  stage.change({ change: 'put', name: 'pets', args: newer })
  stage.clock.advance(60)
  stage.full = false
  stage.clock.advance(60)
  expect(stage.did).toEqual([['tell', PETS, { type: 'renewed', args: newer }]])
})

it('a skill that comes back while its actor is still ending gets a new one, when the address is free', () => {
  const stage = new Stage()
  stage.alive.set(PETS, 1)
  stage.change({ change: 'removed', name: 'pets' })
  stage.change({ change: 'put', name: 'pets', args })
  stage.clock.advance(60)
  expect(stage.did).toEqual([['stop', PETS]])
  stage.alive.delete(PETS)
  stage.clock.advance(60)
  expect(stage.did.at(-1)).toEqual(['spawn', 'skill', 'pets', args, 'loqa://a/skills'])
})

it('nothing is done any more after its end', () => {
  const stage = new Stage()
  stage.alive.set(PETS, 1)
  stage.full = true
  stage.change({ change: 'put', name: 'pets', args })
  stage.end()
  stage.full = false
  stage.clock.advance(1_000)
  expect(stage.did).toEqual([['unfollowed']])
})
