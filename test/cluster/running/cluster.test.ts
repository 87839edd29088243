import { afterEach, describe, expect, it } from 'vitest'
import { type Home, House } from './house.ts'

let house: House
const homes: Home[] = []
afterEach(async () => {
  const stops = homes.splice(0).map(({ cluster }) => cluster.stop())
  await house.pass(1_000)
  await Promise.all(stops)
})

async function settle(seed: number, ...names: string[]): Promise<Home[]> {
  house = new House(seed)
  for (const name of names) homes.push(await house.found(name))
  return homes.slice()
}
const together = (all: readonly Home[]): boolean =>
  all.every((home) => home.alive().length === all.length && home.connected().length === all.length - 1)

describe('fresh nodes on one street', () => {
  it('become one household, all connected, everybody alive', async () => {
    const all = await settle(1, 'a', 'b', 'c', 'd', 'e')
    await house.until(() => together(all), 20_000)
    expect(new Set(all.map(({ cluster }) => cluster.household.show().id)).size).toBe(1)
    for (const home of all) expect(home.members()).toEqual(['a', 'b', 'c', 'd', 'e'])
    // What was decided holds: nobody falls, no link is exchanged for another without end.
    await house.pass(10_000)
    for (const home of all) expect(home.changes.filter((line) => /suspect|dead|left/.test(line))).toEqual([])
    const [a, b] = all
    expect(a!.cluster.rttOf(b!.id)).toBeGreaterThan(0)
  })

  it('that became two households, d and e apart from a, b and c, are one when they hear each other', async () => {
    house = new House(10)
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const home = await house.found(name)
      for (const other of homes)
        if ('de'.includes(name) !== 'de'.includes(other.name)) house.network.cut(home.id, other.id)
      homes.push(home)
    }
    const all = homes.slice()
    const groups = [all.slice(0, 3), all.slice(3)]
    await house.until(() => groups.every(together), 20_000)
    const before = groups.map(([first]) => first!.cluster.household.show().id)
    expect(new Set(before).size).toBe(2)
    const moving = groups.find(([first]) => first!.cluster.household.show().id !== before.toSorted()[0])!
    house.network.heal()
    expect(await house.until(() => together(all), 20_000)).toBeLessThan(5_000)
    for (const home of all) {
      expect(home.cluster.household.show().id).toBe(before.toSorted()[0])
      expect(home.members()).toEqual(['a', 'b', 'c', 'd', 'e'])
    }
    // The links of the household that was left ended with it: whoever moved first closed them.
    for (const home of moving) expect(home.logs.join()).toContain('is no longer connected')
    expect(moving.flatMap(({ logs }) => logs).join()).toContain('this node moved to another household')
    await house.pass(20_000)
    expect(together(all)).toBe(true)
  })

  it('keep out who comes after the lock, until a person compares the digits', async () => {
    const all = await settle(2, 'a', 'b')
    await house.until(() => together(all), 20_000)
    await all[0]!.cluster.household.lock()
    await house.pass(500)
    const late = await house.found('late')
    homes.push(late)
    await house.until(() => late.cluster.household.show().joining?.code != null, 20_000)
    const { code } = late.cluster.household.show().joining!
    await house.until(() => all.some(({ cluster }) => cluster.household.show().pending.length > 0), 5_000)
    const asked = all.find(({ cluster }) => cluster.household.show().pending.length > 0)!
    expect(asked.cluster.household.show().pending).toMatchObject([{ name: 'late', code }])
    await expect(asked.cluster.household.approve('000000')).rejects.toMatchObject({ code: 'code-wrong' })
    await asked.cluster.household.approve(code!)
    await house.until(() => together(homes), 10_000)
    expect(late.members()).toEqual(['a', 'b', 'late'])
  })
})

describe('a window', () => {
  it('that closes by itself takes the household out of what strangers are told', async () => {
    const [alone] = await settle(9, 'a')
    await house.pass(1_000)
    expect(house.heardOf(alone!)).toEqual({ household: alone!.cluster.household.show().id, movable: true })
    await house.pass(10 * 60_000)
    expect(alone!.cluster.household.show().open_until).toBeNull()
    expect(house.heardOf(alone!)).toBeUndefined()
  })
})

