/** How nodes become, stay and stop being one household. */
import { describe, expect, it } from 'vitest'
import { certificateOf, isRevoked } from '../../../src/cluster/household/authority.ts'
import {
  LOCKOUT_MS,
  MAX_PENDING,
  OVERLAP_MS,
  TERM_MS,
  WINDOW_MS,
} from '../../../src/cluster/household/bounds.ts'
import { grantFor, openingKeys } from '../../../src/cluster/household/keychain.ts'
import { recordsOf } from '../../../src/cluster/household/roster.ts'
import { isMovable, isOpen } from '../../../src/cluster/household/standing.ts'
import { householdOf, id, memberNames, type Resident, Town } from './town.ts'

const MINUTE = 60_000

/** One household of these, each let in by the first one's window. */
function family(seed: number, ...names: string[]): { town: Town; nodes: Resident[] } {
  const town = new Town(seed)
  const first = town.settle(names[0]!)
  const nodes = [first]
  for (const name of names.slice(1)) {
    const node = town.settle(name)
    town.input(node, { type: 'join', node: id(first) })
    town.deliverAll()
    town.connect(first, node)
    town.deliverAll()
    nodes.push(node)
  }
  expect(new Set(nodes.map(householdOf)).size).toBe(1)
  return { town, nodes }
}

describe('fresh nodes that meet', () => {
  it('become one household, of the smaller id, whoever sees whom first', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const town = new Town(seed)
      const [a, b] = [town.settle('kitchen'), town.settle('hall')]
      const smaller = [householdOf(a), householdOf(b)].sort()[0]
      town.introduce(seed % 2 === 0 ? a : b, seed % 2 === 0 ? b : a)
      town.deliverAll()
      expect([householdOf(a), householdOf(b)]).toEqual([smaller, smaller])
      expect(memberNames(a)).toEqual(['hall', 'kitchen'])
      expect(memberNames(b)).toEqual(['hall', 'kitchen'])
      expect(town.connect(a, b)).toBe(true)
    }
  })

  it('five that all see each other become one', () => {
    for (let seed = 100; seed < 110; seed += 1) {
      const town = new Town(seed)
      const nodes = ['a', 'b', 'c', 'd', 'e'].map((name) => town.settle(name))
      for (let round = 0; round < 6; round += 1) {
        for (const one of nodes) for (const other of nodes) if (one !== other) town.introduce(one, other)
        while (town.parcels.length > 0) town.deliverAny()
        town.wait(3_000)
      }
      expect(new Set(nodes.map(householdOf)).size).toBe(1)
    }
  })

  it('do not merge when one was founded locked: the other waits, and both show the same six digits', () => {
    const town = new Town(1)
    const [locked, fresh] = [town.settle('safe', { locked: true }), town.settle('new')]
    town.introduce(locked, fresh)
    town.deliverAll()
    expect(memberNames(locked)).toEqual(['safe'])
    expect(locked.state.pending.map(({ code }) => code)).toEqual([town.code(fresh)])
    expect(town.code(fresh)).toMatch(/^[0-9]{6}$/)

    town.input(locked, { type: 'approve', code: town.code(fresh) })
    town.deliverAll()
    expect(memberNames(fresh)).toEqual(['new', 'safe'])
    expect(householdOf(fresh)).toBe(householdOf(locked))
  })

  it('stay apart when both windows are closed', () => {
    const town = new Town(2)
    const [a, b] = [town.settle('a'), town.settle('b')]
    town.wait(WINDOW_MS + MINUTE)
    town.introduce(a, b)
    town.deliverAll()
    expect([memberNames(a), memberNames(b)]).toEqual([['a'], ['b']])
    expect(a.state.pending).toEqual([])
  })
})

/** D and e have let each other in, a, b and c too, before the two groups hear of each other: five nodes started at once. */
function twoGroups(seed: number): { town: Town; nodes: Resident[]; groups: [Resident[], Resident[]] } {
  const town = new Town(seed)
  const nodes = ['a', 'b', 'c', 'd', 'e'].map((name) => town.settle(name))
  const [a, b, c, d, e] = nodes as [Resident, Resident, Resident, Resident, Resident]
  const groups: [Resident[], Resident[]] = [
    [a, b, c],
    [d, e],
  ]
  for (const group of groups) {
    for (let round = 0; round < 3; round += 1) meetAll(town, group)
    for (const one of group) for (const other of group) if (one !== other) town.connect(one, other)
    town.deliverAll()
    for (const one of group) expect(memberNames(one)).toEqual(group.map(({ name }) => name))
  }
  return { town, nodes, groups }
}

