/**
 * How well the starter whisper model hears, through the project's own adapter, on the recogniser's held-out clips.
 *
 *   node bench/voice/whisper.ts [--card]
 *
 * Prints one JSON line a set; `--card` fills the model card's table. Needs espeak-ng, flite and sox.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { WhisperEngine } from '../../src/inference/child/whisper.ts'
import { type Seeded, seeded } from '../../training/seeded.ts'
import { type Clip, commandClips, inNoise, RATE } from './clips.ts'
import { quantile, Tally } from './score.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const WINDOW = 5 * RATE

interface Result {
  readonly set: string
  readonly n: number
  readonly exact_percent: number
  readonly wer_percent: number
  readonly ms_p50: number
  readonly ms_p95: number
}

async function main(): Promise<void> {
  const engine = new WhisperEngine()
  const path = join(mkdtempSync(join(tmpdir(), 'whisper-')), 'whisper-starter.bin')
  writeFileSync(path, gunzipSync(readFileSync(`${ROOT}models/whisper-starter.bin.gz`)))
  await engine.load({
    id: 'whisper-starter',
    kind: 'stt',
    engine: 'whisper',
    paths: { model: path },
    parameters: { window_ms: 5000, threads: 1 },
  })
  const clips = commandClips(64, 150)
  const espeak = clips.filter((clip) => !clip.voice.startsWith('flite')).filter((_, i) => i % 4 === 0)
  const flite = clips.filter((clip) => clip.voice.startsWith('flite')).slice(0, 60)
  const results = [
    await hearAll(engine, 'espeak-ng held out, 20 dB', espeak, 20),
    await hearAll(engine, 'flite slt, 20 dB', flite, 20),
    await hearAll(engine, 'espeak-ng held out, 10 dB', espeak, 10),
  ]
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`
  for (const result of results) console.log(JSON.stringify({ bench: 'whisper', machine, commit, ...result }))
  if (process.argv.includes('--card')) writeCard(results)
  await engine.unload()
}

async function hearAll(
  engine: WhisperEngine,
  set: string,
  clips: readonly Clip[],
  decibels: number,
): Promise<Result> {
  const random = seeded(7)
  const tally = new Tally()
  const took: number[] = []
  for (const clip of clips) {
    const began = performance.now()
    tally.add(clip.text, await hear(engine, clip, decibels, random))
    took.push(performance.now() - began)
  }
  return {
    set,
    n: tally.count,
    exact_percent: Math.round(tally.exactPercent * 10) / 10,
    wer_percent: Math.round(tally.wordErrorPercent * 10) / 10,
    ms_p50: Math.round(quantile(took, 0.5)),
    ms_p95: Math.round(quantile(took, 0.95)),
  }
}

/** Hands the whole clip over at once: partial transcriptions would only cost time. */
async function hear(engine: WhisperEngine, clip: Clip, decibels: number, random: Seeded): Promise<string> {
  const { samples } = inNoise(clip, decibels, random)
  return await new Promise((resolve, reject) => {
    let text = ''
    const stream = engine.open({ kind: 'stt', sample_rate: RATE }, (event) => {
      if (event.type === 'final') text = event.text
      if (event.type === 'done') resolve(text.toLowerCase())
      if (event.type === 'failed') reject(new Error(event.error.message))
    })
    stream.feed({ type: 'audio', samples: samples.slice(0, WINDOW) })
    stream.finish()
  })
}

function writeCard(results: readonly Result[]): void {
  const path = `${ROOT}models/whisper-starter.md`
  const rows = results.map(
    ({ set, n, exact_percent, wer_percent, ms_p50, ms_p95 }) =>
      `| ${set} | ${n} | ${exact_percent.toFixed(1)} % | ${wer_percent.toFixed(1)} % | ${ms_p50} / ${ms_p95} |`,
  )
  const head = ['| set | n | right | word errors | ms p50 / p95 |', '|---|---|---|---|---|']
  const between = /(<!-- measured by bench\/voice\/whisper\.ts -->\n)[\s\S]*?(<!-- end -->)/
  const table = [...head, ...rows].join('\n')
  writeFileSync(path, readFileSync(path, 'utf8').replace(between, `$1${table}\n$2`))
}

await main()
