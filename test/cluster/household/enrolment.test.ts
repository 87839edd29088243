/** One enrolment over a channel that belongs to somebody else. */
import { describe, expect, it } from 'vitest'
import { type AdmitterState, admitter, startAdmitting } from '../../../src/cluster/household/admitter.ts'
import { newSelf } from '../../../src/cluster/household/founding.ts'
import { type JoinerState, joiner, startJoining } from '../../../src/cluster/household/joiner.ts'
import { type EnrolmentMessage, encodeEnrolment } from '../../../src/cluster/household/messages.ts'
import type { Self } from '../../../src/cluster/household/state.ts'
import { wall } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { householdOf, id, memberNames, type Resident, START, Town } from './town.ts'

const MINUTE = 60_000
const flip = (text: string): string => (text[0] === '0' ? '1' : '0') + text.slice(1)

/** A joiner that wants to join a member whose window is open, with `tap` in between. */
function tapped(tap: Town['tap'] | undefined, seed = 1): { town: Town; member: Resident; fresh: Resident } {
  const town = new Town(seed)
  const [member, fresh] = [town.settle('member'), town.settle('fresh')]
  if (tap) town.tap = tap
  town.input(fresh, { type: 'join', node: id(member) })
  town.deliverAll()
  return { town, member, fresh }
}

describe('a channel that changes what passes', () => {
  const changes: [string, (message: EnrolmentMessage) => EnrolmentMessage][] = [
    ['the commitment', (m) => (m.type === 'hello' ? { ...m, commitment: flip(m.commitment) } : m)],
    ["the joiner's key", (m) => (m.type === 'hello' ? { ...m, ephemeral: flip(m.ephemeral) } : m)],
    ['the time told', (m) => (m.type === 'hello' ? { ...m, time: m.time + 1 } : m)],
    ['what is told of the household', (m) => (m.type === 'hello' ? { ...m, standing: null } : m)],
    ["the admitter's nonce", (m) => (m.type === 'offer' ? { ...m, nonce: flip(m.nonce) } : m)],
    ["the admitter's key", (m) => (m.type === 'offer' ? { ...m, ephemeral: flip(m.ephemeral) } : m)],
    ["the joiner's nonce", (m) => (m.type === 'reveal' ? { ...m, nonce: flip(m.nonce) } : m)],
    ["the joiner's proof", (m) => (m.type === 'reveal' ? { ...m, box: flip(m.box) } : m)],
    ['what is sealed', (m) => (m.type === 'sealed' ? { ...m, box: flip(m.box) } : m)],
    ['a key to a point of low order', (m) => (m.type === 'offer' ? { ...m, ephemeral: '0'.repeat(64) } : m)],
    [
      'a sealed message to a shorter one',
      (m) => (m.type === 'sealed' ? { ...m, box: m.box.slice(0, -2) } : m),
    ],
  ]
  it.each(changes)('%s: the enrolment fails, and nobody is a member', (_what, change) => {
    const { member, fresh } = tapped(change)
    expect(memberNames(fresh)).toEqual(['fresh'])
    expect(fresh.link).toBeUndefined()
    // A welcome that was spoilt on its way may have been given: to this very key, which an open window let in.
    expect(member.audits.filter((line) => !line.startsWith('household.admitted'))).toEqual([])
  })

  it('cut short after any number of messages: nothing is half joined, and asking again works', () => {
    for (let pass = 0; pass < 8; pass += 1) {
      let seen = 0
      const { town, member, fresh } = tapped((message) => {
        seen += 1
        return seen <= pass ? message : undefined
      })
      const joined = householdOf(fresh) === householdOf(member)
      expect(memberNames(fresh)).toEqual(joined ? ['fresh', 'member'] : ['fresh'])
      town.tap = (message) => message
      town.wait(20_000)
      town.deliverAll()
      if (!joined) town.input(fresh, { type: 'join', node: id(member) })
      town.deliverAll()
      expect(memberNames(fresh)).toEqual(['fresh', 'member'])
      expect(memberNames(member)).toEqual(['fresh', 'member'])
    }
  })

  it('repeating or swapping sealed messages ends the enrolment', () => {
    for (const play of ['repeat', 'swap'] as const) {
      const town = new Town(3)
      const [member, fresh] = [town.settle('member'), town.settle('fresh')]
      town.input(fresh, { type: 'join', node: id(member) })
      // Hello, offer, reveal; then the proof and the welcome lie side by side.
      for (let i = 0; i < 3; i += 1) town.deliver(0)
      const [proof, welcome, ...rest] = town.parcels.filter(({ kind }) => kind === 'enrolment')
      expect(rest).toEqual([])
      town.parcels = play === 'swap' ? [welcome!, proof!] : [proof!, proof!, welcome!]
      town.deliverAll()
      expect(memberNames(fresh)).toEqual(['fresh'])
    }
  })

  it('what was said yesterday opens nothing today', () => {
    const said: EnrolmentMessage[] = []
    const town = new Town(4)
    const [member, fresh] = [town.settle('member'), town.settle('fresh')]
    town.tap = (message, from) => {
      if (from === id(fresh)) said.push(message)
      return message
    }
    town.input(fresh, { type: 'join', node: id(member) })
    town.deliverAll()
    expect(said.map(({ type }) => type)).toEqual(['hello', 'reveal', 'sealed'])
    const { identity } = member.state.self
    let state: AdmitterState = startAdmitting({ node: id(member), identity, standing: undefined }).state
    const asked: string[] = []
    for (const message of said) {
      const next = admitter(state, { type: 'received', message }, town.context)
      state = next.state
      asked.push(...next.effects.flatMap(({ type }) => (type === 'ask' ? [type] : [])))
    }
    expect(asked).toEqual([])
    expect(state.phase).toBe('ended')
  })
})