function meetAll(town: Town, nodes: readonly Resident[]): void {
  for (const one of nodes) for (const other of nodes) if (one !== other) town.introduce(one, other)
  town.deliverAll()
  town.wait(3_000)
  town.deliverAll()
}
const ids = (nodes: readonly Resident[]): string[] => [...new Set(nodes.map(householdOf))].sort()

describe('two fresh households of several', () => {
  it('become the one of the smaller id when they meet: d and e come to a, b and c, or they to them', () => {
    const which = { first: 0, second: 0 }
    for (let seed = 0; seed < 20; seed += 1) {
      const { town, nodes, groups } = twoGroups(seed)
      const [smaller] = ids(nodes)
      which[householdOf(groups[0][0]!) === smaller ? 'first' : 'second'] += 1
      for (let round = 0; round < 4; round += 1) meetAll(town, nodes)
      expect(ids(nodes)).toEqual([smaller])
      for (const one of nodes) for (const other of nodes) if (one !== other) town.connect(one, other)
      town.deliverAll()
      for (const node of nodes) expect(memberNames(node)).toEqual(['a', 'b', 'c', 'd', 'e'])
      // Decided once: nobody moves again, however long they go on seeing each other.
      const moves = nodes.map(({ audits }) => audits.length)
      for (let round = 0; round < 5; round += 1) meetAll(town, nodes)
      expect(nodes.map(({ audits }) => audits.length)).toEqual(moves)
    }
    expect(Math.min(which.first, which.second)).toBeGreaterThan(0)
  })

  it('become one although one member hears of the better household through its fellow alone', () => {
    const { town, nodes, groups } = twoGroups(3)
    const [smaller] = ids(nodes)
    const [staying, moving] = groups[0].some((node) => householdOf(node) === smaller)
      ? groups
      : groups.toReversed()
    const [scout, ...others] = moving!
    meetAll(town, [scout!, staying![0]!])
    expect(householdOf(scout!)).toBe(smaller)
    for (let round = 0; round < 4; round += 1) meetAll(town, [scout!, ...others])
    expect(ids(nodes)).toEqual([smaller])
  })

  it('take nothing up of the one that was left behind, and hand out nothing of it', () => {
    const { town, nodes, groups } = twoGroups(4)
    const [smaller] = ids(nodes)
    const [staying, moving] = groups[0].some((node) => householdOf(node) === smaller)
      ? groups
      : groups.toReversed()
    const [scout, fellow] = moving as [Resident, Resident]
    const old = householdOf(scout)
    const records = recordsOf(scout.state.roster)
    const grant = grantFor(fellow.state.roster, fellow.state.keychain, id(scout), town.random)!
    meetAll(town, [scout, staying![0]!])
    expect(householdOf(scout)).toBe(smaller)
    const before = scout.state
    town.input(scout, { type: 'heard', from: id(fellow), records })
    town.input(scout, { type: 'granted', grant })
    expect([scout.state.roster, scout.state.keychain]).toEqual([before.roster, before.keychain])
    expect(
      recordsOf(scout.state.roster).some((record) => 'household' in record && record.household === old),
    ).toBe(false)
    expect(town.connect(scout, fellow)).toBe(false)
    // Nor is it there again after a restart.
    town.restart(scout)
    expect(householdOf(scout)).toBe(smaller)
  })

  it.each([
    [
      'opened the window',
      (town: Town, node: Resident) => town.input(node, { type: 'open', span_ms: 8 * MINUTE }),
    ],
    [
      'let somebody in by its code',
      (town: Town, node: Resident) => {
        // A restart closed its own window; the newcomer waits there for a person.
        town.restart(node)
        const guest = town.settle('guest')
        town.input(guest, { type: 'join', node: id(node) })
        town.deliverAll()
        town.input(node, { type: 'approve', code: town.code(guest) })
      },
    ],
    [
      'removed somebody',
      (town: Town, node: Resident) => {
        const gone = town.residents.find(
          (other) => householdOf(other) === householdOf(node) && other !== node,
        )!
        gone.alive = false
        town.input(node, { type: 'revoke', node: id(gone) })
      },
    ],
  ])('stay where a person %s; the other household comes there', (_what, decide) => {
    const { town, nodes, groups } = twoGroups(5)
    const [smaller] = ids(nodes)
    const moving = groups.find(([first]) => householdOf(first!) !== smaller)!
    const touched = householdOf(moving[0]!)
    decide(town, moving[0]!)
    town.deliverAll()
    for (const node of moving.filter(({ alive }) => alive)) expect(isMovable(node.state)).toBe(false)
    const living = town.residents.filter(({ alive }) => alive)
    for (let round = 0; round < 6; round += 1) {
      for (const one of moving) for (const other of moving) if (one !== other) town.connect(one, other)
      meetAll(town, living)
    }
    expect(ids(living)).toEqual([touched])
  })

  it('stay apart where a person locked one: who was in it stays, nobody goes there', () => {
    const { town, nodes, groups } = twoGroups(6)
    const before = nodes.map(householdOf)
    const [smaller] = ids(nodes)
    const larger = groups.find(([first]) => householdOf(first!) !== smaller)!
    town.input(larger[0]!, { type: 'lock' })
    town.deliverAll()
    for (let round = 0; round < 4; round += 1) meetAll(town, nodes)
    expect(nodes.map(householdOf)).toEqual(before)
  })

  it('are followed by one whose window has closed: it goes where a fellow lets it in, and nowhere else', () => {
    const { town, nodes, groups } = twoGroups(7)
    const [smaller] = ids(nodes)
    const stay = groups.find(([first]) => householdOf(first!) === smaller)!
    const [late, fellow] = groups.find(([first]) => householdOf(first!) !== smaller)! as [Resident, Resident]
    const left = householdOf(late)
    late.alive = false
    const others = nodes.filter((node) => node !== late)
    for (let round = 0; round < 3; round += 1) meetAll(town, others)
    expect(householdOf(fellow)).toBe(smaller)
    late.alive = true
    town.restart(late)
    // By those who were never with it, it is not let in: anybody could say that they are where its fellows went.
    for (let round = 0; round < 3; round += 1) meetAll(town, [late, ...stay])
    expect(householdOf(late)).toBe(left)
    for (let round = 0; round < 3; round += 1) meetAll(town, nodes)
    expect(householdOf(late)).toBe(smaller)
  })
})

