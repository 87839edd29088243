/** What is said on one Wyoming connection: W1 to W4 of `dialogue.ts`. */
import { describe, expect, it } from 'vitest'
import {
  type DialogueEffect,
  type DialogueInput,
  dialogue,
  MAX_RECORDING_MS,
  newDialogue,
} from '../../../src/api/wyoming/dialogue.ts'

const FORMAT = { rate: 16_000, width: 2, channels: 1 }
const heard = (
  type: string,
  data: Record<string, unknown> = {},
  payload = new Uint8Array(0),
): DialogueInput => ({
  type: 'event',
  event: { type, data, payload },
})
const START = heard('audio-start', FORMAT)
const STOP = heard('audio-stop')
const chunk = (bytes: number): DialogueInput => heard('audio-chunk', FORMAT, new Uint8Array(bytes))

/** The effects of these inputs, in short: `send:transcript`, `record`, … */
function said(...inputs: readonly DialogueInput[]): string[] {
  let state = newDialogue
  return inputs.flatMap((input) => {
    const step = dialogue(state, input)
    state = step.state
    return step.effects.map(short)
  })
}
const short = (effect: DialogueEffect): string =>
  effect.type === 'send'
    ? `send:${effect.event.type}${'code' in effect.event.data ? `:${effect.event.data.code}` : ''}`
    : effect.type

describe('a recording (W1)', () => {
  it('is read when it ends, and its words are the answer', () => {
    const words: DialogueInput = { type: 'read', text: 'what time is it' }
    expect(said(heard('transcribe', { language: 'en' }), START, chunk(640), STOP, words)).toEqual([
      'record',
      'audio',
      'read',
      'send:transcript',
    ])
  })

  it('is answered with the error when it could not be read, and the next one is heard', () => {
    const failed: DialogueInput = {
      type: 'unread',
      trouble: { code: 'engine-unavailable', message: 'no engine' },
    }
    expect(said(START, STOP, failed, START)).toEqual([
      'record',
      'read',
      'send:error:engine-unavailable',
      'record',
    ])
  })

  it('gives up the one before that never ended', () => {
    expect(said(START, START)).toEqual(['record', 'drop-recording', 'record'])
  })

  it('of two channels is heard on the left one', () => {
    const stereo = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9])
    const begun = dialogue(newDialogue, heard('audio-start', { ...FORMAT, channels: 2 })).state
    const { effects } = dialogue(begun, heard('audio-chunk', {}, stereo))
    expect(effects).toEqual([{ type: 'audio', pcm: new Uint8Array([1, 2, 5, 6]) }])
  })

  it('sound before a start and a stop without one mean nothing', () => {
    expect(said(chunk(640), STOP)).toEqual([])
  })
})

describe('a wake word (W5)', () => {
  const DETECT = heard('detect', { names: ['hey_loqa'] })
  const word: DialogueInput = { type: 'detected', name: 'hey_loqa', at_ms: 640 }
  const over: DialogueInput = { type: 'watched' }

  it('is told each time it is said, and the end of the sound says nothing more', () => {
    const told = said(DETECT, START, chunk(640), word, word, STOP, over)
    expect(told).toEqual(['watch', 'audio', 'send:detection', 'send:detection', 'end-watch'])
  })

  it('is told not to have been said, when all was listened to', () => {
    expect(said(DETECT, START, STOP, over)).toEqual(['watch', 'end-watch', 'send:not-detected'])
  })

  it('is listened for without end, and until a transcription is asked for', () => {
    const long = Array.from({ length: 4 }, () => chunk(MAX_RECORDING_MS * 16))
    expect(said(DETECT, START, ...long)).not.toContain('send:error:too-long')
    expect(said(DETECT, heard('transcribe'), START)).toEqual(['record'])
  })
})

describe('one at a time (W2)', () => {
  it('a second recording while the first is read, a second text to speak, a second turn', () => {
    expect(said(START, STOP, START).at(-1)).toBe('send:error:busy')
    const speak = heard('synthesize', { text: 'hello' })
    expect(said(speak, speak)).toEqual(['speak', 'send:error:busy'])
    const turn = heard('transcript', { text: 'hello' })
    expect(said(turn, turn)).toEqual(['handle', 'send:error:busy'])
  })
})

describe('what is not understood (W3)', () => {
  it('is left aside when the event is unknown', () => {
    expect(said(heard('run-satellite'), heard('timer-started', { id: 'x' }))).toEqual([])
  })

  const malformed: readonly [string, DialogueInput][] = [
    ['a format of three bytes', heard('audio-start', { ...FORMAT, width: 3 })],
    ['no rate', heard('audio-start', { width: 2, channels: 1 })],
    ['a rate of a billion', heard('audio-start', { ...FORMAT, rate: 1e9 })],
    ['a text that is a number', heard('synthesize', { text: 7 })],
    ['a text that is too long', heard('transcript', { text: 'x'.repeat(4_097) })],
  ]
  for (const [what, input] of malformed) {
    it(`is answered with an error: ${what}`, () => {
      expect(said(input)).toEqual(['send:error:invalid-input'])
    })
  }
})

it('a recording that does not end is given up (W4)', () => {
  const second = chunk(32_000)
  const inputs = Array.from({ length: MAX_RECORDING_MS / 1000 + 2 }, () => second)
  const effects = said(START, ...inputs, STOP)
  expect(effects.filter((effect) => effect === 'audio')).toHaveLength(MAX_RECORDING_MS / 1000)
  expect(effects.slice(-2)).toEqual(['drop-recording', 'send:error:too-long'])
})

it('speech begins with its format, once, and always ends', () => {
  const pcm = new Uint8Array(640)
  const speech: DialogueInput = { type: 'speech', pcm, sample_rate: 22_050 }
  const speak = heard('synthesize', { text: 'hello', voice: { name: 'a' } })
  expect(said(speak, speech, speech, { type: 'speech-ended' })).toEqual([
    'speak',
    'send:audio-start',
    'send:audio-chunk',
    'send:audio-chunk',
    'send:audio-stop',
  ])
  const trouble = { code: 'engine-unavailable', message: 'no engine' }
  expect(said(speak, { type: 'speech-ended', trouble })).toEqual([
    'speak',
    'send:error:engine-unavailable',
    'send:audio-stop',
  ])
})
