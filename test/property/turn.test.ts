/**
 * Whatever happens in whatever order — speech, silence, engines that die or hang, texts, announcements, satellites that
 * come and go, skills that never answer — the promises of the turn machine hold at every step.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { replay } from '../../src/voice/replay.ts'
import { SATELLITE, type SpokenWord, Stage, say, turnOptions } from '../voice/stage.ts'

const SENTENCES = [
  'set a timer for five minutes',
  'set a timer',
  'five minutes',
  'what time is it',
  'stop',
  'yes',
  'clear the shopping list',
  'zebra stripes',
  'turn on the lights 300 in the kitchen',
  'cancel all timers',
  'say that again',
]

type Action =
  | { readonly do: 'speak'; readonly sentence: string }
  | { readonly do: 'noise'; readonly ms: number }
  | { readonly do: 'frames'; readonly ms: number }
  | { readonly do: 'gap'; readonly ms: number }
  | { readonly do: 'ask'; readonly text: string }
  | { readonly do: 'announce' }
  | { readonly do: 'finish' }
  | { readonly do: 'detach' }
  | { readonly do: 'attach' }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('speak' as const), sentence: fc.constantFrom(...SENTENCES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('noise' as const), ms: fc.integer({ min: 20, max: 900 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('frames' as const), ms: fc.integer({ min: 20, max: 3_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('gap' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('ask' as const), text: fc.constantFrom(...SENTENCES) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'announce' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'finish' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'detach' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'attach' as const }) },
)

/** How often each fault strikes, in percent; drawn per conversation. */
const faultRates = fc.record({
  stt: fc.constantFrom(0, 0, 10, 40, 100),
  tts: fc.constantFrom(0, 0, 30, 100),
  llm: fc.constantFrom(0, 50),
  hang: fc.constantFrom(0, 0, 10),
  skill: fc.constantFrom(0, 0, 40),
})

/** A small generator of its own, so that a conversation is one value and replays from it. */
function dice(seed: number): (percent: number) => boolean {
  let state = seed >>> 0 || 1
  return (percent) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % 100 < percent
  }
}

interface Drawn {
  readonly actions: readonly Action[]
  readonly rates: {
    readonly stt: number
    readonly tts: number
    readonly llm: number
    readonly hang: number
    readonly skill: number
  }
  readonly seed: number
}

function play({ actions, rates, seed }: Drawn): Stage {
  const words: SpokenWord[] = []
  const strikes = dice(seed)
  const stage = new Stage({
    words,
    faults: {
      stt: () => strikes(rates.stt),
      tts: () => strikes(rates.tts),
      llm: () => strikes(rates.llm),
      hang: () => strikes(rates.hang),
      skill: () => (strikes(rates.skill) ? (strikes(50) ? 'fails' : 'silent') : 'answers'),
    },
    model: () => (strikes(50) ? '{"name":"clock.time"}' : '{}'),
    skill: ({ intent }) => ({
      type: 'skill.result',
      speech: strikes(50) ? `Done: ${intent.name}. And here is a second sentence.` : 'Done.',
      ...(strikes(20) ? { follow_up: { confirm: true } as const } : {}),
    }),
  })
  stage.attach()
  for (const one of actions) perform(stage, one, words)
  // Enough quiet for every wait to run out; the satellite stays and sends silence, or is gone.
  stage.hear(stage.frames * 20 + 3_000)
  stage.advance(300_000 - 1)
  return stage
}

function perform(stage: Stage, one: Action, words: SpokenWord[]): void {
  const now = stage.frames * 20
  switch (one.do) {
    case 'speak': {
      const spoken = say(one.sentence, now)
      words.push(...spoken)
      stage.hear(spoken.at(-1)!.end_ms)
      break
    }
    case 'noise':
      words.push({ word: '', start_ms: now, end_ms: now + one.ms })
      stage.hear(now + one.ms)
      break
    case 'frames':
      stage.hear(now + one.ms)
      break
    case 'gap':
      stage.advance(one.ms)
      break
    case 'ask':
      stage.ask(one.text)
      break
    case 'announce':
      stage.tell({ type: 'announcement.speak', id: stage.frames, speech: 'Your timer is over.' })
      break
    case 'finish':
      stage.finishAudio()
      break
    case 'detach':
      stage.tell({ type: 'session.detach', satellite: SATELLITE })
      break
    case 'attach':
      stage.attach()
      break
  }
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  actions: fc.array(action, { minLength: 1, maxLength: 14 }),
  rates: faultRates,
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
})

/** Ten thousand conversations take about a minute; the full measure is for the long run. */
const RUNS = Number(process.env.LOQA_TEST_RUNS ?? 900)