describe('a man in the middle', () => {
  /** Relays with keys of its own between a fresh node and a member; returns the code each side shows. */
  function relayed(seed: number): { joiner: string; admitter: string } {
    const random = new SimulatedRandom(seed)
    const context = { wall: wall(START), random }
    const [honest, member, evil] = ['fresh', 'member', 'evil'].map((name) => newSelf(name, random)) as [
      Self,
      Self,
      Self,
    ]
    // Discovery lied: the fresh node takes the evil one for the member it should ask.
    const options = (self: Self, to: Self) => ({
      card: self.card,
      identity: self.identity,
      standing: undefined,
      admitter: to.card.node,
      consented: false,
    })
    const talk = (from: Self, to: Self): { joiner: string; admitter: string } => {
      const codes = { joiner: '', admitter: '' }
      let [near, far]: [JoinerState, AdmitterState] = [
        startJoining(options(from, to), context).state,
        startAdmitting({ node: to.card.node, identity: to.identity, standing: undefined }).state,
      ]
      let message = near.phase === 'greeting' ? near.hello : undefined
      const inbox: { to: 'near' | 'far'; message: EnrolmentMessage }[] = [{ to: 'far', message: message! }]
      for (let item = inbox.shift(); item; item = inbox.shift()) {
        const input = { type: 'received', message: item.message } as const
        const step = item.to === 'far' ? admitter(far, input, context) : joiner(near, input, context)
        if (item.to === 'far') far = step.state as AdmitterState
        else near = step.state as JoinerState
        for (const effect of step.effects) {
          if (effect.type === 'send')
            inbox.push({ to: item.to === 'far' ? 'near' : 'far', message: effect.message })
          if (effect.type === 'show-code') codes.joiner = effect.code
          if (effect.type === 'ask') codes.admitter = effect.code
        }
        message = undefined
      }
      return codes
    }
    return { joiner: talk(honest, evil).joiner, admitter: talk(evil, member).admitter }
  }

  it('makes the two sides show different codes', () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const codes = relayed(seed)
      expect(codes.joiner).toMatch(/^[0-9]{6}$/)
      expect(codes.admitter).toMatch(/^[0-9]{6}$/)
      expect(codes.joiner).not.toBe(codes.admitter)
    }
  })

  it('that has bound itself to one nonce and shows another, so as to choose the code, is not heard', () => {
    const random = new SimulatedRandom(6)
    const context = { wall: wall(START), random }
    const [evil, member] = ['evil', 'member'].map((name) => newSelf(name, random)) as [Self, Self]
    const play = (cheats: boolean): string[] => {
      const asking = startJoining(
        {
          card: evil.card,
          identity: evil.identity,
          standing: undefined,
          admitter: member.card.node,
          consented: true,
        },
        context,
      )
      const hello = (asking.effects[0] as { message: EnrolmentMessage }).message
      const listening = startAdmitting({
        node: member.card.node,
        identity: member.identity,
        standing: undefined,
      })
      const offered = admitter(listening.state, { type: 'received', message: hello }, context)
      const offer = offered.effects.find(({ type }) => type === 'send') as { message: EnrolmentMessage }
      // Everything else it does is consistent with the nonce it chose only now.
      const chosen = { ...asking.state, ...(cheats ? { nonce: 'ab'.repeat(32) } : {}) } as JoinerState
      const proving = joiner(chosen, { type: 'received', message: offer.message }, context)
      const reveal = proving.effects.find(({ type }) => type === 'send') as { message: EnrolmentMessage }
      return admitter(offered.state, { type: 'received', message: reveal.message }, context).effects.map(
        ({ type }) => type,
      )
    }
    expect(play(false)).toContain('ask')
    expect(play(true)).not.toContain('ask')
  })

  it('answering in place of the node that was asked gets no reveal', () => {
    const random = new SimulatedRandom(5)
    const context = { wall: wall(START), random }
    const [fresh, member, evil] = ['fresh', 'member', 'evil'].map((name) => newSelf(name, random)) as [
      Self,
      Self,
      Self,
    ]
    const asking = startJoining(
      {
        card: fresh.card,
        identity: fresh.identity,
        standing: undefined,
        admitter: member.card.node,
        consented: true,
      },
      context,
    )
    const listening = startAdmitting({ node: evil.card.node, identity: evil.identity, standing: undefined })
    const [hello] = asking.effects
    const offered = admitter(
      listening.state,
      { type: 'received', message: (hello as { message: EnrolmentMessage }).message },
      context,
    )
    const offer = offered.effects.find((effect) => effect.type === 'send') as { message: EnrolmentMessage }
    const next = joiner(asking.state, { type: 'received', message: offer.message }, context)
    expect(next.state.phase).toBe('failed')
    expect(next.effects.some(({ type }) => type === 'send')).toBe(false)
    // Even with the member's id on the offer it cannot prove the member's key.
    const forged = { ...offer.message, node: member.card.node } as EnrolmentMessage
    const proving = joiner(asking.state, { type: 'received', message: forged }, context)
    const reveal = proving.effects.find((effect) => effect.type === 'send') as { message: EnrolmentMessage }
    const ended = admitter(offered.state, { type: 'received', message: reveal.message }, context)
    expect(ended.state.phase).toBe('ended')
  })
})

