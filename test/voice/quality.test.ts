/** What a tier does to a conversation: the plain voice steps in, a language model is left out, long answers are shortened. */
import { describe, expect, test } from 'vitest'
import type { EngineRequest, Service } from '../../src/inference/index.ts'
import { served } from '../../src/voice/served.ts'
import { WAITS } from '../../src/voice/turn-state.ts'
import { CRASHED, endOf, Stage, type StageOptions, say, turnOptions } from './stage.ts'

const rich: Service = {
  tier: 'rich',
  engines: { stt: 'stt', llm: 'llm', tts: 'tts' },
  second: { stt: undefined, llm: undefined },
  ...{ plain: 'tts.formant:en', late_ms: 450, most_sentences: undefined, most_tokens: undefined },
}
const fast: Service = {
  tier: 'fast',
  engines: { stt: 'stt', llm: undefined, tts: 'tts.formant:en' },
  second: { stt: undefined, llm: undefined },
  ...{ plain: undefined, late_ms: 60, most_sentences: 2, most_tokens: 64 },
}

function converse(sentence: string, service: () => Service, more: Partial<StageOptions> = {}): Stage {
  const words = say(sentence)
  const stage = new Stage({ words, service, ...more })
  stage.attach()
  stage.hear(endOf(words) + 1_500)
  stage.advance(20_000)
  return stage
}

const LONG = 'One is here. Two is here. Three is here. Four is here.'
const skill =
  (speech: string, slot?: string): NonNullable<StageOptions['skill']> =>
  () => ({ type: 'skill.result', speech, ...(slot === undefined ? {} : { follow_up: { slot } }) })

/** What was asked of engines, in order: engine and text. */
const asked = (stage: Stage): string[] =>
  stage.trace.flatMap((line) => {
    const effect = /< infer (\{.*"op":"open".*\})$/.exec(line)?.[1]
    if (effect === undefined) return []
    const { to, body } = JSON.parse(effect) as { to: string; body: EngineRequest }
    return body.kind === 'tts' ? [`${to}: ${body.text}`] : body.kind === 'llm' ? [to] : []
  })

describe('a voice that is late', () => {
  const late = (what: 'hangs' | 'fails') => {
    let runs = 0
    const first = (): boolean => {
      runs += 1
      return runs === 1
    }
    return what === 'hangs'
      ? { hang: (kind?: EngineRequest['kind']) => kind === 'tts' && first() }
      : { tts: first }
  }

  test('is given up after its part of the budget, and the plain one says the whole reply', () => {
    const faults = late('hangs')
    const stage = converse('what time is it', () => rich, { skill: skill('It is noon. Good day.'), faults })
    expect(asked(stage)).toEqual([
      'tts: It is noon.',
      'tts.formant:en: It is noon.',
      'tts.formant:en: Good day.',
    ])
    const [turn] = stage.turns
    expect(turn).toMatchObject({ reply: 'It is noon. Good day.' })
    expect(turn!.error).toBeUndefined()
    expect(turn!.latency_ms.tts).toBeGreaterThanOrEqual(450)
    expect(turn!.latency_ms.tts).toBeLessThan(550)
    expect(stage.metrics.map(({ name }) => name)).toContain('loqa_qos_plain_voice_total')
  })

  test('that fails is not waited for again', () => {
    const faults = late('fails')
    const stage = converse('what time is it', () => rich, { skill: skill('It is noon.'), faults })
    expect(asked(stage)).toEqual(['tts: It is noon.', 'tts.formant:en: It is noon.'])
    expect(stage.turns[0]!.latency_ms.tts).toBeLessThan(WAITS.retry_ms)
  })

  test('is tried again where there is no other', () => {
    const faults = late('fails')
    const alone = { ...rich, plain: undefined }
    const stage = converse('what time is it', () => alone, { skill: skill('It is noon.'), faults })
    expect(asked(stage)).toEqual(['tts: It is noon.', 'tts: It is noon.'])
  })

  test('and a plain one that fails too end in text, after as many tries as ever', () => {
    const stage = converse('what time is it', () => rich, {
      skill: skill('It is noon.'),
      faults: { tts: () => true },
    })
    expect(asked(stage)).toHaveLength(WAITS.retries + 1)
    expect(stage.turns[0]).toMatchObject({ reply: 'It is noon.', error: { code: CRASHED.code } })
  })
})