describe('any conversation', () => {
  test('keeps every promise of the turn machine', { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(drawn, (conversation) => {
        const stage = play(conversation)
        check(stage)
      }),
      { numRuns: RUNS, seed: 20_261_121 },
    )
  })

  test('is decided again in the same way from its timeline, without audio', { timeout: 600_000 }, () => {
    const met = { turns: 0, decisions: 0, kinds: new Set<string>() }
    fc.assert(
      fc.property(drawn, (conversation) => {
        const { steps } = play(conversation)
        const verdict = replay(steps, turnOptions())
        expect({ verdict, steps: verdict.same ? [] : steps }).toMatchObject({ verdict: { same: true } })
        met.turns += verdict.turns
        met.decisions += verdict.decisions
        for (const { kind } of steps) met.kinds.add(kind)
      }),
      { numRuns: Math.ceil(RUNS / 3), seed: 20_261_126 },
    )
    expect(met.turns).toBeGreaterThan(RUNS / 2)
    expect(met.decisions).toBeGreaterThan(RUNS)
    expect([...met.kinds].sort()).toEqual([
      'llm.answer',
      'session.began',
      'skill.result',
      'stt.failed',
      'stt.text',
      'tts.began',
      'tts.failed',
      'turn.began',
      'turn.decided',
      'turn.ended',
      'turn.endpoint',
      'turn.replied',
      'turn.resumed',
    ])
  })

  test('replays byte for byte', () => {
    fc.assert(
      fc.property(drawn, (conversation) => {
        expect(play(conversation).trace.join('\n')).toBe(play(conversation).trace.join('\n'))
      }),
      { numRuns: 30, seed: 3 },
    )
  })
})

test('the conversations above meet every kind of trouble', () => {
  const met = new Set<string>()
  for (const conversation of fc.sample(drawn, { numRuns: 200, seed: 11 })) {
    const stage = play(conversation)
    for (const { labels } of stage.metrics) met.add(labels?.end ?? '')
    for (const { error, cut_off, partials } of stage.turns) {
      if (error !== undefined) met.add(error.code)
      if (cut_off) met.add('cut off')
      if (partials.length > 0) met.add('partials')
    }
    if (stage.silenced.length > 0) met.add('silenced')
    if (stage.trace.some((line) => line.includes('"id":"stt:1:1"'))) met.add('recovered')
    if (stage.trace.some((line) => line.includes('"id":"tts:1:0:1"'))) met.add('voice retried')
    if (stage.trace.some((line) => /< cancel .*"llm:/.test(line))) met.add('guess dropped')
  }
  expect([...met]).toEqual(
    expect.arrayContaining([
      'done',
      'interrupted',
      'failed',
      'engine-crashed',
      'timeout',
      'cut off',
      'partials',
      'silenced',
      'recovered',
      'voice retried',
      'guess dropped',
    ]),
  )
})

function check(stage: Stage): void {
  // T8 nothing hangs: after the longest waits nobody is in a turn and nobody waits for one.
  expect(stage.phase).toBe('idle')
  expect(stage.state.waiting).toEqual([])
  // T3 every turn begun ended exactly once, every text was answered exactly once.
  const ends = stage.metrics.filter(({ name }) => name === 'loqa_voice_turns_total')
  expect(ends).toHaveLength(stage.state.turn.turns)
  const answered = stage.answers.map(({ to }) => to.id)
  expect(answered).toEqual([...new Set(answered)])
  expect(answered).toHaveLength(stage.asked)
  // T5 a skill is asked at most once per turn.
  const skillAsks = stage.trace
    .filter((line) => line.includes('"type":"ask"'))
    .map((line) => /"id":"([^"]+)"/.exec(line)![1])
  expect(skillAsks).toEqual([...new Set(skillAsks)])
  checkSequence(stage)
}

/** T1, T2, T4 and T5 along the trace. */
function checkSequence(stage: Stage): void {
  let playing: string | undefined
  const silenced = new Set<string>()
  for (const line of stage.trace) {
    const audio = /< play .*"id":"(play:\d+)".*"op":"audio"/.exec(line)
    if (audio) {
      const id = audio[1]!
      // After a reply was silenced nothing of it is played, and no two replies overlap.
      expect(silenced.has(id)).toBe(false)
      if (playing !== undefined && playing !== id) expect(number(id)).toBeGreaterThan(number(playing))
      playing = id
    }
    const cancelled = /< cancel .*"id":"(play:\d+)"/.exec(line)
    if (cancelled) silenced.add(cancelled[1]!)
    // What is done on a guess only fills the cache: nothing is ever played for it.
    expect(line).not.toMatch(/< play .*"id":"guess/)
  }
}

const number = (id: string): number => Number(id.split(':')[1])