describe('a borrowed id', () => {
  const random = new SimulatedRandom(21)
  const context = { wall: wall(START), random }
  const [victim, evil, honest] = ['victim', 'evil', 'honest'].map((name) => newSelf(name, random)) as [
    Self,
    Self,
    Self,
  ]

  /** Everything both say to each other, and where it ends. */
  function talk(
    joining: { card: Self['card']; identity: Self['identity'] },
    admitting: { node: Self['card']['node']; identity: Self['identity'] },
  ): { asked: boolean; shown: boolean } {
    const options = { standing: undefined, admitter: admitting.node, consented: true }
    const begun = startJoining({ ...joining, ...options }, context)
    let near = begun.state
    let far = startAdmitting({ ...admitting, standing: undefined }).state
    const types: string[] = []
    const inbox = begun.effects.flatMap((effect) =>
      effect.type === 'send' ? [{ far: true, message: effect.message }] : [],
    )
    for (let item = inbox.shift(); item; item = inbox.shift()) {
      const input = { type: 'received', message: item.message } as const
      const step = item.far ? admitter(far, input, context) : joiner(near, input, context)
      if (item.far) far = step.state as AdmitterState
      else near = step.state as JoinerState
      for (const effect of step.effects) {
        types.push(effect.type)
        if (effect.type === 'send') inbox.push({ far: !item.far, message: effect.message })
      }
    }
    return { asked: types.includes('ask'), shown: types.includes('show-code') }
  }
  const own = ({ card, identity }: Self) => ({ card, identity, node: card.node })

  it('of a joiner: who holds the card but not the key is not put before the household', () => {
    expect(talk(own(victim), own(honest))).toEqual({ asked: true, shown: true })
    expect(talk({ card: victim.card, identity: evil.identity }, own(honest))).toEqual({
      asked: false,
      shown: false,
    })
  })

  it('of a member: who knows its id but not its key gets no code shown', () => {
    const { shown } = talk(own(victim), { node: honest.card.node, identity: evil.identity })
    expect(shown).toBe(false)
  })
})

