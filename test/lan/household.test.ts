import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HouseholdView, NodeRow, StatusView } from '../../src/api/index.ts'
import { Lan, type LanNode, together, whyNoLan } from './rig.ts'

if (whyNoLan !== undefined) console.warn(`test/lan is skipped: ${whyNoLan}`)

const show = (node: LanNode): Promise<HouseholdView> => node.json<HouseholdView>('household', 'show')
const names = ({ members }: HouseholdView): string[] => members.map(({ name }) => name).sort()

describe.skipIf(whyNoLan !== undefined)('a house that grows', () => {
  let lan: Lan
  let nodes: LanNode[] = []
  beforeAll(() => {
    lan = new Lan()
  })
  afterAll(() => lan.close())

  it('five fresh machines with nothing configured are one household, all connected', async () => {
    nodes = await lan.start(['a', 'b', 'c', 'd', 'e'])
    await together(nodes, 20_000)
    const households = await Promise.all(nodes.map(show))
    expect(new Set(households.map(({ id }) => id)).size).toBe(1)
    for (const household of households) expect(names(household)).toEqual(['a', 'b', 'c', 'd', 'e'])
    const rows = await nodes[0]!.json<NodeRow[]>('nodes')
    expect(rows.map(({ name, state, why_not_connected: why }) => [name, state, why]).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => [name, 'alive', null]),
    )
    const status = await nodes[1]!.json<StatusView>('status')
    expect(status.household).toMatchObject({ id: households[0]!.id, members: 5 })
    expect(status.household.open_until).not.toBeNull()
  }, 90_000)

  it('a sixth joins by itself while the window is open', async () => {
    const [sixth] = await lan.start(['f'])
    nodes.push(sixth!)
    await together(nodes, 20_000)
    expect(names(await show(nodes[0]!))).toHaveLength(6)
  }, 60_000)

  it('a seventh waits after the lock, shows the same digits as the members, and is let in by a person', async () => {
    expect((await nodes[2]!.loqa('household', 'lock')).code).toBe(0)
    const [seventh] = await lan.start(['g'])
    const asks = async (): Promise<string | undefined> => (await show(seventh!)).joining?.code ?? undefined
    let code: string | undefined
    for (let tries = 0; tries < 40 && code === undefined; tries += 1) code = await asks()
    expect(code).toMatch(/^\d{6}$/)
    const households = await Promise.all(nodes.map(show))
    const asked = households.findIndex(({ pending }) => pending.length > 0)
    expect(households[asked]!.pending).toMatchObject([{ name: 'g', code }])
    expect(names(households[asked]!)).not.toContain('g')

    const wrong = await nodes[asked]!.loqa('household', 'approve', code === '111111' ? '222222' : '111111')
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('six digits')])
    expect((await nodes[asked]!.loqa('household', 'approve', code!)).code).toBe(0)
    nodes.push(seventh!)
    await together(nodes, 20_000)
  }, 90_000)

  it('a removed machine is cut at once by everybody and says so; reset, it joins under another id', async () => {
    const removed = nodes.pop()!
    expect((await nodes[0]!.loqa('household', 'revoke', 'g')).code).toBe(0)
    // Not from before: a command is a process, which a busy machine takes long to start.
    const answered = Date.now()
    for (const node of nodes) {
      await node.until(() => node.link(removed)?.message.includes('no longer'), 5_000, 'cut the removed')
    }
    const last = Math.max(...nodes.map((node) => node.link(removed)!.at))
    // The cutting is part of a second.
    expect(last - answered).toBeLessThan(3_000)
    expect((await show(removed)).phase).toBe('removed')
    expect((await removed.json<StatusView>('status')).health.reasons.join()).toMatch(/household reset/)
    expect((await removed.loqa('household', 'open')).code).toBe(1)

    // A restart does not help it: what it was is kept.
    expect(await removed.end('SIGTERM')).toBe(0)
    removed.start()
    await removed.ready()
    expect((await show(removed)).phase).toBe('removed')

    const former = removed.id
    expect((await nodes[1]!.loqa('household', 'open')).code).toBe(0)
    expect((await removed.loqa('household', 'reset', '--yes')).code).toBe(0)
    removed.forgetId()
    await removed.until(() => removed.output.split(' is ready').length > 2, 30_000, 'ready again')
    expect(removed.id).not.toBe(former)
    nodes.push(removed)
    await together(nodes, 30_000)
    expect(names(await show(nodes[0]!))).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
  }, 120_000)

  it('a stranger is refused by both, learns no household, name or room, and both say why', async () => {
    expect((await nodes[0]!.loqa('household', 'lock')).code).toBe(0)
    const host = lan.host()
    const stranger = host.spawn('stranger', { args: ['--locked'] })
    await stranger.ready()
    const household = await show(nodes[0]!)

    // What anybody can hear on this LAN in three seconds, and what the two ports answer to who has no key.
    const listener = `
      const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true })
      socket.bind(5353, () => socket.addMembership('224.0.0.251', process.argv[3]))
      let heard = ''
      socket.on('message', (bytes) => { heard += bytes.toString('latin1') })
      const { port, address } = { port: Number(process.argv[1]), address: process.argv[2] }
      for (const at of [port, port + 1]) {
        const tcp = require('node:net').connect(at, address, () => tcp.write('GET / HTTP/1.0\\r\\n\\r\\n'.repeat(50)))
        tcp.on('data', (bytes) => { heard += bytes.toString('latin1') })
        tcp.on('error', () => undefined)
      }
      setTimeout(() => { console.log(heard); process.exit() }, 12_000)`
    const ear = lan.host()
    const { stdout } = await ear.run(
      'node',
      ['-e', listener, '7421', nodes[0]!.host.address, ear.address],
      20_000,
    )
    expect(stdout).toContain('_loqa')
    for (const secret of [household.id, 'hall', '"a"', 'stranger']) expect(stdout).not.toContain(secret)

    for (const node of [stranger, nodes[0]!]) {
      const other = node === stranger ? nodes[0]!.id : stranger.id
      const rows = await node.json<NodeRow[]>('nodes')
      const row = rows.find(({ id }) => id === other)
      expect(row?.state).toBe('seen')
      expect(row?.why_not_connected?.message).toMatch(/household/)
      expect([row?.name, row?.room]).toEqual(['', ''])
      expect(node.link(node === stranger ? nodes[0]! : stranger)).toBeUndefined()
    }
    expect(names(await show(stranger))).toEqual(['stranger'])
  }, 90_000)

  it('a port that is taken stops the second node with its name and the flag', async () => {
    const second = nodes[0]!.host.spawn('second', { args: ['--http-port', '0'] })
    const code = await new Promise<number | null>((resolve) => {
      const look = setInterval(() => {
        if (second.exitCode === undefined) return
        clearInterval(look)
        resolve(second.exitCode)
      }, 50)
    })
    expect(code).toBe(1)
    expect(second.output).toMatch(/7421.*in use[\s\S]*--port/)
  }, 30_000)
})

describe.skipIf(whyNoLan !== undefined)('two households that were founded apart', () => {
  it('become one, by the rule both know, when the cable is plugged in while their windows are open', async () => {
    const lan = new Lan()
    try {
      const nodes = [lan.host({ plugged: false }), lan.host({ plugged: false })].map((host, index) =>
        host.spawn(`n${index}`),
      )
      await Promise.all(nodes.map((node) => node.ready()))
      const [one, two] = await Promise.all(nodes.map(show))
      expect(one!.id).not.toBe(two!.id)
      for (const { host } of nodes) host.plug()
      await together(nodes, 20_000)
      const merged = await Promise.all(nodes.map(show))
      const smaller = [one!.id, two!.id].sort()[0]
      expect(merged.map(({ id }) => id)).toEqual([smaller, smaller])
    } finally {
      await lan.close()
    }
  }, 90_000)
})
