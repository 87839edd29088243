import { describe, expect, it } from 'vitest'
import type { EntryChange, Followed } from '../../src/actors/index.ts'
import { LoqaError } from '../../src/host/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { SettingsOfSkills } from '../../src/node/skill-settings.ts'
import type { Skill } from '../../src/skills/index.ts'

/** What a household chooses for a skill holds on every node; a secret goes in and is not given out. */

const skill = {
  manifest: {
    name: 'weather',
    config: {
      place: { type: 'string', default: 'Berlin', summary: 'Where.' },
      days: { type: 'number', summary: 'How far.' },
    },
    secrets: ['api_key'],
  },
} as unknown as Skill

type Follower = { hear: (followed: Followed) => void; failed: (error: LoqaError) => void }

/** One collection that two nodes share. */
function house() {
  const host = simulatedHost(1)
  const entries = new Map<string, unknown>()
  const followers = new Set<Follower>()
  const store = {
    async apply(_: string, changes: readonly EntryChange[]) {
      for (const change of changes) {
        if (change.change === 'put') entries.set(change.key, change.value)
        else entries.delete(change.key)
      }
      for (const { hear } of followers) hear({ whole: false, changes })
    },
    follow(_: string, follower: Follower) {
      followers.add(follower)
      const changes = [...entries].map(([key, value]) => ({ change: 'put', key, value }) as const)
      follower.hear({ whole: true, changes })
      return () => void followers.delete(follower)
    },
  }
  const node = () => new SettingsOfSkills({ store, clock: host.clock })
  return { host, entries, followers, store, one: node(), other: node() }
}

describe('settings of a skill', () => {
  it('are the manifest’s until somebody chooses, and then the same on every node', async () => {
    const { one, other } = house()
    expect(one.show(skill, 'weather').config).toMatchObject([
      { key: 'place', value: 'Berlin', chosen: false },
      { key: 'days', value: null, chosen: false },
    ])
    await one.choose(skill, 'weather', 'days', 3)
    expect(other.of('weather').config).toEqual({ days: 3 })
    expect(other.of('weather2').config).toEqual({})
    await other.choose(skill, 'weather', 'days', undefined)
    expect(one.show(skill, 'weather').config[1]).toMatchObject({ value: null, chosen: false })
  })

  it('of another name or type are refused, with what there is', async () => {
    const { one, entries } = house()
    await expect(one.choose(skill, 'weather', 'constructor', 'x')).rejects.toMatchObject({
      code: 'not-found',
      hint: 'It has place, days.',
    })
    await expect(one.choose(skill, 'weather', 'days', 'many')).rejects.toMatchObject({
      code: 'invalid-input',
    })
    await expect(one.choose(undefined, 'nobody', 'days', 1)).rejects.toMatchObject({ code: 'not-found' })
    expect(entries.size).toBe(0)
  })

  it('that nobody here understands are left alone', () => {
    const { one, followers } = house()
    for (const { hear } of followers) {
      hear({ whole: false, changes: [{ change: 'put', key: 'config/weather/place', value: { deep: true } }] })
    }
    expect(one.of('weather').config).toEqual({})
  })

  it('are followed again after the store was away', async () => {
    const { host, one, other, followers } = house()
    for (const follower of [...followers]) {
      followers.delete(follower)
      follower.failed(new LoqaError('store-closed', 'closed'))
    }
    host.clock.advance(1_000)
    await one.choose(skill, 'weather', 'place', 'Oslo')
    expect(other.of('weather').config).toEqual({ place: 'Oslo' })
  })
})

describe('secrets of a skill', () => {
  it('are there for its requests, and only said to be given', async () => {
    const { one, other } = house()
    await one.give(skill, 'weather', 'api_key', 's3cret')
    expect(other.of('weather').secrets).toEqual({ api_key: 's3cret' })
    expect(JSON.stringify(other.show(skill, 'weather'))).not.toContain('s3cret')
    expect(other.show(skill, 'weather').secrets).toEqual([{ key: 'api_key', given: true }])
    await other.give(skill, 'weather', 'api_key', undefined)
    expect(one.show(skill, 'weather').secrets).toEqual([{ key: 'api_key', given: false }])
  })

  it('that the manifest does not name, and empty ones, are refused', async () => {
    const { one } = house()
    await expect(one.give(skill, 'weather', 'other', 'x')).rejects.toMatchObject({ code: 'not-found' })
    await expect(one.give(skill, 'weather', 'api_key', '')).rejects.toMatchObject({ code: 'invalid-input' })
  })
})