describe('a recogniser', () => {
  const second: Service = { ...rich, second: { stt: { to: 'stt.own', late_ms: 500 }, llm: undefined } }
  /** Which recognisers were opened, in order. */
  const heardBy = (stage: Stage): string[] =>
    stage.trace.flatMap((line) => {
      const effect = /< infer (\{.*"op":"open".*\})$/.exec(line)?.[1]
      if (effect === undefined) return []
      const { to, body } = JSON.parse(effect) as { to: string; body: EngineRequest }
      return body.kind === 'stt' ? [to] : []
    })
  /** As a server that hears whole recordings: no word before the end. */
  const late = (finish: () => boolean): Partial<StageOptions> => ({
    ...{ skill: skill('It is noon.'), lag_ms: 60_000 },
    faults: { hang: (opened) => opened === undefined && finish() },
  })

  test('that hangs is late once: the next one hears the whole sentence again, and it is answered', () => {
    let asked_for = 0
    const stage = converse(
      'what time is it',
      () => second,
      late(() => asked_for++ === 0),
    )
    expect(heardBy(stage)).toEqual(['stt', 'stt.own'])
    expect(stage.turns[0]).toMatchObject({ transcript: 'what time is it', reply: 'It is noon.' })
    expect(stage.turns[0]!.latency_ms.stt).toBeGreaterThanOrEqual(500)
    expect(stage.turns[0]!.latency_ms.stt).toBeLessThan(600)
    expect(stage.metrics.map(({ name }) => name)).toContain('loqa_qos_done_again_total')
  })

  test('is tried again itself, after a moment, where there is no other, and in turns where that fails too', () => {
    const never = late(() => true)
    const alone = converse('what time is it', () => rich, never)
    expect(new Set(heardBy(alone))).toEqual(new Set(['stt']))
    const both = converse('what time is it', () => second, never)
    expect(heardBy(both).slice(0, 4)).toEqual(['stt', 'stt.own', 'stt', 'stt.own'])
    expect(heardBy(both)).toHaveLength(WAITS.retries + 1)
    expect(both.turns[0]!.error).toMatchObject({ code: 'timeout' })
  })
})

describe('a language model', () => {
  const UNKNOWN = 'zebra stripes'
  const second: Service = { ...rich, second: { stt: undefined, llm: { to: 'llm.own', late_ms: 400 } } }
  const model = (): string => '{"name":"clock.time"}'
  const models = (stage: Stage): string[] => asked(stage).filter((to) => /^llm/.test(to))

  test('that is late is asked no longer: the next one is, in the same turn', () => {
    // A guess asked it first, about the half of the sentence.
    let runs = 0
    const hang = (kind?: EngineRequest['kind']): boolean => kind === 'llm' && runs++ < 2
    const more = { model, skill: skill('It is noon.'), faults: { hang } }
    const stage = converse(UNKNOWN, () => second, more)
    expect(models(stage)).toEqual(['llm', 'llm', 'llm.own'])
    expect(stage.turns[0]).toMatchObject({ intent: 'clock.time', reply: 'It is noon.' })
    expect(stage.turns[0]!.error).toBeUndefined()
    expect(stage.turns[0]!.latency_ms.nlu).toBeLessThan(500)
    runs = 0
    const alone = converse(UNKNOWN, () => rich, more)
    expect(new Set(models(alone))).toEqual(new Set(['llm']))
    expect(alone.turns[0]!.error).toMatchObject({ code: 'timeout' })
  })

  test('that fails is not waited for; a second one that fails too is the end', () => {
    const stage = converse(UNKNOWN, () => second, { model, faults: { llm: () => true } })
    expect(models(stage)).toEqual(['llm', 'llm', 'llm.own'])
    expect(stage.turns).toHaveLength(1)
    expect(stage.turns[0]!.error).toMatchObject({ code: CRASHED.code })
  })
})

describe('the lowest tier', () => {
  const UNKNOWN = 'would you maybe start counting five minutes'

  test('does not ask a language model that is too slow: it says that it did not understand', () => {
    const above = converse(UNKNOWN, () => rich, { model: () => '{"intent":"time.now"}' })
    expect(asked(above)).toContain('llm')
    const stage = converse(UNKNOWN, () => fast, { model: () => '{"intent":"time.now"}' })
    expect(asked(stage)).toEqual(['tts.formant:en: Sorry, I did not understand.'])
    expect(stage.turns[0]!.error).toBeUndefined()
  })

  test('says the first two sentences of a long answer, and shows all of it', () => {
    const stage = converse('what time is it', () => fast, { skill: skill(LONG) })
    expect(asked(stage)).toEqual(['tts.formant:en: One is here.', 'tts.formant:en: Two is here.'])
    expect(stage.turns[0]!.reply).toBe(LONG)
    expect(asked(converse('what time is it', () => rich, { skill: skill(LONG) }))).toHaveLength(4)
  })

  test('says a question whole', () => {
    const asking = converse('what time is it', () => fast, { skill: skill(LONG, 'zone') })
    expect(asked(asking)).toHaveLength(4)
    expect(asked(converse('what time is it', () => fast, { skill: skill(`${LONG} Is it?`) }))).toHaveLength(5)
  })
})

test('what is in force is taken up with the next message, and made anew only when it changed', () => {
  let service = rich
  const options = { ...turnOptions(), voice: 'anna', service: () => service }
  const now = served(options)
  expect(now()).toBe(now())
  expect(now()).toMatchObject({ voice: 'anna', plain: { tts: 'tts.formant:en', late_ms: 450 } })
  service = fast
  expect(now()).toMatchObject({ engines: fast.engines, most_sentences: 2 })
  expect([now().voice, now().plain]).toEqual([undefined, undefined])
  const plain = turnOptions()
  expect(served(plain)()).toBe(plain)
})
