import { describe, expect, test } from 'vitest'
import { ENDPOINT_TIMES } from '../../src/voice/endpointing.ts'
import { CRASHED, endOf, type SpokenWord, Stage, type StageOptions, say } from './stage.ts'
import { glide, pause, sound } from './voiced-sound.ts'

/** Streams a spoken recording in real time and goes on with silence until the conversation is idle again. */
function converse(options: StageOptions, silence_ms = 6_000): Stage {
  const stage = new Stage(options)
  stage.attach()
  stage.hear(endOf(stage.words()) + silence_ms)
  return stage
}

describe('a spoken command', () => {
  test('is heard, understood, carried out and answered aloud', () => {
    const stage = converse({
      words: say('set a timer for five minutes'),
      skill: () => ({ type: 'skill.result', speech: 'Timer set for five minutes.' }),
    })
    expect(stage.turns).toHaveLength(1)
    expect(stage.turns[0]).toMatchObject({
      transcript: 'set a timer for five minutes',
      intent: 'timer.set',
      slots: { duration: 300 },
      reply: 'Timer set for five minutes.',
      cut_off: false,
    })
    expect(stage.invoked).toHaveLength(1)
    expect(stage.played.length).toBeGreaterThan(1)
    expect(stage.phase).toBe('idle')
  })

  test('is answered within 200 ms of its last sound when nothing can follow', () => {
    const stage = converse({ words: say('what time is it') })
    expect(stage.turns[0]!.latency_ms.total).toBeLessThanOrEqual(200)
    expect(stage.turns[0]!.latency_ms).toMatchObject({ stt: 2, skill: 3 })
  })

  test('is shown while it is spoken', () => {
    const stage = converse({ words: say('turn off the kitchen lights') })
    const types = stage.events.map(({ type }) => type)
    expect(types[0]).toBe('speech-started')
    expect(types.filter((type) => type === 'partial').length).toBeGreaterThanOrEqual(4)
    expect(types.indexOf('final')).toBeGreaterThan(types.lastIndexOf('partial'))
    expect(types.at(-1)).toBe('turn')
  })

  test('with a pause of a thought inside stays one turn', () => {
    for (const pause of [200, 400, 600, 800]) {
      const stage = converse({ words: say(`set a timer for ${pause} five minutes`) })
      expect(stage.turns.map(({ transcript }) => transcript)).toEqual(['set a timer for five minutes'])
      expect(stage.turns[0]!.cut_off).toBe(false)
    }
  })

  test('cut off too early is marked so, and the reply is silenced', () => {
    const stage = converse({ words: say('turn off the kitchen lights 400 in the garage') })
    expect(stage.turns[0]!.cut_off).toBe(true)
    expect(stage.silenced.length).toBeGreaterThanOrEqual(1)
  })

  test('ends at once when the recording does', () => {
    const words = say('set a timer for')
    const stage = new Stage({ words })
    stage.attach()
    stage.hear(endOf(words))
    stage.finishAudio()
    stage.advance(10_000)
    expect(stage.turns).toHaveLength(1)
  })

  test('ends when the frames stop coming', () => {
    const words = say('set a timer for')
    const stage = new Stage({ words })
    stage.attach()
    stage.hear(endOf(words))
    stage.advance(20_000)
    expect(stage.turns).toHaveLength(1)
    expect(stage.phase).toBe('idle')
  })
})

describe('a command that could go on', () => {
  /** Each word glides from one pitch to another, in Hz. */
  const spoken = (
    words: readonly SpokenWord[],
    pitches: readonly (readonly [number, number])[],
  ): Int16Array =>
    sound([
      pause(words[0]!.start_ms),
      ...words.flatMap((_, i) => {
        const [from, to] = pitches[i]!
        return [glide(280, from, to), pause(20)]
      }),
    ])
  const words = say('turn on the lights')
  const turnOnThe = [
    [150, 160],
    [160, 140],
    [140, 125],
  ] as const
  const falling = spoken(words, [...turnOnThe, [125, 85]])
  const rising = spoken(words, [...turnOnThe, [115, 150]])
  const waited = (recording?: Int16Array): number => {
    const stage = converse(recording === undefined ? { words } : { words, recording })
    expect(stage.turns.map(({ transcript }) => transcript)).toEqual(['turn on the lights'])
    return stage.turns[0]!.latency_ms.endpoint!
  }

  test('ends soon when the voice falls to its end', () => {
    expect(waited(falling)).toBe(ENDPOINT_TIMES.yielded_ms)
  })

  test('is waited for when the voice holds on, or tells nothing', () => {
    expect(waited(rising)).toBe(ENDPOINT_TIMES.open_ms)
    expect(waited()).toBe(ENDPOINT_TIMES.open_ms)
  })

  test('goes on after a pause in which the voice was held', () => {
    const stage = converse({ words: say('turn on the lights 700 in the kitchen'), recording: rising })
    expect(stage.turns.map(({ transcript }) => transcript)).toEqual(['turn on the lights in the kitchen'])
  })
})