it('a fresh node whose welcome is lost turns to another door of the household, and is one member, once', () => {
  const { town, nodes } = family(18, 'a', 'b')
  const [a, b] = nodes as [Resident, Resident]
  const fresh = town.settle('fresh')
  let sealed = 0
  town.tap = (message, from) => {
    if (from === id(a) && message.type === 'sealed') sealed += 1
    return message.type === 'sealed' && from === id(a) && sealed === 2 ? undefined : message
  }
  town.introduce(a, fresh)
  town.deliverAll()
  expect([sealed, memberNames(fresh)]).toEqual([2, ['fresh']])
  town.wait(16_000)
  town.introduce(b, fresh)
  town.deliverAll()
  expect(memberNames(fresh)).toEqual(['a', 'b', 'fresh'])
  expect(a.audits.filter((line) => line.startsWith(`household.admitted ${id(fresh)}`))).toHaveLength(1)
  expect(b.audits.filter((line) => line.startsWith(`household.admitted ${id(fresh)}`))).toHaveLength(0)
})

it('a node that is not alone stays, whatever a person or a late welcome says', () => {
  const { town, nodes } = family(19, 'a', 'b')
  const [a, b] = nodes as [Resident, Resident]
  const other = town.settle('other')
  town.input(b, { type: 'join', node: id(other) })
  expect(b.errors.map(({ code }) => code)).toEqual(['not-alone'])

  // Asked while alone; then somebody joins it, and only then the welcome comes.
  const [lone, late] = [town.settle('lone'), town.settle('late', { locked: true })]
  town.input(lone, { type: 'join', node: id(late) })
  town.deliverAll()
  // One that gives way to it, not the other way round.
  let guest = town.settle('guest')
  while (householdOf(guest) < householdOf(lone)) guest = town.settle('guest')
  town.input(guest, { type: 'join', node: id(lone) })
  town.deliverAll()
  town.input(late, { type: 'approve', code: late.state.pending[0]!.code })
  town.deliverAll()
  expect(memberNames(lone)).toEqual(['guest', 'lone'])
  expect(householdOf(guest)).toBe(householdOf(lone))
  expect(memberNames(a)).toEqual(['a', 'b'])
})

