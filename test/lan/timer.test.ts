import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TurnView } from '../../src/api/index.ts'
import { Ear } from './ear.ts'
import { Lan, type LanNode, together, whyNoLan } from './rig.ts'

const LATE_MS = 1_000
/** Who would ring a second time does so within this: its turn, or what it has when it comes back. */
const ONCE_MS = 4_000

describe.skipIf(whyNoLan !== undefined)('timers of a household', () => {
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

  /** Sets one, and gives between which moments it is due. */
  async function set(node: LanNode, room: string, name: string, seconds: [string, number]) {
    const from = Date.now()
    const reply = await ask(node, '--room', room, `set a ${name} timer for ${seconds[0]} seconds`)
    expect(reply).toMatch(/timer set for/)
    return { from: from + seconds[1] * 1_000, to: Date.now() + seconds[1] * 1_000 }
  }

  it('rings once, in the room it was set in, and is known on every node', async () => {
    const due = await set(a, 'kitchen', 'tea', ['six', 6])
    expect(await ask(b, 'how long is left')).toMatch(/^Your tea timer has \w+ seconds? left\.$/)
    const { at, text } = await ears.a.next(0, 10_000)
    expect(text).toBe('Your tea timer is done.')
    expect(at).toBeGreaterThan(due.from - 100)
    expect(at - due.to).toBeLessThan(LATE_MS)
    await new Promise((resolve) => setTimeout(resolve, ONCE_MS))
    expect([ears.a.heard.length, ears.b.heard.length]).toEqual([1, 0])
    expect(await ask(b, 'which timers are set')).toBe('There is no timer running.')
  }, 60_000)

  it('that is cancelled on another node does not ring', async () => {
    await set(a, 'kitchen', 'egg', ['five', 5])
    expect(await ask(b, 'cancel the egg timer')).toBe('Egg timer cancelled.')
    await new Promise((resolve) => setTimeout(resolve, 5_000 + ONCE_MS))
    expect([ears.a.heard.length, ears.b.heard.length]).toEqual([1, 0])
  }, 60_000)

  it('rings on another node, on time and once, when the one that set it is dead', async () => {
    const due = await set(a, 'kitchen', 'pasta', ['eight', 8])
    expect(await ask(b, 'how long is left')).toMatch(/^Your pasta timer has \w+ seconds? left\.$/)
    // No time to notice and to prepare.
    await new Promise((resolve) => setTimeout(resolve, due.from - 200 - Date.now()))
    await a.end('SIGKILL')
    const { at, text } = await ears.b.next(0, 12_000)
    expect(text).toBe('Your pasta timer is done.')
    expect(at).toBeGreaterThan(due.from - 100)
    expect(at - due.to).toBeLessThan(LATE_MS)
    await new Promise((resolve) => setTimeout(resolve, ONCE_MS))
    expect(ears.b.heard).toHaveLength(1)
  }, 60_000)

  it('does not ring again when that one comes back', async () => {
    a.start()
    await a.ready()
    await together([a, b], 20_000)
    ears.a.close()
    ears.a = new Ear(a, 'kitchen')
    await ears.a.ready()
    await new Promise((resolve) => setTimeout(resolve, ONCE_MS))
    expect([ears.a.heard.length, ears.b.heard.length]).toEqual([0, 1])
    expect(await ask(a, 'which timers are set')).toBe('There is no timer running.')
  }, 90_000)

  it('rings on both sides of a cut cable, once on each, and no more when it is plugged in again', async () => {
    const due = await set(a, 'kitchen', 'cake', ['eight', 8])
    await new Promise((resolve) => setTimeout(resolve, due.from - 200 - Date.now()))
    a.host.cut()
    const heard = await Promise.all([ears.a.next(0, 12_000), ears.b.next(1, 12_000)])
    for (const { at, text } of heard) {
      expect(text).toBe('Your cake timer is done.')
      expect(at - due.to).toBeLessThan(LATE_MS)
    }
    a.host.plug()
    await together([a, b], 20_000)
    await new Promise((resolve) => setTimeout(resolve, ONCE_MS))
    expect([ears.a.heard.length, ears.b.heard.length]).toEqual([1, 2])
  }, 60_000)
})