describe('a member', () => {
  it('that dies is suspected at once and dead within five seconds', async () => {
    const all = await settle(3, 'a', 'b', 'c')
    await house.until(() => together(all), 20_000)
    const [a, b, c] = all as [Home, Home, Home]
    house.kill(c)
    homes.pop()
    expect(await house.until(() => a.changes.includes('c suspect'), 100)).toBeLessThan(50)
    await house.until(() => a.changes.at(-1)?.endsWith('dead') === true && b.alive().length === 2, 5_500)
  })

  it('that leaves is gone at once, without suspicion', async () => {
    const all = await settle(4, 'a', 'b', 'c')
    await house.until(() => together(all), 20_000)
    const c = homes.pop()!
    const stopped = c.cluster.stop()
    await house.pass(400)
    await stopped
    for (const home of homes) expect(home.changes.slice(-1)[0]).toMatch(/left/)
    for (const home of homes) expect(home.changes.join()).not.toMatch(/suspect/)
  })

  it('that is cut off is found again after the heal, by both sides', async () => {
    const all = await settle(5, 'a', 'b', 'c')
    await house.until(() => together(all), 20_000)
    const [a, b, c] = all as [Home, Home, Home]
    house.network.cut(a.id, c.id)
    house.network.cut(b.id, c.id)
    await house.until(() => a.alive().length === 2 && c.alive().length === 1, 6_000)
    await house.pass(5_000)
    house.network.heal()
    await house.until(() => together(all), 3_000)
  })

  it('that was away while somebody was removed comes back with the new key', async () => {
    const all = await settle(6, 'a', 'b', 'c', 'd')
    await house.until(() => together(all), 20_000)
    const [a, b, c, d] = all as [Home, Home, Home, Home]
    const stopping = d.cluster.stop()
    await house.pass(500)
    await stopping
    house.homes.splice(house.homes.indexOf(d), 1)
    await a.cluster.household.revoke(c.id)
    await house.pass(200_000)
    house.homes.push(d)
    await house.start(d)
    await house.until(() => d.connected().includes('a') && d.connected().includes('b'), 30_000)
    expect(d.members()).toEqual(['a', 'b', 'd'])
    expect(b.connected()).toEqual(['a', 'd'])
  })
})

describe('a removed member', () => {
  it('is cut at once by everybody, and knows it', async () => {
    const all = await settle(7, 'a', 'b', 'thief')
    await house.until(() => together(all), 20_000)
    const [a, b, thief] = all as [Home, Home, Home]
    await a.cluster.household.revoke('thief')
    expect(
      await house.until(() => a.connected().join() === 'b' && b.connected().join() === 'a', 500),
    ).toBeLessThan(100)
    await house.pass(50)
    expect(thief.cluster.household.show().phase).toBe('removed')
    await house.pass(20_000)
    expect(thief.connected()).toEqual([])
    expect([a.members(), b.members()]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    await expect(thief.cluster.household.open()).rejects.toMatchObject({ code: 'not-member' })
  })
})

describe('a copy of a data directory', () => {
  it('is named on both, and the one that was started earlier gives way', async () => {
    const all = await settle(8, 'a', 'b', 'c')
    await house.until(() => together(all), 20_000)
    const [a, , c] = all as [Home, Home, Home]
    const gaveWay: string[] = []
    c.cluster.listen({ cloned: (error) => gaveWay.push(error.code) })
    const copy = await house.found('copy', { copyOf: c })
    homes.push(copy)
    await house.until(() => gaveWay.length > 0, 10_000)
    expect(c.cluster.refusing?.code).toBe('node-cloned')
    expect(copy.cluster.refusing).toBeUndefined()
    await house.pass(3_000)
    expect(a.logs.filter((line) => line.includes('Two nodes share one id'))).toHaveLength(1)
    expect(copy.logs.some((line) => line.includes('Two nodes share one id'))).toBe(true)
  })
})

describe('a disk that is full', () => {
  it('holds back what must be kept first, cuts the removed all the same, and goes on when there is room', async () => {
    const all = await settle(9, 'a', 'b', 'thief')
    await house.until(() => together(all), 20_000)
    const [a, b] = all as [Home, Home, Home]
    a.full = true
    const revoked = a.cluster.household.revoke('thief')
    await house.pass(100)
    expect(a.connected()).toEqual(['b'])
    expect(b.members()).toEqual(['a', 'b', 'thief'])
    a.full = false
    await house.pass(1_200)
    await revoked
    await house.pass(100)
    expect(b.members()).toEqual(['a', 'b'])
  })
})
