import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionView, TimelineView, TurnView } from '../../src/api/index.ts'
import { Ear } from './ear.ts'
import { agreed, Lan, type LanNode, together, whyNoLan } from './rig.ts'

/** Who would ring a second time does so within this: it waits for the word that it rang, and has its turn. */
const ONCE_MS = 5_000

describe.skipIf(whyNoLan !== undefined)('a household that is cut in two, and one again', () => {
  let lan: Lan
  let a: LanNode
  let b: LanNode
  let ears: { a: Ear; b: Ear }
  beforeAll(async () => {
    lan = new Lan()
    ;[a, b] = (await lan.start(['a', 'b'])) as [LanNode, LanNode]
    await together([a, b], 20_000)
    ears = { a: new Ear(a, 'kitchen'), b: new Ear(b, 'bedroom') }
    await Promise.all([ears.a.ready(), ears.b.ready()])
  }, 60_000)
  afterAll(async () => {
    for (const ear of Object.values(ears ?? {})) ear.close()
    await lan.close()
  })

  const ask = async (node: LanNode, ...text: string[]): Promise<string> =>
    (await node.json<TurnView>('ask', ...text)).reply
  const talk = (node: LanNode, ...text: string[]) => ask(node, '--session', 'dinner', ...text)
  const sessions = async (node: LanNode) =>
    (await node.json<SessionView[]>('sessions')).filter(({ id }) => id === 'dinner')

  it('has what both sides added, one conversation with the turns of both, and says nothing twice', async () => {
    // Before: known on both.
    await talk(a, 'add milk and eggs to the shopping list')
    await talk(a, '--room', 'kitchen', 'set an egg timer for two hours')
    await agreed([a, b], 10_000)

    const cut_at = Date.now()
    a.host.cut()
    await Promise.all([
      a.until(() => a.verdict(b, 'dead', cut_at), 30_000, 'that b is dead'),
      b.until(() => b.verdict(a, 'dead', cut_at), 30_000, 'that a is dead'),
    ])

    // Both sides serve, in the same conversation, on the same list, with the same timers.
    expect(await talk(a, 'add bread to the shopping list')).toMatch(/bread/)
    expect(await talk(b, 'add butter and eggs to the shopping list')).toMatch(/butter/)
    // Of what both had, one side takes off what the other leaves alone.
    expect(await talk(b, 'remove milk from the shopping list')).toMatch(/milk/)
    // Moved on one side, cancelled on the other: what was changed stands.
    expect(await talk(a, 'add ten minutes to the egg timer')).toMatch(/extended/i)
    expect(await talk(b, 'cancel the egg timer')).toMatch(/cancelled/i)
    // Set on one side and rung there while the other knows nothing of it.
    const heard = ears.a.next(0, 15_000)
    await talk(a, '--room', 'kitchen', 'set a pasta timer for three seconds')
    expect((await heard).text).toBe('Your pasta timer is done.')

    a.host.plug()
    await together([a, b], 30_000)
    await agreed([a, b], 20_000)
    await new Promise((resolve) => setTimeout(resolve, ONCE_MS))

    // Nothing is said twice: the pasta timer rang on its side alone.
    expect([ears.a.heard.length, ears.b.heard.length]).toEqual([1, 0])
    expect(await ask(a, 'what is on the shopping list')).toBe(
      'There are three things on the list: eggs, bread and butter.',
    )
    expect(await ask(b, 'which timers are set')).toMatch(/^Your egg timer has two hours.* minutes/)
    // One conversation, on the node that took it up, with all its turns, those of the other side behind its own.
    const [known, ...more] = await sessions(a)
    expect(more).toEqual([])
    expect(await sessions(b)).toEqual([known])
    expect(known!.node).toBe(b.id)
    const { events } = await b.json<TimelineView>('sessions', 'show', 'dinner')
    const said = events.flatMap(({ kind, body }) => (kind === 'turn.began' ? [String(body.text)] : []))
    expect(said.slice(0, 3)).toEqual([
      'add butter and eggs to the shopping list',
      'remove milk from the shopping list',
      'cancel the egg timer',
    ])
    expect(said.slice(3)).toEqual([
      'add milk and eggs to the shopping list',
      'set an egg timer for two hours',
      'add bread to the shopping list',
      'add ten minutes to the egg timer',
      'set a pasta timer for three seconds',
    ])
    expect((await a.loqa('sessions', 'show', 'dinner')).code).not.toBe(0)
    // And goes on, asked on any node.
    expect(await talk(a, 'what did you say')).not.toBe('')
    expect(await sessions(a)).toEqual(await sessions(b))
  }, 180_000)
})