describe('clocks', () => {
  it('five minutes apart are fine; more, and the joiner is told by how much its clock is off', () => {
    for (const [skew, ends] of [
      [4 * MINUTE, 'joined'],
      [-4 * MINUTE, 'joined'],
      [130 * MINUTE, 'your clock is wrong by 2 h 10 min (ahead)'],
      [-366 * 24 * 60 * MINUTE, 'your clock is wrong by 366 d (behind)'],
    ] as const) {
      const town = new Town(9)
      const [member, fresh] = [town.settle('member'), town.settle('fresh')]
      const { card, identity } = fresh.state.self
      const theirs = { wall: wall(START + skew), random: town.random }
      const asking = startJoining(
        { card, identity, standing: undefined, admitter: id(member), consented: true },
        theirs,
      )
      const { self } = member.state
      const listening = startAdmitting({ node: id(member), identity: self.identity, standing: undefined })
      const hello = (asking.effects[0] as { message: EnrolmentMessage }).message
      const answered = admitter(listening.state, { type: 'received', message: hello }, town.context)
      const offer = answered.effects.find((effect) => effect.type === 'send') as { message: EnrolmentMessage }
      const { state } = joiner(asking.state, { type: 'received', message: offer.message }, theirs)
      expect(state.phase === 'failed' ? state.error.message : 'joined').toBe(ends)
      expect(answered.state.phase).toBe(ends === 'joined' ? 'offered' : 'ended')
    }
  })
})

describe('what a stranger sees', () => {
  it('of a closed household: an id and keys, no name, no household, no members', () => {
    const sent: EnrolmentMessage[] = []
    const town = new Town(11)
    const [member, fresh] = [town.settle('secret-name', { locked: true }), town.settle('fresh')]
    town.tap = (message, from) => {
      if (from === id(member)) sent.push(message)
      return message
    }
    town.input(fresh, { type: 'join', node: id(member) })
    town.deliverAll()
    expect(sent.map(({ type }) => type)).toEqual(['offer', 'sealed'])
    const bytes = sent.map((message) => Buffer.from(encodeEnrolment(message)).toString('latin1')).join('')
    expect(bytes).not.toContain('secret-name')
    expect(bytes).not.toContain(householdOf(member))
  })

  it('listening in on a whole enrolment: neither names nor the household key', () => {
    const sent: EnrolmentMessage[] = []
    const { member, fresh } = tapped((message) => {
      sent.push(message)
      return message
    }, 12)
    expect(householdOf(fresh)).toBe(householdOf(member))
    const bytes = sent.map((message) => Buffer.from(encodeEnrolment(message)).toString('latin1')).join('')
    const key = Buffer.from(member.state.keychain[0]!.key.expose())
    for (const secret of ['"fresh"', '"member"', key.toString('hex'), key.toString('latin1')]) {
      expect(bytes).not.toContain(secret)
    }
  })
})

it('only the household that was asked for will do when a node comes back', () => {
  const town = new Town(13)
  const [home, other] = [town.settle('home'), town.settle('other')]
  const [member, away] = [town.settle('member'), home]
  town.input(away, { type: 'join', node: id(member) })
  town.deliverAll()
  expect(householdOf(away)).toBe(householdOf(member))
  // The member it comes back to has been reset meanwhile: same key, another household.
  const before = householdOf(away)
  member.state = { ...other.state, self: member.state.self, roster: other.state.roster }
  town.input(away, { type: 'return', node: id(member) })
  town.deliverAll()
  expect(householdOf(away)).toBe(before)
})