describe('the window', () => {
  it('lets a sixth in by itself; after lock, said on any member, a seventh waits', () => {
    const { town, nodes } = family(4, 'a', 'b', 'c', 'd', 'e')
    const [a, b] = nodes as [Resident, Resident]
    const sixth = town.settle('f')
    town.introduce(a, sixth)
    town.deliverAll()
    expect(householdOf(sixth)).toBe(householdOf(a))

    town.input(b, { type: 'lock' })
    town.deliverAll()
    expect(nodes.map(({ state }) => isOpen(state, town.context))).toEqual(nodes.map(() => false))
    const seventh = town.settle('g')
    town.introduce(a, seventh)
    town.deliverAll()
    expect(memberNames(seventh)).toEqual(['g'])
    town.input(a, { type: 'approve', code: town.code(seventh) })
    town.deliverAll()
    expect(householdOf(seventh)).toBe(householdOf(a))
  })

  it('closes by itself ten minutes after founding, and does not survive a restart', () => {
    const town = new Town(5)
    const a = town.settle('a')
    expect(isOpen(a.state, town.context)).toBe(true)
    town.restart(a)
    expect(isOpen(a.state, town.context)).toBe(false)
    const b = town.settle('b')
    town.wait(WINDOW_MS)
    expect(isOpen(b.state, town.context)).toBe(false)
  })

  it('admits those who wait when a person opens it', () => {
    const town = new Town(6)
    const [a, b] = [town.settle('a', { locked: true }), town.settle('b')]
    town.introduce(a, b)
    town.deliverAll()
    town.input(a, { type: 'open', span_ms: 5 * MINUTE })
    town.deliverAll()
    expect(memberNames(b)).toEqual(['a', 'b'])
  })
})

describe('waiting for approval', () => {
  it('after five wrong codes the right one is not looked at either, until the lock-out ends', () => {
    const town = new Town(7)
    const [a, b] = [town.settle('a', { locked: true }), town.settle('b')]
    town.introduce(a, b)
    town.deliverAll()
    const right = town.code(b)
    const wrong = right === '000000' ? '000001' : '000000'
    for (let i = 0; i < 5; i += 1) town.input(a, { type: 'approve', code: wrong })
    town.input(a, { type: 'approve', code: right })
    expect(a.errors.map(({ code }) => code)).toEqual([...Array(5).fill('code-wrong'), 'enrolment-locked'])
    town.deliverAll()
    expect(memberNames(b)).toEqual(['b'])
    expect(a.state.pending).toEqual([])

    town.wait(LOCKOUT_MS + 3 * MINUTE)
    town.input(b, { type: 'open', span_ms: MINUTE })
    town.input(b, { type: 'join', node: id(a) })
    town.deliverAll()
    // A new conversation, a new code: the old one is worth nothing.
    expect(town.code(b)).not.toBe(right)
    town.input(a, { type: 'approve', code: town.code(b) })
    town.deliverAll()
    expect(householdOf(b)).toBe(householdOf(a))
  })

  it('ends after ten minutes; who asked in its own window asks the same node again, with a new code', () => {
    const town = new Town(8)
    const [a, b] = [town.settle('a', { locked: true }), town.settle('b')]
    town.introduce(a, b)
    town.deliverAll()
    const first = town.code(b)
    town.wait(10 * MINUTE + 5_000)
    town.deliverAll()
    town.wait(5_000)
    town.deliverAll()
    expect(isOpen(b.state, town.context)).toBe(false)
    expect(town.code(b)).toMatch(/^[0-9]{6}$/)
    expect(town.code(b)).not.toBe(first)
    town.input(a, { type: 'approve', code: town.code(b) })
    town.deliverAll()
    expect(householdOf(b)).toBe(householdOf(a))
  })

  it('holds at most eight, one of each address; the longest waiting gives way', () => {
    const town = new Town(9)
    const a = town.settle('a', { locked: true })
    const waiting = Array.from({ length: MAX_PENDING + 3 }, (_, i) => town.settle(`w${i}`))
    for (const node of waiting) {
      town.introduce(a, node)
      town.deliverAll()
    }
    expect(a.state.pending.length).toBe(MAX_PENDING)
    expect(a.state.pending.at(-1)?.card.name).toBe(waiting.at(-1)!.name)
  })

  it('a node whose own window is closed joins only when a person confirms the code there too', () => {
    const town = new Town(10)
    const [a, b] = [town.settle('a'), town.settle('b')]
    town.wait(WINDOW_MS + MINUTE)
    town.input(a, { type: 'open', span_ms: MINUTE })
    town.input(b, { type: 'join', node: id(a) })
    town.deliverAll()
    // A let it in at once; B has not agreed, so it is still alone.
    expect(memberNames(b)).toEqual(['b'])
    town.input(b, { type: 'approve', code: town.code(b) })
    town.deliverAll()
    expect(memberNames(b)).toEqual(['a', 'b'])
  })
})

