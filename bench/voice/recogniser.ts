/**
 * How well the starter recogniser hears, through the project's own adapter.
 *
 *   node bench/voice/recogniser.ts [--quick] [--model FOLDER] [--card]
 *
 * Prints one JSON line per voice, noise level and set, and writes bench/voice/recogniser.svg; `--card` puts the table
 * into the model card. `--quick` takes a fifth of the sentences. Needs espeak-ng, flite and sox.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { realHost } from '../../src/host/real.ts'
import { SherpaEngine } from '../../src/inference/child/sherpa.ts'
import type { ModelFiles } from '../../src/inference/engine.ts'
import { openModels } from '../../src/inference/index.ts'
import { seeded } from '../../training/seeded.ts'
import { type Bar, barChart } from '../plot.ts'
import { type Clip, commandClips, HELD_OUT_VARIANTS, inNoise, RATE, unknownClips } from './clips.ts'
import { quantile, Tally } from './score.ts'
import { WholePath } from './whole-path.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const quick = process.argv.includes('--quick')
const card = process.argv.includes('--card')
const folder = process.argv.includes('--model')
  ? process.argv[process.argv.indexOf('--model') + 1]
  : undefined

interface Heard {
  readonly text: string
  /** From the end of speech to the moment the text stood as it ended, in ms of audio. */
  readonly settled_ms: number
  readonly compute_ms: number
  readonly audio_ms: number
}

interface Result {
  readonly set: string
  readonly n: number
  readonly exact_percent: number
  readonly wer_percent: number
  readonly settled_ms_p50?: number
  readonly settled_ms_p90?: number
  readonly goal_percent?: number
}

async function main(): Promise<void> {
  const engine = new SherpaEngine()
  await engine.load(await modelFiles())
  const clips = commandClips(quick ? 13 : 64, quick ? 30 : 150)
  const espeak = clips.filter((clip) => !clip.voice.startsWith('flite'))
  const flite = clips.filter((clip) => clip.voice.startsWith('flite'))

  const results: Result[] = []
  const keep = (result: Result): void => {
    results.push(result)
    console.log(JSON.stringify({ bench: 'recogniser', ...place(), ...result }))
  }
  for (const variant of HELD_OUT_VARIANTS) {
    keep(
      await hearAll(
        engine,
        `espeak-ng ${variant}, 20 dB`,
        espeak.filter((clip) => clip.voice === variant),
        20,
      ),
    )
  }
  keep({ ...(await hearAll(engine, 'espeak-ng held out, 20 dB', espeak, 20)), goal_percent: 97 })
  keep({ ...(await hearAll(engine, 'flite slt, 20 dB', flite, 20)), goal_percent: 80 })
  keep(await hearAll(engine, 'espeak-ng held out, 40 dB', espeak, 40))
  keep({ ...(await hearAll(engine, 'espeak-ng held out, 10 dB', espeak, 10)), goal_percent: 92 })
  keep(await hearAll(engine, 'espeak-ng held out, 5 dB', espeak, 5))
  const refused = await refuse(engine, unknownClips(), clips)
  refused.forEach(keep)

  writeFileSync(new URL('recogniser.svg', import.meta.url), chart(results))
  if (card) writeCard(results)
}

async function hearAll(
  engine: SherpaEngine,
  set: string,
  clips: readonly Clip[],
  decibels: number,
): Promise<Result> {
  const random = seeded(7)
  const tally = new Tally()
  const settled: number[] = []
  for (const clip of clips) {
    const heard = await hear(engine, clip, decibels, random)
    const right = tally.add(clip.text, heard.text)
    if (right) settled.push(heard.settled_ms)
    if (!right && process.env.SHOW_WRONG) console.error(`${clip.voice}: ${clip.text} | ${heard.text}`)
  }
  return {
    set,
    n: tally.count,
    exact_percent: round(tally.exactPercent),
    wer_percent: round(tally.wordErrorPercent),
    settled_ms_p50: quantile(settled, 0.5),
    settled_ms_p90: quantile(settled, 0.9),
  }
}

