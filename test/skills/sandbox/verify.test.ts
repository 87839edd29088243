import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change, SkillCall } from '../../../src/skills/call.ts'
import { FULL, HostCalls, INVALID, MAX_TIMERS, OK } from '../../../src/skills/sandbox/hostcalls.ts'
import { type Grant, verifyAnswer } from '../../../src/skills/sandbox/verify.ts'

const GRANT: Grant = {
  permissions: ['storage', 'timers'],
  budget: { call_ms: 100, memory_kb: 1_024, host_calls: 64, storage_kb: 1 },
}
const CALL: SkillCall = {
  entry: 'handle',
  input: '{}',
  storage: { old: 'x'.repeat(100) },
  timers: { ringing: 5 },
  time: { wall_ms: 1_000, offset_min: 60 },
  seed: 42,
}

const verdict = (changes: readonly unknown[], output = '{"speech":"done"}', grant = GRANT): string => {
  const outcome = verifyAnswer({ answer: 'answered', output, changes }, 'pet', CALL, grant)
  return outcome.ok ? 'accepted' : `${outcome.error.code}: ${outcome.error.message}`
}
const put = (key: string, value: string): Change => ({ change: 'put', key, value })

describe('an answer from a sandbox', () => {
  it('is accepted within grant and budget', () => {
    expect(verdict([put('a', 'b'), { change: 'delete', key: 'old' }])).toBe('accepted')
    expect(verdict([{ change: 'timer-set', timer: 't', delay_ms: 5 }])).toBe('accepted')
    expect(verdict([{ change: 'log', level: 'info', message: 'hm' }])).toBe('accepted')
    expect(verdict([], '')).toBe('accepted')
  })

  it.each([
    [
      'speaks without being granted to',
      [{ change: 'announce', speech: 'boo', room: '', session: '' }],
      'not granted',
    ],
    [
      'stores more than it may',
      Array.from({ length: 10 }, (_, key) => put(`k${key}`, 'x'.repeat(100))),
      'storage',
    ],

    [
      'changes more than it can have asked for',
      Array.from({ length: 65 }, () => put('a', 'b')),
      'host calls',
    ],
    ['rings in a month', [{ change: 'timer-set', timer: 't', delay_ms: 30 * 86_400_000 }], 'does not exist'],
    ['rings in no number of time', [{ change: 'timer-set', timer: 't', delay_ms: null }], 'does not exist'],
    ['invents a change', [{ change: 'format-disk' }], 'does not exist'],
    ['adds to a change', [{ ...put('a', 'b'), collection: 'skill.other' }], 'does not exist'],
    ['has no key', [put('', 'b')], 'does not exist'],
    [
      'logs without end',
      Array.from({ length: 17 }, () => ({ change: 'log', level: 'info', message: 'x' })),
      'log lines',
    ],
  ])('that %s', (_, changes, why) => {
    expect(verdict(changes)).toContain(why)
  })

  it.each([
    'null',
    '[]',
    '"done"',
    '{"speech":5}',
    '{"speech":"x","run":"y"}',
    'not json',
    '{"follow_up":{}}',
  ])('whose output is %s is refused', (output) => {
    expect(verdict([], output)).toContain('output')
  })

  it('may shrink a state that is over its budget, not grow it', () => {
    const tight = { ...GRANT, budget: { ...GRANT.budget, storage_kb: 0 } }
    expect(verdict([put('old', 'x'.repeat(50))], '', tight)).toBe('accepted')
    expect(verdict([put('old', 'x'.repeat(101))], '', tight)).toContain('storage')
  })

  it('is anything at all: it is judged and never throws', () => {
    const anything = fc.anything({ maxDepth: 4, withBigInt: false })
    const almost = fc.record(
      {
        answer: fc.constantFrom('answered', 'failed', 'ready'),
        output: fc.oneof(fc.json(), fc.string()),
        changes: fc.oneof(
          fc.array(
            fc.oneof(
              anything,
              fc.record({ change: fc.constantFrom('put', 'announce'), key: anything, value: anything }),
            ),
          ),
          anything,
        ),
        fault: fc.oneof(fc.string(), fc.constant('skill-trapped')),
        message: fc.string(),
      },
      { requiredKeys: ['answer'] },
    )
    fc.assert(
      fc.property(fc.oneof(anything, almost), (body) => {
        const outcome = verifyAnswer(body, 'pet', CALL, GRANT)
        if (!outcome.ok) expect(outcome.error.code).toMatch(/^skill-/)
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('host calls', () => {
  const host = (): HostCalls => new HostCalls(CALL, GRANT.budget)

  it('note what changes, and nothing else', () => {
    const calls = host()
    expect(calls.get('old')).toHaveLength(100)
    expect(calls.put('new', 'value')).toBe(OK)
    expect(calls.delete('never')).toBe(OK)
    expect(calls.delete('old')).toBe(OK)
    expect(calls.keys('')).toEqual(['new'])
    expect(calls.timerLeft('ringing')).toBe(5)
    expect(calls.timerLeft('none')).toBe(-1)
    expect(calls.setTimer('t', 1_000.4)).toBe(OK)
    expect(calls.cancelTimer('ringing')).toBe(OK)
    expect(calls.timers()).toEqual(['t'])
    expect(calls.changes).toEqual([
      put('new', 'value'),
      { change: 'delete', key: 'old' },
      { change: 'timer-set', timer: 't', delay_ms: 1_000 },
      { change: 'timer-cancel', timer: 'ringing' },
    ])
  })

  it('note of each key and timer the last change only', () => {
    const calls = host()
    for (const value of ['one', 'two', 'three']) calls.put('k', value)
    calls.put('gone', 'x')
    calls.delete('gone')
    calls.setTimer('t', 1)
    calls.setTimer('t', 2)
    expect(calls.changes).toEqual([
      put('k', 'three'),
      { change: 'delete', key: 'gone' },
      { change: 'timer-set', timer: 't', delay_ms: 2 },
    ])
  })

  it('refuse what does not fit and leave everything as it was', () => {
    const calls = host()
    expect(calls.put('big', 'x'.repeat(1_000))).toBe(FULL)
    expect(calls.put('', 'x')).toBe(INVALID)
    expect(calls.put('k', 'x'.repeat(20_000))).toBe(INVALID)
    for (const delay of [-1, Number.NaN, Number.POSITIVE_INFINITY, 604_800_001]) {
      expect(calls.setTimer('t', delay)).toBe(INVALID)
    }
    expect(calls.announce('', '', '')).toBe(INVALID)
    expect(calls.changes).toEqual([])
    for (let at = 1; at < MAX_TIMERS; at += 1) expect(calls.setTimer(`t${at}`, 1)).toBe(OK)
    expect(calls.setTimer('one-more', 1)).toBe(FULL)
    expect(calls.setTimer('t1', 2)).toBe(OK)
  })

  it('drop log lines over the limit instead of failing', () => {
    const calls = host()
    for (let line = 0; line < 100; line += 1) calls.log('info', 'x'.repeat(2_000))
    expect(calls.changes).toHaveLength(16)
    expect(verdict(calls.changes)).toBe('accepted')
  })

  it('draw the same random numbers for the same seed', () => {
    const draws = (): number[] => {
      const calls = host()
      return Array.from({ length: 5 }, () => calls.random())
    }
    expect(draws()).toEqual(draws())
    expect(new Set(draws()).size).toBe(5)
  })

  it('never note what the node would refuse', () => {
    const grant: Grant = { ...GRANT, permissions: ['storage', 'timers', 'speak'] }
    const name = fc.string({ maxLength: 140 })
    const deed = fc.oneof(
      fc.record({ do: fc.constant('put' as const), key: name, value: fc.string({ maxLength: 400 }) }),
      fc.record({ do: fc.constant('delete' as const), key: fc.oneof(name, fc.constant('old')) }),
      fc.record({ do: fc.constant('timer' as const), key: name, delay: fc.double() }),
      fc.record({ do: fc.constant('announce' as const), key: fc.string({ maxLength: 1_100 }) }),
      fc.record({ do: fc.constant('log' as const), key: fc.string({ maxLength: 600 }) }),
    )
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const calls = host()
        for (const one of deeds) {
          if (one.do === 'put') calls.put(one.key, one.value)
          else if (one.do === 'delete') calls.delete(one.key)
          else if (one.do === 'timer') calls.setTimer(one.key, one.delay)
          else if (one.do === 'announce') calls.announce(one.key, '', '')
          else calls.log('info', one.key)
        }
        expect(verdict(JSON.parse(JSON.stringify(calls.changes)), '', grant)).toBe('accepted')
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('what reaches out', () => {
  const lamp = { id: 'lamp', name: 'lamp', room: '', kind: 'light', state: {} } as const
  const REACHING: Grant = {
    ...GRANT,
    permissions: ['devices', 'http', 'language', 'question', 'topics', 'cards', 'personal'],
    publishes: ['pets.fed'],
  }
  const judge = (change: unknown, grant = REACHING): string => {
    const call = { ...CALL, devices: [lamp], personal: {} }
    const outcome = verifyAnswer({ answer: 'answered', output: '', changes: [change] }, 'pet', call, grant)
    return outcome.ok ? 'accepted' : outcome.error.message
  }
  const http = { change: 'http', id: 'a', method: 'GET', url: 'https://a.example', headers: {} }
  const RIGHT = [
    { change: 'device', device: 'lamp', command: 'on' },
    { change: 'device', device: 'lamp', command: 'set_level', value: 0.5 },
    http,
    { change: 'language', id: 'a', prompt: 'p', max_tokens: 1 },
    { change: 'question', id: 'a', speech: 'Yes?', room: '', session: '' },
    { change: 'publish', topic: 'pets.fed', data: '' },
    { change: 'card', card: {}, room: '' },
    { change: 'personal-put', key: 'a', value: 'b' },
  ]

  it.each(RIGHT)('%j is accepted where it was granted, and nowhere else', (change) => {
    expect(judge(change)).toBe('accepted')
    expect(judge(change, GRANT)).toContain('not granted')
  })

  it.each([
    [{ change: 'device', device: 'other', command: 'on' }, 'a device it was not told of'],
    [{ change: 'device', device: 'lamp', command: 'rm -rf /' }, 'not in the form agreed upon'],
    [{ change: 'device', device: 'lamp', command: 'on', value: {} }, 'not in the form agreed upon'],
    [{ change: 'publish', topic: 'pets.hungry', data: '' }, 'the topic pets.hungry was not granted'],
    [{ ...http, method: 'CONNECT' }, 'not in the form agreed upon'],
    [{ ...http, headers: { 'a b': 'c' } }, 'not in the form agreed upon'],
    [
      { ...http, headers: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`h${i}`, ''])) },
      'not in the form agreed upon',
    ],
    [{ ...http, url: 'x'.repeat(3_000) }, 'not in the form agreed upon'],
    [{ ...http, private: true }, 'not in the form agreed upon'],
    [{ change: 'language', id: 'a', prompt: 'p', max_tokens: 1e9 }, 'not in the form agreed upon'],
    [{ change: 'personal-put', key: 'a', value: 'x'.repeat(12_000) }, 'what it keeps of one person'],
  ])('%j is refused', (change, why) => {
    expect(judge(change)).toContain(why)
  })

  it('too much of one kind is refused', () => {
    const many = Array.from({ length: 9 }, () => http)
    const grant = { ...REACHING, budget: { ...GRANT.budget, host_calls: 100 } }
    const outcome = verifyAnswer({ answer: 'answered', output: '', changes: many }, 'pet', CALL, grant)
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('too many requests') },
    })
  })

  it('nothing is kept of a person nobody named', () => {
    const change = { change: 'personal-put', key: 'a', value: 'b' }
    const outcome = verifyAnswer({ answer: 'answered', output: '', changes: [change] }, 'pet', CALL, REACHING)
    expect(outcome).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('nobody is known') },
    })
  })
})
