/** Every transition of a member, one by one; numbers are those of the header of `membership.ts`. */
import { describe, expect, test } from 'vitest'
import type { MembershipMessage } from '../../../src/cluster/index.ts'
import { nodeId } from '../../../src/host/index.ts'
import { A, acquainted, B, C, D, E, entry, Stage } from './stage.ts'

const lastChange = (stage: Stage) => stage.changes.at(-1)

describe('becoming a member', () => {
  test('by its own word', () => {
    const stage = new Stage()
    stage.heartbeat(B)
    expect(stage.status(B)).toBe('alive')
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'alive', previous: undefined, cause: 'joined' })
  })

  test('by what another tells, with time to be heard', () => {
    const stage = acquainted([B])
    stage.sync(B, entry(C, 'alive', 4))
    expect(stage.member(C)).toMatchObject({ standing: { status: 'alive' }, life: { incarnation: 4 } })
    stage.pass(750, B)
    expect(stage.status(C)).toBe('alive')
  })

  test('not by being told of as suspect, dead or left', () => {
    const stage = acquainted([B])
    stage.sync(B, entry(C, 'suspect'), entry(D, 'dead'), entry(E, 'left'))
    expect([C, D, E].map((id) => stage.status(id))).toEqual([undefined, undefined, undefined])
  })

  test('not by being told of at an incarnation far above the first, which would keep its own word out', () => {
    const stage = acquainted([B])
    stage.sync(B, { ...entry(C, 'alive', 2 ** 30), boot: 9 })
    expect(stage.refused()).toEqual(['incarnation-jump'])
    stage.heartbeat(C)
    expect(stage.member(C)!.life).toEqual({ boot: 2, incarnation: 0 })
  })

  test('not without admission, neither by own word nor by hearsay (M6)', () => {
    const stage = acquainted([B])
    stage.strangers.add(C)
    stage.heartbeat(C)
    expect(stage.refused()).toEqual(['stranger'])
    stage.sync(B, entry(C, 'alive'))
    expect(stage.refused()).toEqual(['stranger'])
    expect(stage.status(C)).toBeUndefined()
  })

  test('not once the household is full (M7)', () => {
    const stage = acquainted([B])
    const many = Array.from({ length: 2_100 }, (_, n) => entry(nodeId(`m${n}`), 'alive'))
    for (let at = 0; at < many.length; at += 64) stage.sync(B, ...many.slice(at, at + 64))
    expect(stage.state.roster.slots.size).toBe(2_048)
    expect(stage.refused()).toContain('full')
  })

  test('a stream that opens brings a heartbeat and all that is known, before anybody is known', () => {
    const stage = acquainted([B])
    stage.give({ type: 'stream-opened', peer: C })
    expect(stage.sentTo(C).map(({ type }) => type)).toEqual(['heartbeat', 'sync'])
    expect(stage.status(C)).toBeUndefined()
  })
})

