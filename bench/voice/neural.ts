/**
 * How soon a neural voice is heard. Run: node bench/voice/neural.ts [--models DIR] [--rounds N]   (one JSON line per figure)
 *
 * Without --models the voices are the tests' stand-ins, which beep and compute next to nothing: what is measured then is all that is
 * around the synthesis (process, pronunciation, pipe), not the synthesis. `paced` is the node's own cutting and turn-taking around a
 * voice that takes as long as it is told for each second of speech: how soon it begins, and whether it falls silent in mid-sentence.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { realHost } from '../../src/host/real.ts'
import { cutForQuickStart, cutSentences } from '../../src/inference/child/sentences.ts'
import { VoiceTurns, type VoiceTurnsOptions } from '../../src/inference/child/speech.ts'
import { type EngineStream, type Model, openModels, Pool, replicasOf } from '../../src/inference/index.ts'
import type { Log } from '../../src/observe/index.ts'
import { SETTINGS } from '../../test/fixtures/engines/settings.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { values: options } = parseArgs({
  options: { models: { type: 'string' }, rounds: { type: 'string', default: '20' } },
})
const rounds = Number(options.rounds)
const standins = join(ROOT, 'test/fixtures/engines')
const ENGINES = new Set(['sherpa-tts', 'kokoro'])
const TEXT = 'It rains until the evening, and then the sun comes out over the hills in the west.'
/** A language model that writes twenty words a second. */
const WORD_MS = 50
const host = realHost()
const log: Log = { debug() {}, info() {}, warn: console.error, error: console.error, child: () => log }
const place = {
  machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
}

function report(what: string, figure: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (quantile: number): number =>
    Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))]!.toFixed(1))
  const figures = { unit: 'ms', n: sorted.length, p50: at(0.5), p90: at(0.9) }
  console.log(JSON.stringify({ bench: `voice/neural/${figure}`, what, ...figures, ...place }))
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface Heard {
  /** From the opening of the run. */
  readonly first_ms: number
  readonly end_ms: number
  /** How long the listener heard nothing in mid-text, all gaps together. */
  readonly gaps_ms: number
}

/** Opens a run by `open` and listens as a loudspeaker does: what comes too late leaves a gap. */
function listen(open: (onEvent: Parameters<VoiceTurns['open']>[1]) => EngineStream) {
  const start = performance.now()
  let first = 0
  let played_until = 0
  let gaps_ms = 0
  let end: (heard: Heard) => void
  const ended = new Promise<Heard>((resolve) => {
    end = resolve
  })
  const stream = open((event) => {
    const now = performance.now()
    if (event.type === 'failed') throw new Error(event.error.message)
    if (event.type === 'done') end({ first_ms: first - start, end_ms: now - start, gaps_ms })
    if (event.type !== 'audio') return
    if (first === 0) first = now
    else gaps_ms += Math.max(0, now - played_until)
    played_until = Math.max(now, played_until) + event.samples.length / (event.sample_rate / 1_000)
  })
  return { stream, ended }
}

async function benchVoice(model: Model, models: Awaited<ReturnType<typeof openModels>>): Promise<void> {
  const what = `${model.engine}:${model.id}${options.models === undefined ? ' (a stand-in that beeps)' : ''}`
  const pool = new Pool({ ...host, settings: SETTINGS, replicas: replicasOf(model, models), log })
  const start = performance.now()
  await pool.start()
  report(what, 'start-to-ready', [performance.now() - start])
  await pause(1_000)
  const whole: Heard[] = []
  const early: number[] = []
  for (let i = 0; i < rounds; i += 1) {
    whole.push(await listen((onEvent) => pool.run('tts', { kind: 'tts', text: TEXT }, onEvent)).ended)
    const { stream, ended } = listen((onEvent) => pool.run('tts', { kind: 'tts' }, onEvent))
    const began = performance.now()
    for (const word of TEXT.split(/(?<= )/)) {
      stream.feed({ type: 'text', text: word })
      await pause(WORD_MS)
    }
    const written_ms = performance.now() - began
    stream.finish()
    early.push(written_ms - (await ended).first_ms)
  }
  report(
    what,
    'first-audio',
    whole.map(({ first_ms }) => first_ms),
  )
  report(
    what,
    'whole-sentence',
    whole.map(({ end_ms }) => end_ms),
  )
  report(what, 'first-audio-before-the-last-word-is-written', early)
  await pool.stop()
}

/** Characters a person speaks in a second. */
const CHARACTERS_PER_S = 15

/** A voice that needs `real_time_factor` seconds for one of speech, whose pieces are cut by `cut`. */
async function benchPaced(
  real_time_factor: number,
  how: string,
  cut: VoiceTurnsOptions['cut'],
): Promise<void> {
  const heard: Heard[] = []
  for (let i = 0; i < Math.min(3, rounds); i += 1) {
    const voice = new VoiceTurns({
      engine: 'paced',
      ...(cut === undefined ? {} : { cut }),
      speak: async ({ text }, onSamples) => {
        const speech_ms = (text.length / CHARACTERS_PER_S) * 1_000
        await pause(speech_ms * real_time_factor)
        onSamples(new Int16Array(16 * Math.round(speech_ms)), 16_000)
      },
    })
    heard.push(await listen((onEvent) => voice.open({ kind: 'tts', text: TEXT }, onEvent)).ended)
  }
  const what = `a voice of real-time factor ${real_time_factor}, ${how}`
  for (const figure of ['first_ms', 'end_ms', 'gaps_ms'] as const)
    report(
      what,
      `paced-${figure}`,
      heard.map((one) => one[figure]),
    )
}

const unpacked_dir = mkdtempSync(join(tmpdir(), 'loqa-bench-'))
try {
  for (const factor of [0.3, 0.6]) {
    await benchPaced(factor, 'by sentences', (text, complete) => cutSentences(text, complete))
    await benchPaced(factor, 'from the first clause on', cutForQuickStart)
  }
  const models_dir = options.models ?? standins
  const models = await openModels({ ...host, models_dir, unpacked_dir })
  for (const model of models.list) if (ENGINES.has(model.engine)) await benchVoice(model, models)
} finally {
  rmSync(unpacked_dir, { recursive: true, force: true })
}