describe('the conversation', () => {
  test('asks for what is missing and takes the answer', () => {
    const stage = converse({ words: [...say('set a timer'), ...say('five minutes', 6_000)] })
    expect(stage.turns[0]).toMatchObject({ intent: 'timer.set', reply: 'For how long?' })
    expect(stage.turns[1]).toMatchObject({ intent: 'timer.set', slots: { duration: 300 } })
    expect(stage.invoked).toHaveLength(1)
  })

  test('takes a new command in place of the answer', () => {
    const stage = converse({ words: [...say('set a timer'), ...say('what time is it', 6_000)] })
    expect(stage.turns.map(({ intent }) => intent)).toEqual(['timer.set', 'clock.time'])
  })

  test('forgets a question after a while', () => {
    const stage = new Stage()
    stage.ask('set a timer')
    stage.advance(21_000)
    stage.ask('five minutes')
    stage.advance(1_000)
    expect(stage.invoked).toHaveLength(0)
  })

  test('keeps a question open from when it was asked aloud, and while it is being answered', () => {
    const slow = 'five minutes'
    // The question takes a second to say; the answer begins 19.5 s after it and ends beyond the 20 s.
    const stage = converse({ words: [...say('set a timer'), ...say(slow, 22_300)] })
    expect(stage.turns[1]).toMatchObject({ intent: 'timer.set', slots: { duration: 300 } })
  })

  test('carries out what needs a yes only after one', () => {
    const stage = new Stage()
    stage.ask('clear the shopping list')
    stage.advance(100)
    expect(stage.invoked).toHaveLength(0)
    stage.ask('yes')
    stage.advance(100)
    expect(stage.invoked).toMatchObject([{ intent: { name: 'list.clear' }, confirmed: true }])
  })

  test('does not carry it out after a no', () => {
    const stage = new Stage()
    for (const text of ['clear the shopping list', 'no', 'yes']) {
      stage.ask(text)
      stage.advance(100)
    }
    expect(stage.invoked).toHaveLength(0)
  })

  test('keeps the question of a skill open', () => {
    const stage = new Stage({
      skill: ({ confirmed }) =>
        confirmed
          ? { type: 'skill.result', speech: 'All cancelled.' }
          : { type: 'skill.result', speech: 'Really all?', follow_up: { confirm: true } },
    })
    stage.ask('cancel all timers')
    stage.advance(100)
    stage.ask('yes')
    stage.advance(100)
    expect(stage.invoked.map(({ confirmed }) => confirmed)).toEqual([false, true])
    expect(replies(stage)).toEqual(['Really all?', 'All cancelled.'])
  })

  test('repeats the last reply, thanks and helps', () => {
    const stage = new Stage({ skill: () => ({ type: 'skill.result', speech: 'It is ten past four.' }) })
    for (const text of ['what time is it', 'say that again', 'thank you', 'say that again']) {
      stage.ask(text)
      stage.advance(100)
    }
    expect(replies(stage)).toEqual([
      'It is ten past four.',
      'It is ten past four.',
      'You are welcome.',
      'It is ten past four.',
    ])
    expect(stage.invoked).toHaveLength(1)
  })

  test('says honestly what nobody can do and what was not understood', () => {
    const stage = new Stage()
    stage.ask('turn on the kitchen lights')
    stage.advance(100)
    stage.ask('colorless green ideas sleep furiously')
    stage.advance(100)
    const [unhandled, unknown] = replies(stage)
    expect(unhandled).toMatch(/nothing here can do that yet/)
    expect(unknown).toBe('Sorry, I did not understand.')
  })

  test('says nothing when it was interrupted to stop', () => {
    const reply = 'This is a very long answer that goes on and on and on and on and on for a while.'
    const stage = converse({
      words: [...say('what time is it'), ...say('stop', 3_500)],
      skill: () => ({ type: 'skill.result', speech: reply }),
    })
    expect(stage.turns).toMatchObject([
      { intent: 'clock.time', cut_off: false },
      { intent: 'session.stop', reply: '' },
    ])
  })
})