/** Plays a clip in pieces of 20 ms, as a microphone would. */
async function hear(
  engine: SherpaEngine,
  clip: Clip,
  decibels: number,
  random: ReturnType<typeof seeded>,
): Promise<Heard> {
  const { samples, speech_end } = inNoise(clip, decibels, random)
  const piece = RATE / 50
  let fed = 0
  let text = ''
  let changed_at = 0
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return await new Promise((resolve, reject) => {
    const stream = engine.open({ kind: 'stt', sample_rate: RATE }, (event) => {
      if (event.type === 'partial' || event.type === 'final') {
        if (event.text !== text) changed_at = fed
        text = event.text
      }
      if (event.type === 'failed') reject(new Error(event.error.message))
      if (event.type === 'done') {
        const settled_ms = Math.max(0, Math.round(((changed_at - speech_end) * 1000) / RATE))
        resolve({ text, settled_ms, compute_ms: event.usage.compute_ms, audio_ms: event.usage.audio_ms ?? 0 })
      }
    })
    const play = async (): Promise<void> => {
      for (let at = 0; at < samples.length; at += piece) {
        fed = Math.min(samples.length, at + piece)
        stream.feed({ type: 'audio', samples: samples.slice(at, at + piece) })
        await turn()
      }
      stream.finish()
    }
    play().catch(reject)
  })
}

/** What the node would make of it, intent model included: other talk must not become a command, a command must stay the one it is. */
async function refuse(
  engine: SherpaEngine,
  talk: readonly Clip[],
  commands: readonly Clip[],
): Promise<Result[]> {
  const path = await WholePath.open()
  const random = seeded(8)
  let [refused, flagged, kept] = [0, 0, 0]
  for (const clip of talk) {
    const { text } = await hear(engine, clip, 20, random)
    const intent = await path.intentOf(text)
    if (text.includes('<unk>')) flagged += 1
    // A bare value that nothing asked for is answered like other talk: not understood.
    if (intent === 'none' || intent === 'session.answer') refused += 1
    else if (process.env.SHOW_WRONG) console.error(`took ${clip.text} for ${intent}: ${text}`)
  }
  for (const clip of commands) {
    const { text } = await hear(engine, clip, 20, random)
    if ((await path.intentOf(text)) === (await path.intentOf(clip.text))) kept += 1
  }
  await path.close()
  const share = (set: string, count: number, n: number): Result => ({
    set,
    n,
    exact_percent: round((100 * count) / n),
    wer_percent: 0,
  })
  return [
    { ...share('other talk not taken for a command', refused, talk.length), goal_percent: 90 },
    share('other talk with <unk>', flagged, talk.length),
    share('intent of commands right', kept, commands.length),
  ]
}

/** The model as it ships, or files of the same kinds in `--model FOLDER`. */
async function modelFiles(): Promise<ModelFiles> {
  const { disk, clock } = realHost()
  const shipped = await openModels({
    disk,
    clock,
    models_dir: `${ROOT}models`,
    unpacked_dir: `${ROOT}bench/out/models`,
  })
  const model = await shipped.prepare(shipped.list.find(({ kind }) => kind === 'stt')!)
  if (folder === undefined) return model
  return {
    ...model,
    paths: {
      model: `${folder}/recogniser.onnx`,
      tokens: `${folder}/tokens.txt`,
      graph: `${folder}/graph.fst`,
      words: `${folder}/words.txt`,
    },
  }
}

function chart(results: readonly Result[]): string {
  const bars: Bar[] = results.map((result) => ({
    label: result.set,
    value: result.exact_percent,
    text: `${result.exact_percent.toFixed(1)} % of ${result.n}`,
    group: result.wer_percent === 0 ? 'share' : result.set.startsWith('flite') ? 'flite' : 'espeak',
    ...(result.goal_percent === undefined ? {} : { goal: result.goal_percent }),
  }))
  return barChart({
    title: 'Starter recogniser: sentences heard word by word',
    subtitle: 'Voices and sentences held out of the training; the red line is what is promised.',
    unit: '%',
    most: 100,
    bars,
  })
}

function writeCard(results: readonly Result[]): void {
  const path = `${ROOT}models/recogniser-starter.md`
  const rows = results.map((result) => {
    const words =
      result.wer_percent === 0 && result.settled_ms_p50 === undefined
        ? ''
        : `${result.wer_percent.toFixed(1)} %`
    const settled =
      result.settled_ms_p50 === undefined ? '' : `${result.settled_ms_p50} / ${result.settled_ms_p90}`
    return `| ${result.set.replaceAll('<', '&lt;')} | ${result.n} | ${result.exact_percent.toFixed(1)} % | ${words} | ${settled} |`
  })
  const table = [
    '| set | n | right | word errors | text settled after speech, ms p50 / p90 |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
  const before = readFileSync(path, 'utf8')
  const between = /(<!-- measured by bench\/voice\/recogniser\.ts -->\n)[\s\S]*?(<!-- end -->)/
  writeFileSync(path, before.replace(between, `$1${table}\n$2`))
}

function place(): { machine: string; commit: string } {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  return { machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`, commit }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

await main()
