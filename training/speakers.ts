/**
 * Sentences spoken by Debian's synthesizers, for what is learned from how a sentence sounds. The voices the benches measure
 * with (`HELD_OUT`, and the speaker slt wherever she occurs) are not among them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseWav, recordingOf } from '../src/voice/index.ts'
import type { Seeded } from './seeded.ts'

export const RATE = 16_000

/** One sentence as said by one voice: Float32, mono, 16 kHz. */
export interface Spoken {
  readonly text: string
  /** Its synthesizer and name, e.g. `espeak-ng m3`. */
  readonly voice: string
  readonly samples: Float32Array
}

export interface Job {
  readonly text: string
  /** A pause between all words, in ms; espeak-ng alone can make one without a comma. */
  readonly gap_ms?: number
}

/** espeak-ng's variants for measuring; its names are those of files, compared in lower case. */
const HELD_OUT = new Set(['f3', 'm5', 'lee', 'linda', 'hugo', 'travis', 'max'])
/** Robots, whisperers and the like: what they do with their pitch is nobody's habit. */
const STRANGE = /demonic|croak|robot|robosoft|whisper|storm|fast|anxious|klatt|tweaky|aunty/i
const ACCENTS = ['en-us', 'en-gb', 'en-gb-scotland', 'en-gb-x-rp', 'en-gb-x-gbclan', 'en-029', 'en-us-nyc']
const WAIT = { timeout: 30_000, maxBuffer: 1 << 27 } as const

export type Synthesizer = (jobs: readonly Job[], random: Seeded) => Spoken[]

export const SYNTHESIZERS: Readonly<Record<string, Synthesizer>> = {
  'espeak-ng': oneByOne(espeak),
  flite: oneByOne(flite),
  pico: oneByOne(pico),
  rhvoice: oneByOne(rhvoice),
  festival,
}

function oneByOne(speak: (job: Job, path: string, random: Seeded) => string): Synthesizer {
  return (jobs, random) =>
    inFolder((folder) =>
      jobs.flatMap((job) => {
        const path = join(folder, 'said.wav')
        const voice = speak(job, path, random)
        return [{ text: job.text, voice, samples: samplesOf(path) }]
      }),
    )
}

function espeak({ text, gap_ms = 0 }: Job, path: string, random: Seeded): string {
  const variant = random.one(variants())
  const [speed, pitch] = [120 + random.below(81), 15 + random.below(71)]
  const how = ['-s', `${speed}`, '-p', `${pitch}`, '-g', `${Math.round(gap_ms / 10)}`]
  execFileSync('espeak-ng', ['-v', `${random.one(ACCENTS)}+${variant}`, ...how, '-w', path, text], WAIT)
  return `espeak-ng ${variant}`
}

let known: string[] | undefined
function variants(): string[] {
  known ??= execFileSync('espeak-ng', ['--voices=variant'], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => /!v\/(\S+)/.exec(line)?.[1] ?? [])
    .filter((name) => !HELD_OUT.has(name.toLowerCase()) && !STRANGE.test(name))
  return known
}

function flite({ text }: Job, path: string, random: Seeded): string {
  const voice = random.one(['awb', 'rms', 'kal16'])
  const stretch = `duration_stretch=${0.85 + random.below(40) / 100}`
  execFileSync('flite', ['-voice', voice, '--setf', stretch, '-t', text, '-o', path], WAIT)
  return `flite ${voice}`
}

function pico({ text }: Job, path: string, random: Seeded): string {
  const voice = random.one(['en-US', 'en-GB'])
  const how = `<pitch level="${70 + random.below(71)}"><speed level="${80 + random.below(50)}">${text}</speed></pitch>`
  execFileSync('pico2wave', ['-l', voice, '-w', path, how], WAIT)
  return `pico ${voice}`
}

function rhvoice({ text }: Job, path: string, random: Seeded): string {
  const voice = random.one(['clb', 'bdl', 'alan'])
  const how = ['-p', voice, '-r', `${80 + random.below(50)}`, '-t', `${75 + random.below(56)}`]
  execFileSync('RHVoice-test', [...how, '-o', path], { ...WAIT, input: text })
  return `rhvoice ${voice}`
}

/** Takes seconds to start, so it says everything in one go. */
function festival(jobs: readonly Job[], random: Seeded): Spoken[] {
  return inFolder((folder) => {
    const plan = jobs.map((job, i) => ({
      text: job.text,
      voice: random.one(['ked', 'kal']),
      path: join(folder, `${i}.wav`),
    }))
    const script = plan.map(({ text, voice, path }) => {
      const mean = 85 + random.below(100)
      return `(voice_${voice}_diphone)
        (Parameter.set 'Duration_Stretch ${0.8 + random.below(40) / 100})
        (set! int_lr_params '((target_f0_mean ${mean}) (target_f0_std ${10 + random.below(16)}) (model_f0_mean 170) (model_f0_std 34)))
        (utt.save.wave (utt.synth (Utterance Text "${text}")) "${path}" 'riff)`
    })
    const file = join(folder, 'say.scm')
    writeFileSync(file, script.join('\n'))
    execFileSync('festival', ['-b', file], { ...WAIT, timeout: 1_200_000 })
    return plan
      .filter(({ path }) => existsSync(path))
      .map(({ text, voice, path }) => ({ text, voice: `festival ${voice}`, samples: samplesOf(path) }))
  })
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'speakers-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** At 16 kHz, the peak at 0.5. */
function samplesOf(path: string): Float32Array {
  const samples = recordingOf(parseWav(readFileSync(path)))
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1)
  return Float32Array.from(samples, (sample) => (sample * 0.5) / peak)
}