describe('a removed node', () => {
  it('is cut by everybody who heard, holds no key, and cannot come back under its id', () => {
    const { town, nodes } = family(11, 'a', 'b', 'thief', 'c')
    const [a, b, thief, c] = nodes as [Resident, Resident, Resident, Resident]
    const old_keys = openingKeys(thief.state.keychain, thief.state.roster, town.context.now)
    town.input(b, { type: 'revoke', node: id(thief) })
    // Everything but what goes to the thief: it would rather not hear.
    town.parcels = town.parcels.filter(({ to }) => to !== id(thief))
    town.deliverAll()

    for (const node of [a, b, c]) {
      expect(isRevoked(node.state.roster, id(thief))).toBe(true)
      expect(town.connect(node, thief)).toBe(false)
      expect(memberNames(node)).toEqual(['a', 'b', 'c'])
      expect(openingKeys(node.state.keychain, node.state.roster, town.context.now)[0]).not.toEqual(undefined)
    }
    const [key_a, key_b] = [a, b].map(
      (node) => openingKeys(node.state.keychain, node.state.roster, town.context.now)[0]!,
    )
    expect(Buffer.from(key_a!.expose())).toEqual(Buffer.from(key_b!.expose()))
    expect(Buffer.from(key_a!.expose())).not.toEqual(Buffer.from(old_keys[0]!.expose()))
    expect(town.connect(a, c)).toBe(true)

    // For a moment the old key still opens connections, for members in the middle of one; then it is forgotten.
    expect(openingKeys(a.state.keychain, a.state.roster, town.context.now)).toHaveLength(2)
    town.wait(OVERLAP_MS + 1_000)
    expect(openingKeys(a.state.keychain, a.state.roster, town.context.now)).toHaveLength(1)
    expect(a.state.keychain).toHaveLength(1)

    // Not even into an open window, nor by asking to come back.
    town.input(a, { type: 'open', span_ms: MINUTE })
    const admitted = (): number => a.audits.filter((line) => line.includes(`admitted ${id(thief)}`)).length
    expect(admitted()).toBe(1)
    town.input(thief, { type: 'return', node: id(a) })
    town.deliverAll()
    expect(memberNames(a)).toEqual(['a', 'b', 'c'])
    expect(admitted()).toBe(1)
  })

  it('that hears of it gives up its keys; reset, it joins again under a new id', () => {
    const { town, nodes } = family(12, 'a', 'b')
    const [a, b] = nodes as [Resident, Resident]
    town.input(a, { type: 'revoke', node: id(b) })
    // B hears it from A before A cuts it.
    town.input(b, {
      type: 'heard',
      from: id(a),
      records: [...a.state.roster.tombstone.values()].flatMap((by) => [...by.values()]),
    })
    expect(b.state.phase).toBe('removed')
    expect(b.state.keychain).toEqual([])
    town.input(b, { type: 'open', span_ms: MINUTE })
    expect(b.errors.map(({ code }) => code)).toEqual(['not-member'])

    const again = town.settle('b')
    town.introduce(a, again)
    town.deliverAll()
    expect(householdOf(again)).toBe(householdOf(a))
    expect(id(again)).not.toBe(id(b))
    expect(memberNames(a)).toEqual(['a', 'b'])
  })

  it('is still removed after a restart, also when it signed the last key it knows of', () => {
    const { town, nodes } = family(15, 'founder', 'b')
    const [founder, b] = nodes as [Resident, Resident]
    town.input(b, { type: 'revoke', node: id(founder) })
    const records = [...b.state.roster.tombstone.values()].flatMap((by) => [...by.values()])
    town.input(founder, { type: 'heard', from: id(b), records })
    town.restart(founder)
    expect(founder.state.phase).toBe('removed')
    expect(founder.state.keychain).toEqual([])
    town.input(founder, { type: 'open', span_ms: MINUTE })
    expect(founder.errors.map(({ code }) => code)).toEqual(['not-member'])
  })

  it('may have been the founder: the household goes on, and those it let in stay', () => {
    const { town, nodes } = family(13, 'founder', 'b', 'c')
    const [founder, b, c] = nodes as [Resident, Resident, Resident]
    town.input(b, { type: 'revoke', node: id(founder) })
    town.deliverAll()
    expect([memberNames(b), memberNames(c)]).toEqual([
      ['b', 'c'],
      ['b', 'c'],
    ])
    expect(town.connect(b, c)).toBe(true)
    const fresh = town.settle('d')
    town.input(c, { type: 'open', span_ms: MINUTE })
    town.introduce(c, fresh)
    town.deliverAll()
    expect(memberNames(fresh)).toEqual(['b', 'c', 'd'])
    expect(town.connect(b, c)).toBe(true)
    town.deliverAll()
    expect(town.connect(b, fresh)).toBe(true)
  })

  it('is removed for good although the one who removed it dies before the key was changed', () => {
    const { town, nodes } = family(14, 'a', 'b', 'thief')
    const [a, b, thief] = nodes as [Resident, Resident, Resident]
    const key = openingKeys(b.state.keychain, b.state.roster, town.context.now)[0]
    town.input(a, { type: 'revoke', node: id(thief) })
    const [tombstone] = a.state.roster.tombstone.get(id(thief))!.values()
    town.parcels = []
    a.alive = false
    town.input(b, { type: 'heard', from: id(a), records: [tombstone!] })
    town.wait(20_000)
    town.deliverAll()
    const [now] = openingKeys(b.state.keychain, b.state.roster, town.context.now)
    expect(Buffer.from(now!.expose())).not.toEqual(Buffer.from(key!.expose()))
  })
})

