/**
 * One spoken command and its answer, in real time: 0.3 s of room noise, the sentence, and noise again until the answer came. The
 * clock is the client's: from having sent the last sample that holds speech to the first audible sample of the reply.
 */
import type { TurnView, VoiceEvent } from '../../src/api/index.ts'
import { frameOf, pace } from '../../src/cli/pace.ts'
import { holdsSpeech, isAudible, speechWindows } from '../../src/cli/speech-clock.ts'
import { connectVoice } from '../../src/cli/voice-connection.ts'
import { FRAME_SAMPLES } from '../../src/host/limits.ts'
import { realHost } from '../../src/host/real.ts'
import { drawCommands } from '../../training/commands.ts'
import { readGrammar } from '../../training/grammar.ts'
import { seeded } from '../../training/seeded.ts'
import { espeakClip, HELD_OUT_VARIANTS, inNoise } from './clips.ts'
import type { Hesitation } from './pauses.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const NOISE_DB = 30
const GIVE_UP_MS = 5_000
/** The turn's view comes when the reply was played; that of a long shopping list takes a while. */
const LONGEST_REPLY_MS = 30_000
/** Room before the first word, as `inNoise` makes it, samples. */
const CLIP_STARTS_AT = 0.3 * 16_000

export interface Sentence {
  readonly text: string
  readonly intent: string
  readonly pause_ms: number
  /** With the noise of the room. */
  readonly samples: Int16Array
  /** For every 10 ms whether someone speaks; judged on the clip without the noise. */
  readonly speech: readonly boolean[]
}

export interface Outcome {
  readonly sentence: Sentence
  readonly total_ms: number | undefined
  readonly cut_off: boolean
  readonly view: TurnView | undefined
}

/** Follow-up answers and the like make no sense alone. */
const STANDALONE = (intent: string): boolean => !intent.startsWith('session.')

const toS16 = (samples: Float32Array): Int16Array =>
  Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32_767))

/** `count` sentences of held-out voices; half of those with a natural place for it hesitate there. */
export function sentences(count: number, hesitating: Hesitation, seed: number): Sentence[] {
  const random = seeded(seed)
  const { test } = drawCommands(readGrammar(ROOT), random, { train: 0, test: count * 2 })
  return test
    .filter(({ intent }) => STANDALONE(intent))
    .slice(0, count)
    .map(({ text, intent }, i) => {
      const variant = HELD_OUT_VARIANTS[i % HELD_OUT_VARIANTS.length]!
      const clip = random.chance(0.5)
        ? hesitating(text, variant, random)
        : { ...espeakClip(text, variant, random), pause_ms: 0 }
      const { samples } = inNoise(clip, NOISE_DB, random)
      const clean = new Int16Array(samples.length)
      clean.set(toS16(clip.samples), CLIP_STARTS_AT)
      return { text, intent, pause_ms: clip.pause_ms, samples: toS16(samples), speech: speechWindows(clean) }
    })
}

/**
 * One turn by voice. Resolves when the turn's view and its first audible sample came, or at the time limit. `sent` hears, frame by
 * frame, how much of the speech was sent: 0 to 1.
 */
export async function take(
  url: string,
  sentence: Sentence,
  sent: (part: number) => void = () => undefined,
): Promise<Outcome> {
  const { clock } = realHost()
  const windows = sentence.speech
  const lastSpeechFrame = Math.ceil(((windows.lastIndexOf(true) + 1) * 160) / FRAME_SAMPLES) - 1
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  let spoken_at = 0
  let sent_all = false
  let total_ms: number | undefined
  let cut_off = false
  let view: TurnView | undefined

  const settle = (): void => {
    if (view !== undefined && (total_ms !== undefined || view.reply === '')) end()
  }
  const connection = await connectVoice(
    { url } as Parameters<typeof connectVoice>[0],
    { room: 'kitchen' },
    {
      audio(samples) {
        // What sounds while the sentence is still sent is no answer to it: a timer that an earlier turn set is announced.
        if (total_ms !== undefined || !sent_all || !isAudible(samples)) return
        total_ms = clock.monotonic() - spoken_at
        settle()
      },
      event(event: VoiceEvent) {
        if (event.type === 'final' && !sent_all) cut_off = true
        if (event.type === 'turn') {
          view = event.turn
          settle()
        }
      },
      closed: () => end(),
    },
  )
  const tail = sentence.samples.length - 0.2 * 16_000
  const sender = pace(clock, (index) => {
    // Behind the recording the room goes on sounding as it did at its end.
    const start = index * FRAME_SAMPLES
    const at =
      start + FRAME_SAMPLES <= sentence.samples.length
        ? index
        : Math.floor((tail + ((start - tail) % 2560)) / FRAME_SAMPLES)
    connection.send(frameOf(sentence.samples, at))
    sent(Math.min(1, index / lastSpeechFrame))
    if (index <= lastSpeechFrame && holdsSpeech(windows, start, start + FRAME_SAMPLES))
      spoken_at = clock.monotonic()
    if (index === lastSpeechFrame) sent_all = true
    const patience_ms = total_ms === undefined ? GIVE_UP_MS : LONGEST_REPLY_MS
    if (index > lastSpeechFrame + patience_ms / 20) end()
    return true
  })
  await over
  sender.stop()
  connection.close()
  return { sentence, total_ms: cut_off ? undefined : total_ms, cut_off, view }
}