describe('silence', () => {
  test('is asked about after two heartbeats, directly and through three others', () => {
    const stage = acquainted([B, C, D, E])
    stage.pass(500, C, D, E)
    expect(stage.status(B)).toBe('alive')
    expect(stage.sentTo(B).map(({ type }) => type)).toContain('ping')
    for (const id of [C, D, E]) {
      expect(stage.sentTo(id).find(({ type }) => type === 'probe-request')).toMatchObject({ target: B })
    }
  })

  test('is suspicious within 1.2 s and deadly within 5 s, and not before 4 s', () => {
    const stage = acquainted([B, C, D, E])
    stage.pass(749, C, D, E)
    expect(stage.status(B)).toBe('alive')
    stage.pass(401, C, D, E)
    expect(stage.status(B)).toBe('suspect')
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'suspect', cause: 'silent', steady: true })
    for (const id of [C, D, E]) stage.sync(id, entry(B, 'suspect'))
    stage.pass(4_000 - 1_150, C, D, E)
    expect(stage.status(B)).toBe('suspect')
    stage.pass(1_000, C, D, E)
    expect(stage.status(B)).toBe('dead')
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'dead', cause: 'timed-out' })
  })

  test('that one member alone finds suspicious is waited out twice as long', () => {
    const stage = acquainted([B, C, D, E])
    stage.pass(5_000, C, D, E)
    expect(stage.status(B)).toBe('suspect')
    stage.pass(2_600, C, D, E)
    expect(stage.status(B)).toBe('dead')
  })

  test('is waited out no longer by one that is unwell as well as alone with it: 8.5 s', () => {
    const stage = acquainted([B, C, D, E])
    stage.state = { ...stage.state, awareness: stage.config.awareness_max }
    // With three silent of four it stays unwell.
    stage.pass(7_000, E)
    expect(stage.status(B)).toBe('suspect')
    stage.pass(1_500, E)
    expect([B, C, D].map((id) => stage.status(id))).toEqual(['dead', 'dead', 'dead'])
  })

  test('of the only other member, or of all at once, is not waited out longer: nobody could confirm', () => {
    const two = acquainted([B])
    two.pass(5_000)
    expect(two.status(B)).toBe('dead')
    const cut = acquainted([B, C, D, E])
    cut.pass(5_000)
    expect([B, C, D, E].map((id) => cut.status(id))).toEqual(['dead', 'dead', 'dead', 'dead'])
  })

  test('a helper that reaches it keeps it alive for as long as it does', () => {
    const stage = acquainted([B, C])
    for (let beats = 0; beats < 40; beats += 1) {
      stage.pass(250, C)
      const request = stage.sentTo(C).find(({ type }) => type === 'probe-request')
      if (request?.type !== 'probe-request') continue
      stage.say(C, { type: 'ack', ...stage.header(), probe: request.probe, origin: A, about: B })
    }
    expect(stage.status(B)).toBe('alive')
    expect(stage.changes).toEqual([])
    stage.pass(5_000, C)
    expect(stage.status(B)).not.toBe('alive')
  })

  test('nobody vouches unasked', () => {
    const stage = acquainted([B, C, D])
    stage.pass(1_250, C, D)
    expect(stage.status(B)).toBe('suspect')
    stage.say(C, { type: 'ack', ...stage.header(), probe: 7, origin: A, about: B })
    expect(stage.refused()).toEqual(['unasked-ack'])
    expect(stage.status(B)).toBe('suspect')
  })
})

describe('a stream that closes', () => {
  test('makes its peer suspect at once and has others ask after it', () => {
    const stage = acquainted([B, C, D])
    stage.give({ type: 'stream-closed', peer: B })
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'suspect', cause: 'stream-closed' })
    expect(stage.sentTo(C).map(({ type }) => type)).toEqual(['probe-request'])
  })

  test('means nothing of one that is unknown, dead or has left', () => {
    const stage = acquainted([B])
    stage.give({ type: 'stream-closed', peer: C })
    stage.heartbeat(B, { leaving: true })
    stage.give({ type: 'stream-closed', peer: B })
    expect(stage.status(B)).toBe('left')
  })
})

