import { describe, expect, it } from 'vitest'
import type { Entry, EntryChange } from '../../src/actors/index.ts'
import { LoqaError, type PrivacyScope } from '../../src/host/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { type Erasing, People } from '../../src/node/people.ts'
import type { Store } from '../../src/store/index.ts'

type Follower = Parameters<Store['follow']>[1]

/** Collections that all nodes of a household see at once, or not, as the test has it. */
class SharedCollections {
  readonly #entries = new Map<string, Map<string, unknown>>()
  readonly #followers = new Map<string, Set<Follower>>()

  async list(collection: string, prefix = ''): Promise<readonly Entry[]> {
    const all = [...(this.#entries.get(collection) ?? [])].map(([key, value]) => ({ key, value }))
    const entries = all.filter(({ key }) => key.startsWith(prefix))
    return entries.sort((a, b) => (a.key < b.key ? -1 : 1))
  }
  async apply(collection: string, changes: readonly EntryChange[]): Promise<void> {
    const entries = this.#entries.get(collection) ?? new Map<string, unknown>()
    this.#entries.set(collection, entries)
    for (const change of changes) {
      if (change.change === 'put') entries.set(change.key, change.value)
      else entries.delete(change.key)
    }
    for (const { hear } of this.#followers.get(collection) ?? []) hear({ whole: false, changes })
  }
  follow(collection: string, follower: Follower): () => void {
    const followers = this.#followers.get(collection) ?? new Set()
    this.#followers.set(collection, followers.add(follower))
    return () => followers.delete(follower)
  }
  /** As a store whose thread ends. */
  fail(): void {
    const followers = [...this.#followers.values()].flatMap((those) => [...those])
    this.#followers.clear()
    for (const { failed } of followers) failed(new LoqaError('store-closed', 'closed'))
  }
}

class CountedTimeline implements Erasing {
  readonly orders: { readonly person: string; readonly erasure: string | undefined }[] = []
  readonly #done = new Set<string>()
  refuses = false

  async erase(which: Parameters<Erasing['erase']>[0], erasure?: string) {
    if (this.refuses) throw new Error('the disk is full')
    this.orders.push({ person: 'person' in which ? which.person : '?', erasure })
    if (erasure !== undefined) this.#done.add(erasure)
    return { timelines: 2, events: 9 }
  }
  async wouldErase() {
    return { timelines: 2, events: 9 }
  }
  hasErased(erasure: string): boolean {
    return this.#done.has(erasure)
  }
}

function house(options: { scope?: PrivacyScope; keepsDays?: boolean } = {}) {
  const store = new SharedCollections()
  const host = simulatedHost(1)
  const failures: unknown[] = []
  const node = (timeline = new CountedTimeline()) => {
    const people = new People({
      store,
      timeline,
      clock: host.clock,
      random: host.random,
      scope: options.scope ?? 'session',
      keepsDays: options.keepsDays ?? true,
      skills: () => ['list', 'notes'],
      failed: (error) => failures.push(error),
    })
    return { people, timeline }
  }
  return { store, host, node, failures }
}

describe('persons', () => {
  it('are known to every node by name or id, whatever the case', async () => {
    const { node } = house()
    const [one, other] = [node(), node()]
    const anna = await one.people.add('  Anna   Maria ')
    expect(anna).toMatchObject({ name: 'Anna Maria', consent: undefined })
    await other.people.look()
    expect(other.people.known('anna maria').id).toBe(anna.id)
    expect(other.people.known(anna.id).name).toBe('Anna Maria')
    await expect(one.people.add('ANNA maria')).rejects.toMatchObject({ code: 'invalid-input' })
    expect(() => one.people.known('Ben')).toThrow(/does not exist/)
  })

  it('of the same name, made known on two nodes at once, are told apart by id', async () => {
    const { node, store } = house()
    const { people } = node()
    const since = '2026-01-01T00:00:00.000Z'
    for (const key of ['a', 'b']) {
      await store.apply('persons', [{ change: 'put', key, value: { name: 'Anna', since } }])
    }
    await people.look()
    expect(() => people.known('Anna')).toThrow(/2 persons/)
    expect(people.known('b').id).toBe('b')
  })

  it('that nobody here understands, from another version or a broken node, harm nothing', async () => {
    const { node, store } = house()
    const { people, timeline } = node()
    for (const collection of ['persons', 'consents', 'erasures']) {
      for (const [key, value] of [null, 7, 'x', [], {}, { name: 1 }, { person: '' }].entries()) {
        await store.apply(collection, [{ change: 'put', key: String(key), value }])
      }
    }
    await people.look()
    expect(people.list()).toEqual([])
    expect(timeline.orders).toEqual([])
  })
})

describe('what a conversation gets', () => {
  it('is what it asks for, and persistent only with the recorded consent of a person', async () => {
    const { node } = house()
    const { people } = node()
    const { id } = await people.add('Anna')
    expect(people.privacy({})).toEqual({ scope: 'session' })
    expect(people.privacy({ scope: 'ephemeral' })).toEqual({ scope: 'ephemeral' })
    expect(people.privacy({ scope: 'persistent' })).toMatchObject({
      scope: 'session',
      notice: expect.stringContaining('--person'),
    })
    expect(people.privacy({ scope: 'persistent', person: 'Anna' })).toMatchObject({
      scope: 'session',
      person: id,
      notice: expect.stringContaining('consent'),
    })
    await people.consent('Anna', true)
    expect(people.privacy({ scope: 'persistent', person: 'anna' })).toEqual({
      scope: 'persistent',
      person: id,
    })
    await people.consent('Anna', false)
    expect(people.privacy({ scope: 'persistent', person: 'Anna' }).scope).toBe('session')
  })

  it('says when it does not know the person', () => {
    const { people } = house().node()
    const got = people.privacy({ scope: 'ephemeral', person: 'Zoe' })
    expect(got).toEqual({ scope: 'ephemeral', notice: expect.stringContaining('persons add') })
    expect(got.notice).not.toContain('Zoe')
  })

  it('follows the setting silently, and never beyond what timeline.keep allows', async () => {
    const { people } = house({ scope: 'persistent' }).node()
    expect(people.privacy({})).toEqual({ scope: 'session' })
    const strict = house({ keepsDays: false }).node().people
    await strict.add('Anna')
    await strict.consent('Anna', true)
    expect(strict.privacy({ scope: 'persistent', person: 'Anna' })).toMatchObject({
      scope: 'session',
      notice: expect.stringContaining('timeline.keep'),
    })
    expect(house({ scope: 'ephemeral' }).node().people.privacy({})).toEqual({ scope: 'ephemeral' })
  })
})

describe('what is left of what was agreed', () => {
  it('is less once they withdrew, or were erased', async () => {
    const { people } = house().node()
    const { id: person } = await people.add('Anna')
    await people.consent('Anna', true)
    expect(people.allowed({ scope: 'persistent', person })).toEqual({ scope: 'persistent', person })
    await people.consent('Anna', false)
    expect(people.allowed({ scope: 'persistent', person })).toEqual({ scope: 'session', person })
    await people.erase('Anna', false)
    expect(people.allowed({ scope: 'persistent', person })).toEqual({ scope: 'session' })
    expect(people.allowed({ scope: 'ephemeral', person })).toEqual({ scope: 'ephemeral' })
    expect(people.allowed({ scope: 'session' })).toEqual({ scope: 'session' })
  })
})

describe('erasing a person', () => {
  it('reaches every node, one that was away too, and each carries it out once', async () => {
    const { node, store } = house()
    const [one, other, away] = [node(), node(), node()]
    const { id } = await one.people.add('Anna')
    await one.people.consent('Anna', true)
    for (const { people } of [other, away]) await people.look()

    expect(await one.people.erase('Anna', true)).toMatchObject({ erased: { timelines: 2 } })
    expect(one.timeline.orders).toEqual([])
    await one.people.erase('Anna', false)
    expect(one.timeline.orders).toMatchObject([{ person: id }])
    expect(one.people.list()).toEqual([])
    expect([await store.list('persons'), await store.list('consents')]).toEqual([[], []])

    for (const { people, timeline } of [other, away]) {
      for (let i = 0; i < 3; i += 1) await people.look()
      expect(timeline.orders).toEqual(one.timeline.orders)
      expect(people.list()).toEqual([])
    }
  })

  it('is carried out again on entries that a node brings back from before', async () => {
    const { node, store } = house()
    const { people } = node()
    const { id } = await people.add('Anna')
    await people.erase('Anna', false)
    await store.apply('persons', [{ change: 'put', key: id, value: { name: 'Anna', since: '2026' } }])
    await people.look()
    expect(people.list()).toEqual([])
    expect(await store.list('persons')).toEqual([])
  })

  it('is heard of by following, also when the store was lost in between', async () => {
    const { node, store, host } = house()
    const [one, other] = [node(), node()]
    await other.people.start()
    await one.people.add('Anna')
    await one.people.add('Ben')
    await one.people.erase('Anna', false)
    await expect.poll(() => other.timeline.orders.length).toBe(1)
    store.fail()
    host.clock.advance(2_000)
    await one.people.erase('Ben', false)
    await expect.poll(() => other.timeline.orders.length).toBe(2)
    other.people.stop()
    await one.people.add('Zoe')
    expect(other.people.list()).toEqual([])
  })

  it('that failed on the disk is tried again until it is done', async () => {
    const { node, host, failures } = house()
    const { people, timeline } = node()
    const { id } = await people.add('Anna')
    timeline.refuses = true
    await expect(people.erase('Anna', false)).rejects.toThrow(/full/)
    await people.start()
    expect(failures).toHaveLength(1)
    timeline.refuses = false
    for (let i = 0; i < 5 && timeline.orders.length === 0; i += 1) {
      host.clock.advance(2_000)
      await people.look()
    }
    people.stop()
    expect(timeline.orders).toMatchObject([{ person: id }])
  })

  it('happens too when they withdraw their consent; then they may give it again', async () => {
    const { node } = house()
    const [one, other] = [node(), node()]
    const { id } = await one.people.add('Anna')
    await one.people.consent('Anna', true)
    await one.people.consent('Anna', false)
    for (let i = 0; i < 3; i += 1) await other.people.look()
    for (const { timeline } of [one, other]) expect(timeline.orders).toMatchObject([{ person: id }])
    await one.people.consent('Anna', true)
    await other.people.look()
    expect(other.people.privacy({ scope: 'persistent', person: 'Anna' }).scope).toBe('persistent')
    expect(other.timeline.orders).toHaveLength(1)
  })
})

describe('what skills keep of a person', () => {
  it('goes when the person is erased; what they keep of others stays', async () => {
    const { node, store } = house()
    const { people } = node()
    const anna = await people.add('Anna')
    const ben = await people.add('Ben')
    for (const { id } of [anna, ben]) {
      await store.apply('skill.notes', [{ change: 'put', key: `person/${id}/note`, value: 'x' }])
    }
    await store.apply('skill.notes', [{ change: 'put', key: 'storage/note', value: 'x' }])
    await people.erase('Anna', false)
    const left = (await store.list('skill.notes')).map(({ key }) => key)
    expect(left).toEqual([`person/${ben.id}/note`, 'storage/note'])
  })
})
