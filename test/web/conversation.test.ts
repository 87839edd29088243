/** What the page shows: words while they are heard, each line once, an answer as soon as it is spoken, its times when it is complete. */
import { describe, expect, it } from 'vitest'
import type { TurnView } from '../../src/api/index.ts'
import { type Conversation, type Happening, happened, QUIET } from '../../src/web/conversation.ts'

const turn = (reply: string, more: Partial<TurnView> = {}): TurnView => ({
  session: 's',
  room: 'kitchen',
  transcript: 'what time is it',
  partials: [],
  intent: 'clock.time',
  slots: {},
  reply,
  latency_ms: { endpoint: 100, stt: 5, nlu: 0, skill: 7, tts: 4, total: 119 },
  cut_off: false,
  reply_wav: null,
  ...more,
})

const shown = (...events: readonly Happening[]): Conversation => events.reduce(happened, QUIET)
const texts = ({ lines }: Conversation): readonly string[] => lines.map(({ who, text }) => `${who}: ${text}`)

const ASKED: readonly Happening[] = [
  { type: 'speech-started' },
  { type: 'partial', text: 'what time' },
  { type: 'partial', text: 'what time is it' },
  { type: 'final', text: 'what time is it' },
]
const SPOKEN: readonly Happening[] = [
  ...ASKED,
  { type: 'reply', turn: 1, from: 0, text: 'It is ten past four.' },
  { type: 'playing', on: true },
]

describe('a turn by voice', () => {
  it('shows words while they are heard, then as a line, once (C1)', () => {
    expect(shown(...ASKED.slice(0, 2))).toMatchObject({ phase: 'listening', partial: 'what time', lines: [] })
    const heard = shown(...ASKED)
    expect(heard).toMatchObject({ phase: 'thinking', partial: '' })
    expect(texts(heard)).toEqual(['person: what time is it'])
  })

  it('shows the answer as it is spoken, and its times when the turn is complete (C2)', () => {
    const speaking = shown(...SPOKEN)
    expect(speaking.phase).toBe('speaking')
    expect(texts(speaking)).toEqual(['person: what time is it', 'house: It is ten past four.'])
    const done = happened(speaking, { type: 'completed', turn: turn('It is ten past four.') })
    expect(texts(done)).toEqual(texts(speaking))
    expect(done.lines[1]?.turn?.latency_ms.total).toBe(119)
    expect(happened(done, { type: 'playing', on: false }).phase).toBe('idle')
  })

  it('shows an answer that came without its text, and one that goes on after a break, once', () => {
    const silent = shown(
      ...ASKED,
      { type: 'reply', turn: 1, from: 0 },
      { type: 'completed', turn: turn('It is four.') },
    )
    expect(texts(silent)).toEqual(['person: what time is it', 'house: It is four.'])
    const broken = shown(...SPOKEN, { type: 'reply', turn: 1, from: 16_000, text: 'It is ten past four.' })
    expect(broken.lines).toHaveLength(2)
  })

  it('marks an answer that somebody spoke over', () => {
    const over = shown(...SPOKEN, { type: 'speech-started' }, { type: 'stop-playback' })
    expect(over).toMatchObject({ phase: 'listening' })
    expect(over.lines[1]?.interrupted).toBe(true)
    const again = happened(happened(over, { type: 'completed', turn: turn('It is ten past four.') }), {
      type: 'final',
      text: 'stop',
    })
    expect(again.lines.map(({ interrupted }) => interrupted)).toEqual([false, true, false])
  })

  it('that came to nothing leaves no line', () => {
    expect(shown({ type: 'speech-started' }, { type: 'final', text: '' })).toEqual(QUIET)
  })
})

describe('what else is said', () => {
  it('an announcement is one line, although its sound is announced as a reply too', () => {
    const rung = shown(
      { type: 'announce', text: 'Your pasta timer is done.' },
      { type: 'reply', turn: 2, from: 0, text: 'Your pasta timer is done.' },
      { type: 'reply-end' },
    )
    expect(texts(rung)).toEqual(['house: Your pasta timer is done.'])
    expect(texts(happened(rung, { type: 'reply', turn: 3, from: 0, text: 'Yes?' }))).toHaveLength(2)
  })

  it('a turn by text is answered in place; a refusal is told with what to do', () => {
    const typed = shown({ type: 'typed', text: 'what time is it' })
    expect(typed.phase).toBe('thinking')
    const done = happened(typed, { type: 'answered', turn: turn('It is four.') })
    expect(done.phase).toBe('idle')
    expect(texts(done)).toEqual(['person: what time is it', 'house: It is four.'])
    const refused = happened(typed, {
      type: 'trouble',
      message: 'The node does not answer',
      hint: 'Is it running?',
    })
    expect(refused).toMatchObject({
      phase: 'idle',
      lines: [{}, { kind: 'trouble', text: 'The node does not answer. Is it running?' }],
    })
  })

  it('a card is its words', () => {
    const { lines } = shown({ type: 'card', card: { title: 'Shopping', count: 3, secret: { not: 'shown' } } })
    expect(lines).toMatchObject([{ kind: 'card', text: 'Shopping · 3' }])
  })

  it('no more than two hundred lines are kept, the newest (C3)', () => {
    const talk = Array.from({ length: 250 }, (_, i): Happening => ({ type: 'typed', text: `line ${i}` }))
    const { lines } = shown(...talk)
    expect(lines).toHaveLength(200)
    expect(lines.at(-1)?.text).toBe('line 249')
  })
})
