/**
 * Learns to tell an end from a stop by the voice: commands spoken by the training voices, in noise, heard by the very code that
 * listens in the node. Writes src/voice/finality-weights.ts and its card, training/turn-ends.md.
 *
 *   node training/turn-ends.ts
 *
 * The clips are kept in training/out/turn-ends; what is missing is spoken (20 minutes on 2 cores).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { compileGrammar, read } from '../src/skills/index.ts'
import { DcBlocker, FRAME_SAMPLES } from '../src/voice/audio.ts'
import { CUE_NAMES, type Cues, cuesOf } from '../src/voice/cues.ts'
import { standardised } from '../src/voice/finality.ts'
import type { CueScale } from '../src/voice/finality-weights.ts'
import { follow, NO_CONTOUR } from '../src/voice/prosody.ts'
import { loadVoiceDetectors } from '../src/voice/vad.ts'
import { readGrammar, readGrammarSources } from './grammar.ts'
import { type Example, fitLogistic, probability, rankedRight } from './logistic.ts'
import { type Seeded, seeded } from './seeded.ts'
import { RATE, SYNTHESIZERS } from './speakers.ts'
import { type Delivery, stopJobs, stopped } from './stops.ts'

const ROOT = new URL('..', import.meta.url).pathname
const FOLDER = `${ROOT}training/out/turn-ends`
const WEIGHTS = `${ROOT}src/voice/finality-weights.ts`
const CARD = `${ROOT}training/turn-ends.md`

const SENTENCES: Readonly<Record<string, number>> = {
  'espeak-ng': 1500,
  flite: 250,
  pico: 250,
  festival: 250,
  rhvoice: 300,
}
/** These make a stop sound unlike an end; the others fall at a comma nearly as at a full stop. */
const CONTINUING = new Set(['espeak-ng', 'rhvoice'])
/**
 * Of stops that may pass for ends, and of ends that may pass for stops. The former are more: of a hundred commands a dozen stop where the
 * words could be all, and whoever is taken for finished is heard all the same, while each end in doubt makes somebody wait for long.
 */
const MISTAKEN = { stops: 0.12, ends: 0.08 } as const
const NOISE_DB = { least: 15, most: 35 } as const
/** Silence after which the cues are taken: what endpointing waits for at the least before it believes them. */
const SILENT_FRAMES = 3
const FOLDS = 5

/** An end, a stop at a comma or between words, or a gap within or between words that is no stop at all. */
type Kind = 'end' | 'comma' | 'gap' | 'closure'

interface Clip {
  readonly text: string
  readonly voice: string
  readonly delivery: Delivery
  readonly samples: Float32Array
}

interface Moment {
  readonly synthesizer: string
  readonly voice: string
  readonly kind: Kind
  /** Undefined where the voice gives none. */
  readonly cues: Cues | undefined
}

const house = compileGrammar(readGrammarSources(ROOT))
const couldEnd = (words: string): boolean => read(house, words).complete

function clipsOf(synthesizer: string): Clip[] {
  const path = `${FOLDER}/${synthesizer}.jsonl`
  if (!existsSync(path)) {
    mkdirSync(FOLDER, { recursive: true })
    const random = seeded(71)
    const stopping = { count: SENTENCES[synthesizer]!, gaps: synthesizer === 'espeak-ng', couldEnd }
    const jobs = stopJobs(readGrammar(ROOT), stopping, random)
    const deliveries = new Map(jobs.map(({ text, delivery }) => [text, delivery]))
    const lines = SYNTHESIZERS[synthesizer]!(jobs, random).map(({ text, voice, samples }) => {
      const pcm = Int16Array.from(samples, (sample) => Math.round(sample * 32_767))
      const data = Buffer.from(pcm.buffer).toString('base64')
      return JSON.stringify({ text, voice, delivery: deliveries.get(text), data })
    })
    writeFileSync(path, lines.join('\n'))
  }
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => {
      const { text, voice, delivery, data } = JSON.parse(line) as Omit<Clip, 'samples'> & { data: string }
      const bytes = Buffer.from(data, 'base64')
      const samples = Float32Array.from(
        { length: bytes.length >> 1 },
        (_, i) => bytes.readInt16LE(2 * i) / 32_768,
      )
      return { text, voice, delivery, samples }
    })
}