describe('promises', () => {
  const long = 'This is a very long answer that goes on and on and on and on and on for a while.'
  const interrupted = (): Stage =>
    converse({
      words: [...say('what time is it'), ...say('what is the date', 3_500)],
      skill: () => ({ type: 'skill.result', speech: long }),
    })

  test('T1 a text waits for its turn while someone speaks', () => {
    const words = say('what time is it')
    const stage = new Stage({ words })
    stage.attach()
    stage.hear(900)
    stage.ask('what is the date')
    expect(stage.phase).toBe('listening')
    stage.hear(8_000)
    expect(stage.invoked.map(({ intent }) => intent.name)).toEqual(['clock.time', 'clock.date'])
    expect(stage.answers).toHaveLength(1)
  })

  test('T2 speech silences a reply within 200 ms', () => {
    const stage = interrupted()
    expect(stage.silenced[0]! - 3_500).toBeLessThanOrEqual(200)
    expect(stage.silenced[0]! - 3_500).toBeGreaterThan(0)
    expect(stage.played.filter(({ at, id }) => id === 'play:1' && at > stage.silenced[0]!)).toEqual([])
  })

  test('T3 every turn ends once', () => {
    const stage = interrupted()
    expect(stage.turns.map(({ intent }) => intent)).toEqual(['clock.time', 'clock.date'])
    const ends = stage.metrics.filter(({ name }) => name === 'loqa_voice_turns_total')
    expect(ends.map(({ labels }) => labels!.end)).toEqual(['interrupted', 'done'])
  })

  test('T4 a wrong guess is unheard', () => {
    const prompts: string[] = []
    const stage = converse({
      words: say('zebra 400 stripes'),
      model: (prompt) => {
        prompts.push(prompt)
        return prompt === 'zebra' ? '{"name":"clock.date"}' : '{"name":"clock.time"}'
      },
    })
    expect(prompts).toEqual(['zebra', 'zebra stripes'])
    expect(stage.turns).toMatchObject([{ transcript: 'zebra stripes', intent: 'clock.time' }])
    expect(stage.invoked).toHaveLength(1)
    expect(stage.played.every(({ id }) => id === 'play:1')).toBe(true)
  })

  test('T4 a right guess has the meaning ready when the turn ends', () => {
    const stage = converse({ words: say('zebra stripes'), model: () => '{"name":"clock.time"}' })
    expect(stage.turns).toMatchObject([{ intent: 'clock.time', latency_ms: { nlu: 0 } }])
  })

  test('T6 a language model that dies or stands still is apologised for, by its own name', () => {
    for (const [faults, code] of [
      [{ llm: () => true }, 'engine-crashed'],
      [{ hang: (kind?: string) => kind === 'llm' }, 'timeout'],
    ] as const) {
      const stage = converse({ words: say('zebra stripes'), faults })
      expect(stage.played.length).toBeGreaterThan(0)
      expect(stage.turns, code).toMatchObject([
        {
          intent: 'none',
          reply: 'Sorry, I cannot work that out just now. Please try again.',
          error: { code },
        },
      ])
    }
  })

  test('T5 a skill is asked once, after the end was decided', () => {
    const stage = converse({ words: say('set a timer for five minutes 150 and ten seconds') })
    expect(stage.invoked).toMatchObject([{ intent: { slots: { duration: 310 } } }])
  })

  test('T6 a recogniser that dies in mid-sentence loses nothing', () => {
    let words = 0
    const stage = converse({
      words: say('set a timer for five minutes'),
      // Dies as it recognises its third word, and once more after it came back.
      faults: { stt: () => [4, 5].includes(words++) },
    })
    expect(stage.turns).toMatchObject([{ transcript: 'set a timer for five minutes' }])
    expect(stage.trace.filter((line) => line.includes('failed'))).not.toHaveLength(0)
  })

  test('T6 a recogniser that stays dead is apologised for', () => {
    const stage = converse({ words: say('set a timer for five minutes'), faults: { stt: () => true } }, 9_000)
    expect(stage.turns).toHaveLength(1)
    expect(stage.turns).toMatchObject([
      { reply: 'Sorry, I lost you. Please say that again.', error: { code: 'engine-crashed' } },
    ])
    expect(stage.played.length).toBeGreaterThan(0)
  })

  test('T7 a voice that stays dead leaves the reply as text', () => {
    const stage = converse({ words: say('what time is it'), faults: { tts: () => true } })
    expect(stage.turns).toMatchObject([{ reply: 'Done: clock.time.', error: { code: CRASHED.code } }])
  })

  test('T7 a voice that dies once is asked again', () => {
    let deaths = 1
    const stage = converse({ words: say('what time is it'), faults: { tts: () => deaths-- > 0 } })
    expect(stage.turns[0]!.error).toBeUndefined()
    expect(stage.played.length).toBeGreaterThan(0)
  })

  test('T8 every wait ends in words', () => {
    const silentSkill = converse({ words: say('what time is it'), faults: { skill: () => 'silent' } })
    expect(silentSkill.turns).toMatchObject([{ reply: 'Sorry, that takes too long. Please try again.' }])
    const hung = converse({ words: say('what time is it'), faults: { hang: () => true } }, 30_000)
    expect(hung.turns).toHaveLength(1)
    expect(hung.phase).toBe('idle')
  })

  test('T9 what arrives late changes nothing', () => {
    const stage = interrupted()
    const before = stage.state
    for (const id of ['stt:1:0', 'tts:1:0:0', 'llm:1', 'play:1', 'guess:1']) {
      stage.tell({ type: 'outcome', id, event: 'done' } as never)
      stage.tell({ type: 'outcome', id, event: 'failed', error: CRASHED } as never)
    }
    stage.tell({ type: 'answer', id: 'skill:1', message: { type: 'skill.result' } } as never)
    stage.tell({ type: 'wait.over', turn: 1, wait: 'playout' })
    expect(stage.state.turn).toEqual(before.turn)
  })
})

const replies = (stage: Stage): string[] =>
  stage.answers.map(({ message }) => (message as unknown as { turn: { reply: string } }).turn.reply)
