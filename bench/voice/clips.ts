/**
 * Makes the clips the recogniser is measured with: sentences it never trained on, spoken by voices it never heard.
 * Everything is drawn from a seed; clips are kept under bench/out and made again when missing.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drawCommands } from '../../training/commands.ts'
import { readGrammar } from '../../training/grammar.ts'
import { type Seeded, seeded, textHash } from '../../training/seeded.ts'

export const RATE = 16_000
const LONGEST_NAME = 110
const ROOT = new URL('../..', import.meta.url).pathname
const FOLDER = new URL('../out/voice/', import.meta.url).pathname

/** espeak-ng's voice variants no model here was trained on. */
export const HELD_OUT_VARIANTS = ['f3', 'm5', 'Lee', 'linda', 'Hugo', 'travis', 'max'] as const
/** The flite voice no model here was trained on: another synthesizer, made from a recorded woman. */
export const HELD_OUT_FLITE = 'slt'
const ACCENTS = [
  'en-us',
  'en-gb',
  'en-gb-scotland',
  'en-gb-x-rp',
  'en-gb-x-gbclan',
  'en-gb-x-gbcwmd',
  'en-029',
  'en-us-nyc',
]

/** A sentence as one voice says it, without noise. Samples: Float32, mono, 16 kHz, peak 0.5, trimmed. */
export interface Clip {
  readonly text: string
  readonly voice: string
  readonly samples: Float32Array
}

/** Commands never trained on: `perVariant` for each held-out espeak-ng variant, `flite` for the flite voice. */
export function commandClips(perVariant: number, flite: number): Clip[] {
  const random = seeded(99)
  const total = perVariant * HELD_OUT_VARIANTS.length + flite
  const { test } = drawCommands(readGrammar(ROOT), random, { train: 0, test: total })
  const sentences = test.map((sentence) => sentence.text)
  const espeak = HELD_OUT_VARIANTS.flatMap((variant) =>
    sentences.splice(0, perVariant).map((text) => espeakClip(text, variant, random)),
  )
  return [...espeak, ...sentences.slice(0, flite).map((text) => fliteClip(text, HELD_OUT_FLITE))]
}

/** Talk that is no command, each sentence by a held-out espeak-ng variant and by the flite voice. */
export function unknownClips(): Clip[] {
  const random = seeded(98)
  const lines = readFileSync(new URL('unknown.txt', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.flatMap((text) => [
    espeakClip(text, random.one(HELD_OUT_VARIANTS), random),
    fliteClip(text, HELD_OUT_FLITE),
  ])
}

export function espeakClip(text: string, variant: string, random: Seeded): Clip {
  const accent = random.one(ACCENTS)
  const speed = 120 + random.below(71)
  const pitch = 20 + random.below(61)
  const wav = kept(`espeak-${accent}-${variant}-${speed}-${pitch}-${text}`, (path) =>
    execFileSync(
      'espeak-ng',
      ['-v', `${accent}+${variant}`, '-s', `${speed}`, '-p', `${pitch}`, '-w', path, text],
      {
        timeout: 10_000,
      },
    ),
  )
  return { text, voice: variant, samples: tidy(wav) }
}

export function fliteClip(text: string, voice: string): Clip {
  const wav = kept(`flite-${voice}-${text}`, (path) =>
    execFileSync('flite', ['-voice', voice, '-t', text, '-o', path], { timeout: 10_000 }),
  )
  return { text, voice: `flite ${voice}`, samples: tidy(wav) }
}

/** Silence around the clip (0.3 s before, 1.2 s after) and noise `decibels` below the speech: half white, half pink. */
export function inNoise(
  clip: Clip,
  decibels: number,
  random: Seeded,
): { samples: Float32Array; speech_end: number } {
  const before = RATE * 0.3
  const samples = new Float32Array(before + clip.samples.length + RATE * 1.2)
  samples.set(clip.samples, before)
  const power = Math.sqrt(
    clip.samples.reduce((sum, sample) => sum + sample * sample, 0) / clip.samples.length,
  )
  const noise = random.chance(0.5) ? whiteNoise(samples.length, random) : pinkNoise(samples.length, random)
  const gain = power * 10 ** (-decibels / 20)
  const noisy = samples.map((sample, i) => Math.max(-1, Math.min(1, sample + gain * (noise[i] ?? 0))))
  return { samples: noisy, speech_end: before + lastLoud(clip.samples) }
}

/** The end of the last 10 ms window above −45 dB of the peak, in samples. */
function lastLoud(samples: Float32Array): number {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  for (let end = samples.length; end > 0; end -= 160) {
    const window = samples.subarray(Math.max(0, end - 160), end)
    if (window.some((sample) => Math.abs(sample) > peak * 10 ** (-45 / 20))) return end
  }
  return 0
}

function whiteNoise(count: number, random: Seeded): Float32Array {
  // Box–Muller, one of the two values.
  return Float32Array.from({ length: count }, () => {
    return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  })
}

/** Paul Kellet's economy filter over white noise, scaled to a standard deviation of about 1. */
function pinkNoise(count: number, random: Seeded): Float32Array {
  let [slow, middle, fast] = [0, 0, 0]
  const pink = whiteNoise(count, random).map((white) => {
    slow = 0.99765 * slow + white * 0.099046
    middle = 0.963 * middle + white * 0.2965164
    fast = 0.57 * fast + white * 1.0526913
    return slow + middle + fast + white * 0.1848
  })
  const deviation = Math.sqrt(pink.reduce((sum, sample) => sum + sample * sample, 0) / count)
  return pink.map((sample) => sample / deviation)
}

/** The clip of that name at 16 kHz, spoken by `speak` if it is not there yet. */
function kept(name: string, speak: (path: string) => void): Float32Array {
  mkdirSync(FOLDER, { recursive: true })
  // espeak-ng writes nothing under a path of 200 characters: the end of a long name is a number.
  const whole = name.replace(/[^a-zA-Z0-9-]/g, '_')
  const short = whole.length <= LONGEST_NAME ? whole : `${whole.slice(0, LONGEST_NAME)}-${textHash(name)}`
  const path = join(FOLDER, `${short}.s16`)
  if (!existsSync(path)) {
    const wav = `${path}.wav`
    speak(wav)
    const args = [wav, '-r', `${RATE}`, '-c', '1', '-b', '16', '-e', 'signed-integer', '-t', 'raw', '-']
    writeFileSync(
      path,
      execFileSync('sox', ['-V1', '-D', '-v', '0.9', ...args], { timeout: 10_000, maxBuffer: 1 << 26 }),
    )
  }
  const bytes = readFileSync(path)
  return Float32Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(i * 2) / 32_768)
}

/** Trims silence (25 ms kept before, 50 ms after), scales the peak to 0.5. */
function tidy(samples: Float32Array): Float32Array {
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
  const first = samples.findIndex((sample) => Math.abs(sample) > 0.02 * peak)
  const last = samples.findLastIndex((sample) => Math.abs(sample) > 0.02 * peak)
  return samples.slice(Math.max(0, first - 400), last + 800).map((sample) => (sample * 0.5) / peak)
}