describe('a member that was away', () => {
  it('while the key was changed comes back through the enrolment listener, without a person', () => {
    const { town, nodes } = family(15, 'a', 'b', 'thief')
    const [a, b, thief] = nodes as [Resident, Resident, Resident]
    town.input(a, { type: 'lock' })
    town.deliverAll()
    b.alive = false
    town.input(a, { type: 'revoke', node: id(thief) })
    town.deliverAll()
    b.alive = true
    town.wait(3 * MINUTE)
    expect(town.connect(a, b)).toBe(false)
    town.input(b, { type: 'return', node: id(a) })
    town.deliverAll()
    expect(town.connect(a, b)).toBe(true)
    expect(isRevoked(b.state.roster, id(thief))).toBe(true)
  })

  it('within a third of the term is renewed when it meets a member; after the term it waits for a person', () => {
    const { town, nodes } = family(16, 'a', 'b')
    const [a, b] = nodes as [Resident, Resident]
    const first = certificateOf(b.state.roster, id(b))!
    town.now += TERM_MS / 2
    expect(town.connect(a, b)).toBe(true)
    town.deliverAll()
    const second = certificateOf(b.state.roster, id(b))!
    expect(second.expires - first.expires).toBe(TERM_MS / 2)
    expect(town.connect(a, b)).toBe(true)
    town.now += TERM_MS + 10 * MINUTE
    town.input(a, { type: 'open', span_ms: 0 })
    expect(town.connect(a, b)).toBe(false)
    expect(town.refusals.at(-1)).toBe('certificate-expired')
    town.input(b, { type: 'return', node: id(a) })
    town.deliverAll()
    expect(a.state.pending.map(({ card }) => card.name)).toEqual(['b'])
    town.input(a, { type: 'approve', code: a.state.pending[0]!.code })
    town.deliverAll()
    expect(town.connect(a, b)).toBe(true)
  })

  it('alone in its household renews itself', () => {
    const town = new Town(17)
    const a = town.settle('a')
    town.now += TERM_MS / 2
    town.wait(1_000)
    expect(certificateOf(a.state.roster, id(a))!.at).toBeGreaterThan(TERM_MS / 2)
    expect(isMovable(a.state)).toBe(true)
  })
})