describe('coming back', () => {
  test('a suspect that is heard is alive, and still learns that it was accused', () => {
    const stage = acquainted([B, C])
    stage.give({ type: 'stream-closed', peer: B })
    stage.heartbeat(B)
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'alive', cause: 'heard' })
    stage.pass(250, C)
    expect(stage.sentTo(B)[0]).toMatchObject({ you: { status: 'suspect', incarnation: 0 } })
    stage.heartbeat(B, { incarnation: 1 })
    stage.pass(250, C)
    expect(stage.sentTo(B)[0]).not.toHaveProperty('you')
  })

  test('a dead one only by a higher incarnation; it is told at once that it needs one (M3)', () => {
    const stage = acquainted([B])
    stage.pass(5_000)
    stage.heartbeat(B)
    expect(stage.status(B)).toBe('dead')
    expect(stage.sentTo(B)[0]).toMatchObject({ type: 'heartbeat', you: { status: 'dead', incarnation: 0 } })
    stage.heartbeat(B, { incarnation: 1 })
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'alive', previous: 'dead', cause: 'refuted' })
  })

  test('a dead one is told what stands against it, not what did at an incarnation before', () => {
    const stage = acquainted([B, C])
    stage.sync(C, entry(B, 'suspect', 0))
    stage.pass(750, C)
    stage.sync(C, entry(B, 'dead', 3))
    stage.pass(8_000, C)
    expect(stage.status(B)).toBe('dead')
    stage.heartbeat(B, { incarnation: 1 })
    expect(stage.sentTo(B)[0]).toMatchObject({ you: { status: 'dead', incarnation: 3 } })
  })

  test('when one returns, all others that are gone are called at the next heartbeat', () => {
    const stage = acquainted([B, C, D])
    stage.pass(5_000)
    stage.heartbeat(B, { incarnation: 1 })
    stage.pass(250, B)
    for (const id of [C, D]) expect(stage.sentTo(id).map(({ type }) => type)).toContain('heartbeat')
  })

  test('a new life is announced by its own word alone, with a higher incarnation (M9)', () => {
    const stage = acquainted([B, C])
    stage.heartbeat(B, { boot: 9 })
    expect(stage.refused()).toEqual(['earlier-life'])
    // It is told how it is known, although that is alive: else it would never know that it must go higher.
    expect(stage.sentTo(B)).toMatchObject([{ you: { boot: 2, incarnation: 0, status: 'alive' } }])
    stage.sync(C, { ...entry(B, 'alive', 5), boot: 9 })
    expect(stage.member(B)!.life).toEqual({ boot: 2, incarnation: 0 })
    stage.heartbeat(B, { boot: 9, incarnation: 1 })
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'alive', restarted: true, boot: 9 })
  })
})

describe('what others say', () => {
  test('of a member that is heard changes nothing, but is passed on to it (M5)', () => {
    const stage = acquainted([B, C])
    for (const status of ['suspect', 'dead', 'left'] as const) {
      stage.sync(C, entry(B, status, 3))
      expect(stage.status(B)).toBe('alive')
    }
    expect(stage.changes).toEqual([])
    stage.pass(250, C)
    expect(stage.sentTo(B)[0]).toMatchObject({ you: { incarnation: 3 } })
  })

  test('of a silent one makes it suspect, never dead at once (M4)', () => {
    const stage = acquainted([B, C])
    stage.pass(750, C)
    stage.sync(C, entry(B, 'dead'))
    expect(stage.status(B)).toBe('suspect')
  })

  test('that it left makes it suspect, and the verdict `left`', () => {
    const stage = acquainted([B, C])
    stage.pass(750, C)
    stage.sync(C, entry(B, 'left'))
    expect(stage.status(B)).toBe('suspect')
    stage.pass(6_500, C)
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'left' })
  })

  test('of an earlier incarnation is old', () => {
    const stage = acquainted([C])
    stage.heartbeat(B, { incarnation: 5 })
    stage.pass(750, C)
    stage.sync(C, entry(B, 'dead', 4))
    expect(stage.status(B)).toBe('alive')
  })

  test('a refutation clears a suspect that is not heard', () => {
    const stage = acquainted([B, C])
    stage.pass(1_250, C)
    expect(stage.status(B)).toBe('suspect')
    stage.sync(C, entry(B, 'alive', 0))
    expect(stage.status(B)).toBe('suspect')
    stage.sync(C, entry(B, 'alive', 1))
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'alive', cause: 'refuted' })
  })

  test('does not raise an incarnation out of reach; an accusation there counts as one at the known', () => {
    const stage = acquainted([B, C])
    stage.pass(750, C)
    stage.sync(C, entry(B, 'alive', 1_025))
    expect(stage.refused()).toEqual(['incarnation-jump'])
    expect(stage.member(B)).toMatchObject({ life: { incarnation: 0 }, standing: { status: 'alive' } })
    stage.sync(C, entry(B, 'dead', 1_025))
    expect(stage.refused()).toEqual(['incarnation-jump'])
    expect(stage.member(B)).toMatchObject({
      life: { incarnation: 0 },
      standing: { status: 'suspect', accusers: [C] },
    })
  })
})