/** Every silence of a clip, as the node hears it. */
function momentsOf(
  synthesizer: string,
  clip: Clip,
  detector: ReturnType<Detectors>,
  random: Seeded,
): Moment[] {
  const { samples, stop } = stopped({ ...clip }, clip.delivery, random)
  const [before, after] = [0.3 * RATE, 0.3 * RATE]
  const frames = inNoise(samples, before, after, random)
  const frameOf = (sample: number): number => (before + sample) / FRAME_SAMPLES
  const dc = new DcBlocker()
  const voiced: boolean[] = []
  const found: { at: number; cues: Cues | undefined }[] = []
  let contour = NO_CONTOUR
  let silent = Number.POSITIVE_INFINITY
  for (const [i, frame] of frames.entries()) {
    dc.process(frame)
    voiced.push(detector.isVoiced(frame))
    silent = voiced[i] ? 0 : silent + 1
    contour = follow(contour, frame, voiced[i]!)
    if (silent === SILENT_FRAMES) found.push({ at: i, cues: cuesOf(contour) })
  }
  detector.close()
  return found.flatMap(({ at, cues }): Moment[] => {
    const goesOn = voiced.slice(at).includes(true)
    const atStop = stop !== undefined && Math.abs(at - SILENT_FRAMES - frameOf(stop)) <= 8
    const kind = !goesOn ? 'end' : !atStop ? 'closure' : clip.delivery === 'gap' ? 'gap' : 'comma'
    return [{ synthesizer, voice: clip.voice, kind, cues }]
  })
}

type Detectors = Awaited<ReturnType<typeof loadVoiceDetectors>>

/** White noise at a signal-to-noise ratio drawn for the clip, in frames. */
function inNoise(samples: Float32Array, before: number, after: number, random: Seeded): Int16Array[] {
  const power = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
  const decibels = NOISE_DB.least + random.next() * (NOISE_DB.most - NOISE_DB.least)
  // A sum of four uniform values is as good as a normal one here; its deviation is 1/√3.
  const gain = power * 10 ** (-decibels / 20) * Math.sqrt(3)
  const noise = (): number => gain * (random.next() + random.next() + random.next() + random.next() - 2)
  const count = Math.floor((before + samples.length + after) / FRAME_SAMPLES)
  return Array.from({ length: count }, (_, f) =>
    Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => {
      const sample = (samples[f * FRAME_SAMPLES + i - before] ?? 0) + noise()
      return Math.round(Math.max(-1, Math.min(1, sample)) * 32_767)
    }),
  )
}

// — learning —

interface Known extends Moment {
  readonly cues: Cues
}

type Scales = Readonly<Record<keyof Cues, CueScale>>

function scalesOf(moments: readonly Known[]): Scales {
  const scale = (name: keyof Cues): CueScale => {
    const values = moments.map(({ cues }) => cues[name])
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    return { mean, deviation }
  }
  return Object.fromEntries(CUE_NAMES.map((name) => [name, scale(name)])) as Record<keyof Cues, CueScale>
}

/** What each kind counts for, whatever its number: ends as much as all that is none. */
const COUNTS: Readonly<Record<Kind, number>> = { end: 1_500, comma: 1_000, gap: 300, closure: 200 }

/** The cues and, behind them, their squares. */
function inputsOf(cues: Cues, scales: Scales): number[] {
  const values = standardised(cues, { cues: scales })
  return [...values, ...values.map((value) => value ** 2)]
}

function examplesOf(moments: readonly Known[], scales: Scales): Example[] {
  const numberOf = (kind: Kind): number => moments.filter((moment) => moment.kind === kind).length
  const weights = Object.fromEntries(
    (Object.keys(COUNTS) as Kind[]).map((kind) => [kind, COUNTS[kind] / Math.max(1, numberOf(kind))]),
  )
  return moments.map(({ cues, kind }) => ({
    inputs: inputsOf(cues, scales),
    positive: kind === 'end',
    weight: weights[kind]!,
  }))
}

interface Judged extends Moment {
  /** Of being an end, by weights that were learned without this voice. */
  readonly sure: number | undefined
}

