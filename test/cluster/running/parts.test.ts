import { describe, expect, it } from 'vitest'
import type { Life } from '../../../src/cluster/household/clones.ts'
import { placeIn } from '../../../src/cluster/index.ts'
import { KNOCK_EVERY_MS, RETURN_AFTER_MS, RETURN_EVERY_MS } from '../../../src/cluster/running/bounds.ts'
import { Copies } from '../../../src/cluster/running/copies.ts'
import { DiallingOut } from '../../../src/cluster/running/dialling-out.ts'
import { RefusalLog } from '../../../src/cluster/running/refusal-log.ts'
import { forgotten, learned, type Sheet } from '../../../src/cluster/running/sheets.ts'
import type { Place } from '../../../src/cluster/transport/mesh.ts'
import { LoqaError, type NodeId, nodeId } from '../../../src/host/index.ts'
import { SimulatedClock } from '../../../src/host/simulated/index.ts'

const [A, B] = [nodeId('12a'), nodeId('12b')]

describe('an address given by hand', () => {
  it.each([
    ['192.168.1.20', '192.168.1.20', 7421],
    ['192.168.1.20:9', '192.168.1.20', 9],
    ['attic.lan:7500', 'attic.lan', 7500],
    ['[fe80::1%eth0]:7421', 'fe80::1%eth0', 7421],
    ['[::1]', '::1', 7421],
    ['fd00::20', 'fd00::20', 7421],
  ])('%s is a place', (text, host, port) => {
    expect(placeIn(text, 7421)).toEqual({ host, port })
  })
  it.each(['', 'a b', 'attic:0', 'attic:70000', 'attic:', 'http://attic', '[::1]:x', '::1]:7'])(
    '%j is none',
    (text) => {
      expect(() => placeIn(text, 7421)).toThrow(/no address of a node/)
    },
  )
})

describe('capability sheets', () => {
  const sheet = (version: number): Sheet => ({
    version,
    room: 'a',
    program: '',
    capabilities: [],
    load: null,
  })

  it('of one life the highest number counts, whatever comes late; a new life starts over', () => {
    const three = learned(new Map(), A, 'one', sheet(3))
    expect(learned(three, A, 'one', sheet(3))).toBe(three)
    expect(learned(three, A, 'one', sheet(2))).toBe(three)
    expect(learned(three, A, 'one', sheet(4)).get(A)?.sheet.version).toBe(4)
    expect(learned(three, A, 'two', sheet(1)).get(A)?.sheet.version).toBe(1)
    expect(forgotten(three, B)).toBe(three)
    expect(forgotten(three, A).size).toBe(0)
  })
})

describe('copies of a node', () => {
  const life = (node: NodeId, incarnation: number, boot: string): Life => ({
    node,
    incarnation,
    boot,
    address: boot,
  })
  const make = () => {
    const named: string[] = []
    const gaveWay: string[] = []
    const copies = new Copies({
      self: life(A, 5, 'me'),
      named: ({ code }) => named.push(code),
      gaveWay: ({ code }) => gaveWay.push(code),
    })
    return { copies, named, gaveWay }
  }

  it('a restart is none; an older life beside a newer one that lives is', () => {
    const { copies, named } = make()
    expect(copies.greeted(life(B, 1, 'x'), false)).toBeUndefined()
    expect(copies.greeted(life(B, 2, 'y'), true)).toBeUndefined()
    expect(named).toEqual([])
    expect(copies.greeted(life(B, 1, 'x'), true)?.code).toBe('node-cloned')
    expect(named).toEqual(['node-cloned'])
  })

  it('a directory put back from a backup is none either, once its newer life is gone', () => {
    const { copies, named } = make()
    copies.greeted(life(B, 9, 'late'), false)
    expect(copies.greeted(life(B, 2, 'restored'), false)).toBeUndefined()
    expect(named).toEqual([])
    expect(copies.newestOf(B)?.boot).toBe('restored')
  })

  it('of this node make it give way once, to the newer one only', () => {
    const { copies, gaveWay } = make()
    copies.heard(life(A, 4, 'older'))
    expect(copies.refusing).toBeUndefined()
    copies.heard(life(A, 6, 'newer'))
    copies.heard(life(A, 7, 'newest'))
    expect(gaveWay).toEqual(['node-cloned'])
    expect(copies.refusing?.message).toContain('start 5) refuses to write')
  })
})

describe('whoever answers under another key', () => {
  const place: Place = { host: '10.0.0.9', port: 7421 }
  const make = (members: readonly NodeId[]) => {
    const clock = new SimulatedClock()
    const said: string[] = []
    const out = new DiallingOut({
      clock,
      dial: () => Promise.reject(new LoqaError('wrong-key', 'another key')),
      dialled: (_, outcome) => said.push('error' in outcome ? outcome.error.code : outcome.node),
      opened: () => undefined,
      isMember: (node) => members.includes(node),
      comeBack: (node) => said.push(`back to ${node}`),
      knock: ({ port }) => said.push(`knock ${port}`),
    })
    return { clock, said, out }
  }

  it('is a member that takes up the key in a moment, and only later one that has a newer key', async () => {
    const { clock, said, out } = make([A])
    await out.dial(1, place, A)
    clock.advance(RETURN_AFTER_MS - 1)
    await out.dial(2, place, A)
    expect(said).toEqual(['handshake-failed', 'handshake-failed'])
    clock.advance(1)
    await out.dial(3, place, A)
    await out.dial(4, place, A)
    expect(said.slice(2)).toEqual(['wrong-key', `back to ${A}`, 'wrong-key'])
    clock.advance(RETURN_EVERY_MS)
    await out.dial(5, place, A)
    expect(said.slice(5)).toEqual(['wrong-key', `back to ${A}`])
  })

  it('at an address given by hand is looked at now and then; a stranger found otherwise is left alone', async () => {
    const { clock, said, out } = make([])
    await out.dial(1, place, undefined)
    await out.dial(2, place, undefined)
    clock.advance(KNOCK_EVERY_MS)
    await out.dial(3, place, undefined)
    await out.dial(4, place, B)
    expect(said).toEqual(['wrong-key', 'knock 7422', 'wrong-key', 'wrong-key', 'knock 7422', 'wrong-key'])
    out.found(B, { host: '10.0.0.9', port: 7422 })
    expect(out.doorOf(B)?.port).toBe(7422)
  })
})

describe('refusals in the audit log', () => {
  it('are written once a minute per node and reason', () => {
    const clock = new SimulatedClock()
    const log = new RefusalLog(clock)
    expect([log.isNews(A, 'x'), log.isNews(A, 'x'), log.isNews(A, 'y'), log.isNews(B, 'x')]).toEqual([
      true,
      false,
      true,
      true,
    ])
    clock.advance(60_000)
    expect(log.isNews(A, 'x')).toBe(true)
  })
})