describe('what others say of oneself', () => {
  const claims = [
    ['suspect at the same incarnation', entry(A, 'suspect', 0, { boot: 1 }), 1],
    ['dead at a later one', entry(A, 'dead', 6, { boot: 1 }), 7],
    ['alive in another life', entry(A, 'alive', 3, { boot: 8 }), 4],
    ['alive at a later incarnation', entry(A, 'alive', 2, { boot: 1 }), 3],
    ['out of reach, as far as may be at once', entry(A, 'dead', 2 ** 51, { boot: 1 }), 2 ** 20],
    ['alive, as it is', entry(A, 'alive', 0, { boot: 1 }), 0],
  ] as const

  test.each(claims)('%s', (_name, claim, incarnation) => {
    const stage = acquainted([B])
    stage.sync(B, claim)
    expect(stage.state.self.incarnation).toBe(incarnation)
    // Told back at once, so that whoever said it can put itself right.
    expect(stage.sentTo(B).length).toBe(incarnation === 0 ? 0 : 1)
  })

  test('is refuted once a heartbeat, however often it is said', () => {
    const stage = acquainted([B])
    for (let n = 0; n < 100; n += 1) stage.sync(B, entry(A, 'dead', n * 10))
    expect(stage.state.self.incarnation).toBe(1)
  })

  test('is passed on as news, the refutation', () => {
    const stage = acquainted([B, C])
    stage.heartbeat(B, { you: { boot: 1, incarnation: 0, status: 'suspect' } })
    stage.pass(250, B, C)
    const [heartbeat] = stage.sentTo(C)
    expect(heartbeat).toMatchObject({ news: expect.arrayContaining([entry(A, 'alive', 1, { boot: 1 })]) })
  })
})

describe('replays (M8)', () => {
  const suspect = (seq: number): MembershipMessage => ({
    type: 'ping',
    boot: 2,
    incarnation: 0,
    seq,
    probe: 1,
  })

  test('a message counts once; one older than the window not at all; late ones within it do', () => {
    const stage = acquainted([])
    for (const seq of [10, 20, 30, 40, 50, 60, 70, 80, 90]) stage.say(B, suspect(seq))
    for (const [seq, counts] of [
      [90, false],
      [50, false],
      [10, false],
      [15, false],
      [85, true],
      [85, false],
    ] as const) {
      stage.say(B, suspect(seq))
      expect(stage.refused()).toEqual(counts ? [] : ['repeated'])
    }
  })

  test('what an earlier life said brings nothing back', () => {
    const stage = acquainted([B])
    stage.heartbeat(B, { boot: 7, incarnation: 1 })
    stage.heartbeat(B, { boot: 2, incarnation: 0, leaving: true })
    expect(stage.member(B)).toMatchObject({ life: { boot: 7 }, standing: { status: 'alive' } })
  })
})

describe('sleeping', () => {
  test('three seconds are blamed on nobody (M11)', () => {
    const stage = acquainted([B, C, D])
    stage.pass(250, B, C, D)
    stage.sleep(3_000)
    stage.give({ type: 'tick' })
    expect([B, C, D].map((id) => stage.status(id))).toEqual(['alive', 'alive', 'alive'])
    stage.pass(500)
    expect(stage.status(B)).toBe('alive')
  })

  test('nor when a message is the first that is heard of it', () => {
    const stage = acquainted([B, C])
    stage.sleep(3_000)
    stage.heartbeat(B)
    stage.give({ type: 'tick' })
    expect(stage.status(C)).toBe('alive')
    expect(stage.state.slept_ms).toBeGreaterThan(2_500)
  })

  test('makes patient, at most twice as much, and passes', () => {
    const stage = acquainted([B, C])
    for (let n = 0; n < 21; n += 1) {
      for (const id of [B, C]) stage.heartbeat(id)
      stage.sleep(1_000)
      stage.give({ type: 'tick' })
    }
    expect(stage.state.awareness).toBe(8)
    stage.pass(1_250, C)
    expect(stage.status(B)).toBe('alive')
    stage.pass(1_000, C)
    expect(stage.status(B)).toBe('suspect')
    stage.pass(8_000, C, B)
    expect(stage.state.awareness).toBe(0)
  })
})

