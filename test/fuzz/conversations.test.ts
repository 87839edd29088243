/** What another node says of conversations is accepted or refused, never thrown on, and never passed on with more than was agreed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { limits } from '../../src/host/index.ts'
import { isAskFromAfar, MOST_SESSIONS, sessionsFromAfar, turnFromAfar } from '../../src/voice/afar.ts'

const turn = {
  session: 's1',
  room: 'hall',
  transcript: 'what time is it',
  partials: ['what', 'what time'],
  intent: 'clock.time',
  slots: { duration: 300, item: 'milk', items: ['milk', 'eggs'] },
  reply: 'It is ten past four.',
  latency_ms: { endpoint: 100, stt: 4.7, nlu: 0, skill: null, tts: 4, total: 119 },
  cut_off: false,
  reply_wav: null,
}
const error = { code: 'timeout', message: 'It took too long', hint: 'Again' }
const row = { id: 's1', room: 'hall', phase: 'idle', started_at: 1_700_000_000_000 }
const view = (more: object = {}) => ({ type: 'turn.view', turn: { ...turn, ...more } })
const rows = (sessions: readonly unknown[]) => ({ type: 'sessions.rows', sessions })

test('takes what a node of this version says', () => {
  expect(turnFromAfar(view())).toEqual(turn)
  expect(turnFromAfar(view({ error }))).toEqual({ ...turn, error })
  expect(sessionsFromAfar(rows([row]))).toEqual([row])
  expect(isAskFromAfar({ type: 'turn.ask', text: 'hello' } as never)).toBe(true)
})

test.each([
  ['a text that is too long', view({ reply: 'x'.repeat(limits.MAX_TURN_TEXT + 1) })],
  ['a field nobody knows', view({ shell: 'rm' })],
  ['a session that is no name', view({ session: '../x' })],
  ['too many slots', view({ slots: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`s${i}`, 1])) })],
  ['a slot with something inside', view({ slots: { a: { b: 1 } } })],
  ['a latency that is no number', view({ latency_ms: { ...turn.latency_ms, total: Number.NaN } })],
  ['another message', { ...view(), type: 'turn.ask' }],
])('refuses a turn with %s', (_, answer) => {
  expect(turnFromAfar(answer)).toBeUndefined()
})

test.each([
  ['more than a node has', Array(MOST_SESSIONS + 1).fill(row)],
  ['a time no date can show', [{ ...row, started_at: 1e17 }]],
  ['a node of its own choice', [{ ...row, node: 'another' }]],
  ['an empty room', [{ ...row, room: '' }]],
])('refuses a list with %s', (_, sessions) => {
  expect(sessionsFromAfar(rows(sessions))).toBeUndefined()
})

test.each([
  ['audio', { type: 'audio.frame', satellite: 'satellite-1', samples: new Int16Array(320), voiced: true }],
  ['a satellite', { type: 'session.attach', satellite: 'satellite-1', room: 'hall' }],
  ['an empty text', { type: 'turn.ask', text: '' }],
  ['a text that is too long', { type: 'turn.ask', text: 'x'.repeat(limits.MAX_TURN_TEXT + 1) }],
  ['a timer of its own', { type: 'idle.over' }],
])('a session takes no %s from another node', (_, message) => {
  expect(isAskFromAfar(message as never)).toBe(false)
})

test('anything at all', () => {
  const counts = { turns: 0, rows: 0, refused: 0 }
  const mutated = fc
    .tuple(fc.constantFrom<object>(view(), view({ error }), rows([row, row])), fc.anything(), fc.nat())
    .map(([message, junk, at]) => {
      const copy = structuredClone(message) as Record<string, unknown>
      const places = [copy, ...Object.values(copy).filter((inner) => typeof inner === 'object')] as object[]
      const place = places[at % places.length] as Record<string, unknown>
      const keys = Object.keys(place)
      if (at % 5 > 0) place[keys[at % keys.length]!] = junk
      return copy
    })
  fc.assert(
    fc.property(fc.oneof(mutated, fc.anything()), (value) => {
      const told = turnFromAfar(value)
      const list = sessionsFromAfar(value)
      if (told !== undefined) {
        counts.turns += 1
        expect(Object.keys(told).every((key) => key in turn || key === 'error')).toBe(true)
      } else if (list !== undefined) {
        counts.rows += 1
        for (const each of list) expect(Object.keys(each).sort()).toEqual(Object.keys(row).sort())
      } else counts.refused += 1
    }),
    { numRuns: 20_000 },
  )
  for (const [what, count] of Object.entries(counts)) expect(count, what).toBeGreaterThan(0)
})