/** Every moment judged by what was learned from other voices. */
function judgedByOthers(moments: readonly Moment[], scales: Scales): Judged[] {
  const voices = [...new Set(moments.map(({ voice }) => voice))].sort()
  const foldOf = (moment: Moment): number => voices.indexOf(moment.voice) % FOLDS
  const learned = Array.from({ length: FOLDS }, (_, fold) =>
    fitLogistic(
      examplesOf(
        moments.filter(isKnown).filter((moment) => foldOf(moment) !== fold),
        scales,
      ),
    ),
  )
  return moments.map((moment) => {
    if (!isKnown(moment)) return { ...moment, sure: undefined }
    return { ...moment, sure: probability(learned[foldOf(moment)]!, inputsOf(moment.cues, scales)) }
  })
}

const isKnown = (moment: Moment): moment is Known => moment.cues !== undefined

const quantile = (values: readonly number[], part: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(part * (values.length - 1))] ?? 0

const sureOf = (judged: readonly Judged[], kinds: readonly Kind[]): number[] =>
  judged.filter(({ kind }) => kinds.includes(kind)).flatMap(({ sure }) => sure ?? [])

// — writing —

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000

function weightsFile(scales: Scales, weights: readonly number[], yielding: number, holding: number): string {
  const rows = CUE_NAMES.map((name, i) => {
    const { mean, deviation } = scales[name]
    const [weight, square] = [weights[i]!, weights[CUE_NAMES.length + i]!]
    return `    ${name}: { mean: ${rounded(mean)}, deviation: ${rounded(deviation)}, weight: ${rounded(weight)}, square: ${rounded(square)} },`
  })
  const before = readFileSync(WEIGHTS, 'utf8')
  const head = before.slice(0, before.indexOf('export const FINALITY_WEIGHTS'))
  return `${head}export const FINALITY_WEIGHTS: FinalityWeights = {
  bias: ${rounded(weights.at(-1)!)},
  cues: {
${rows.join('\n')}
  },
  yielding: ${rounded(yielding)},
  holding: ${rounded(holding)},
}
`
}

function tableOf(judged: readonly Judged[], yielding: number, holding: number): string {
  const share = (of: readonly Judged[], counts: (sure: number) => boolean): string => {
    if (of.length === 0) return ''
    return `${Math.round((100 * of.filter(({ sure }) => sure !== undefined && counts(sure)).length) / of.length)} %`
  }
  const rows = Object.keys(SENTENCES).flatMap((synthesizer) => {
    const all = judged.filter((moment) => moment.synthesizer === synthesizer)
    const ends = sureOf(all, ['end'])
    return (['end', 'comma', 'gap', 'closure'] as const).flatMap((kind) => {
      const some = all.filter((moment) => moment.kind === kind)
      if (some.length === 0) return []
      const right = kind === 'end' ? '' : rankedRight(ends, sureOf(all, [kind])).toFixed(2)
      const [yields, holds] = [
        share(some, (sure) => sure >= yielding),
        share(some, (sure) => sure <= holding),
      ]
      const silent = share(some, () => true)
      return [`| ${synthesizer} | ${kind} | ${some.length} | ${yields} | ${holds} | ${silent} | ${right} |`]
    })
  })
  return [
    '| synthesizer | moment | n | yielding | holding | with cues | ends ranked above it |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

async function main(): Promise<void> {
  const detectors = await loadVoiceDetectors()
  const random = seeded(72)
  const moments = Object.keys(SENTENCES).flatMap((synthesizer) =>
    clipsOf(synthesizer).flatMap((clip) => momentsOf(synthesizer, clip, detectors(), random)),
  )
  const known = moments.filter(isKnown)
  const scales = scalesOf(known)
  const judged = judgedByOthers(moments, scales)
  const telling = judged.filter(({ synthesizer }) => CONTINUING.has(synthesizer))
  const yielding = quantile(sureOf(telling, ['comma', 'gap']), 1 - MISTAKEN.stops)
  const holding = quantile(sureOf(telling, ['end']), MISTAKEN.ends)
  writeFileSync(WEIGHTS, weightsFile(scales, fitLogistic(examplesOf(known, scales)), yielding, holding))
  const table = tableOf(judged, yielding, holding)
  console.log(table)
  if (!existsSync(CARD)) return
  const between = /(<!-- measured by training\/turn-ends\.ts -->\n)[\s\S]*?(<!-- end -->)/
  writeFileSync(CARD, readFileSync(CARD, 'utf8').replace(between, `$1${table}\n$2`))
}

await main()