describe('leaving', () => {
  test('is told to everyone at once, and nobody refutes it', () => {
    const stage = acquainted([B, C])
    stage.give({ type: 'leave' })
    for (const id of [B, C]) expect(stage.sentTo(id)).toMatchObject([{ type: 'heartbeat', leaving: true }])
    stage.heartbeat(B, { you: { boot: 1, incarnation: 0, status: 'left' } })
    expect(stage.state.self.incarnation).toBe(0)
  })

  test('is believed when the member says it itself', () => {
    const stage = acquainted([B])
    stage.heartbeat(B, { leaving: true })
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'left', cause: 'leaving' })
    stage.pass(10_000)
    expect(stage.status(B)).toBe('left')
  })

  test('and being forgotten after ten minutes', () => {
    const stage = acquainted([B, C])
    stage.heartbeat(B, { leaving: true })
    stage.pass(610_000, C)
    expect(stage.status(B)).toBeUndefined()
    expect(stage.state.gone).toEqual([])
  })

  test('a member that is no longer admitted is dropped', () => {
    const stage = acquainted([B, C])
    stage.strangers.add(B)
    stage.pass(4_250, C)
    expect(stage.changes).toMatchObject([
      { id: B, status: 'suspect' },
      { id: B, status: 'left', cause: 'not-admitted' },
    ])
    expect(stage.status(B)).toBeUndefined()
  })
})

describe('a member that falls and rises every second', () => {
  const flap = (stage: Stage, times: number): void => {
    for (let n = 0; n < times; n += 1) {
      stage.give({ type: 'stream-closed', peer: B })
      stage.pass(500, C)
      stage.heartbeat(B)
      stage.pass(500, B, C)
    }
  }

  test('is called unsteady after four falls and then no more spoken of, until 30 s without a fall', () => {
    const stage = acquainted([B, C])
    flap(stage, 600)
    expect(stage.changes.length).toBeLessThan(12)
    expect(lastChange(stage)).toMatchObject({ id: B, steady: false })
    const before = stage.changes.length
    stage.pass(29_000, B, C)
    expect(stage.changes).toHaveLength(before)
    stage.pass(40_000, B, C)
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'alive', steady: true, cause: 'settled' })
  })

  test('is still told dead when it dies', () => {
    const stage = acquainted([B, C])
    flap(stage, 10)
    stage.pass(8_000, C)
    expect(lastChange(stage)).toMatchObject({ id: B, status: 'dead', steady: false })
  })
})

describe('repair', () => {
  test('a digest that differs for half a second brings everything known, more seldom while it does not help', () => {
    const stage = acquainted([B, C])
    const syncs: number[] = []
    for (let n = 0; n < 240; n += 1) {
      stage.now = stage.state.due
      stage.heartbeat(B, { digest: 1 })
      stage.heartbeat(C)
      stage.give({ type: 'tick' })
      if (stage.sentTo(B).some(({ type }) => type === 'sync')) syncs.push(n / 4)
      expect(stage.sentTo(C).some(({ type }) => type === 'sync')).toBe(false)
    }
    expect(syncs[0]).toBeLessThanOrEqual(1)
    expect(syncs.length).toBeGreaterThan(6)
    expect(syncs.length).toBeLessThan(14)
  })
})

describe('a flood', () => {
  test('is answered as far as the heartbeat allows, and counted', () => {
    const stage = acquainted([B])
    let answers = 0
    for (let n = 0; n < 10_000; n += 1) {
      stage.say(B, { type: 'ping', ...stage.header(), probe: n })
      answers += stage.sentTo(B).length
    }
    expect(answers).toBe(stage.config.answers_per_beat)
    expect(stage.refused()).toEqual(['answers-used-up'])
  })
})
