/**
 * How well the starter wake word is heard by voices that were held out, and how often talk and noise wake it.
 *
 *   node bench/voice/wake.ts [--each 12] [--hours 1] [--card]
 *
 * Everything goes through the node's own path: voice detector, `src/voice/wake/spotting.ts`, the engine's adapter. Prints one JSON line
 * per voice, noise level and set; `--card` puts the table into the model card. Needs espeak-ng, flite, sox and fortunes.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { realHost } from '../../src/host/real.ts'
import { SherpaEngine } from '../../src/inference/child/sherpa.ts'
import { type EngineStream, openModels } from '../../src/inference/index.ts'
import { loadVoiceDetectors, toFloat32, type VoiceDetector } from '../../src/voice/index.ts'
import {
  NOT_SPOTTING,
  type SpotInput,
  type Spotting,
  spot,
  stopSpotting,
} from '../../src/voice/wake/spotting.ts'
import { drawCommands } from '../../training/commands.ts'
import { readGrammar } from '../../training/grammar.ts'
import { type Seeded, seeded } from '../../training/seeded.ts'
import { readTalk } from '../../training/talk.ts'
import {
  type Clip,
  espeakClip,
  fliteClip,
  HELD_OUT_FLITE,
  HELD_OUT_VARIANTS,
  inNoise,
  RATE,
} from './clips.ts'
import { quantile } from './score.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const FRAME = RATE / 50
const LEVELS = [40, 20, 10] as const
/** Behind the word, or nothing. A comma is a pause. */
const BEHIND = [
  '',
  ' what time is it',
  ', set a timer for five minutes',
  ' turn on the kitchen lights',
] as const
/** They resemble the word; nobody says them all day. */
const NEAR = [
  'hey look at that',
  'hello there',
  'okay locals',
  'hey lucky',
  'a local call',
  'hey, no car today',
  'hey low cost flights',
]

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}

class Path {
  readonly #engine = new SherpaEngine()
  #detectors: (() => VoiceDetector) | undefined

  async open(): Promise<void> {
    const { disk, clock } = realHost()
    const models_dir = `${ROOT}models`
    const models = await openModels({ disk, clock, models_dir, unpacked_dir: `${ROOT}bench/out/models` })
    await this.#engine.load(await models.prepare(models.list.find(({ kind }) => kind === 'wake')!))
    this.#detectors = await loadVoiceDetectors()
  }

  /** When the word was told, in ms of the recording. */
  async hear(samples: Float32Array): Promise<number[]> {
    const detector = this.#detectors!()
    const runs = new Map<number, EngineStream>()
    const told: number[] = []
    let state: Spotting = NOT_SPOTTING
    let at = 0
    const carry = ({ state: next, orders }: ReturnType<typeof spot>): void => {
      state = next
      for (const order of orders) {
        if (order.do === 'word') told.push((at * 1_000) / RATE)
        else if (order.do === 'open') {
          const { run } = order
          const heard = (count: number): void => take({ type: 'words', run, count })
          const stream = this.#engine.open({ kind: 'wake', sample_rate: RATE }, (event) => {
            if (event.type === 'partial') heard(event.text.split(' ').filter((word) => word !== '').length)
          })
          runs.set(run, stream)
        } else if (order.do === 'finish') {
          runs.get(order.run)?.finish()
        } else if (order.do === 'close') {
          runs.get(order.run)?.cancel()
          runs.delete(order.run)
        } else {
          const stream = runs.get(order.run)
          for (const frame of order.frames) stream?.feed({ type: 'audio', samples: toFloat32(frame) })
        }
      }
    }
    const take = (input: SpotInput): void => carry(spot(state, input))
    for (; at + FRAME <= samples.length; ) {
      const frame = Int16Array.from(samples.subarray(at, at + FRAME), (sample) => Math.round(sample * 32_767))
      at += FRAME
      take({ type: 'frame', samples: frame, voiced: detector.isVoiced(frame) })
      // The engine goes on in the next turn when a step took it long.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    carry(stopSpotting(state))
    detector.close()
    return told
  }
}

const rows: string[] = []
function keep(set: string, result: Record<string, number>, cells: readonly string[]): void {
  console.log(JSON.stringify({ bench: 'wake', set, ...result }))
  rows.push(`| ${set} | ${cells.join(' | ')} |`)
}
const round = (value: number): number => Math.round(value * 10) / 10

const say = (text: string, voice: string, random: Seeded): Clip =>
  voice === HELD_OUT_FLITE ? fliteClip(text, voice) : espeakClip(text, voice, random)

const VOICES = [...HELD_OUT_VARIANTS, HELD_OUT_FLITE]

async function hits(path: Path, each: number): Promise<void> {
  const random = seeded(31)
  const heard = new Map<string, boolean[]>()
  const late: number[] = []
  for (const voice of VOICES) {
    for (let i = 0; i < each; i += 1) {
      const behind = BEHIND[i % BEHIND.length]!
      const clip = say(`hey loqa${behind}`, voice, random)
      for (const decibels of LEVELS) {
        const { samples, speech_end } = inNoise(clip, decibels, random)
        const told = await path.hear(samples)
        const sets = [`${voice}, all levels`, `${decibels} dB`, 'all']
        sets.push(
          behind === ''
            ? 'the word alone'
            : behind[0] === ','
              ? 'a pause behind it'
              : 'a command right behind it',
        )
        for (const set of sets) heard.set(set, [...(heard.get(set) ?? []), told.length > 0])
        if (behind === '' && told[0] !== undefined) late.push(told[0] - (speech_end * 1_000) / RATE)
      }
    }
  }
  for (const [set, each] of heard) {
    const percent = round((100 * each.filter(Boolean).length) / each.length)
    keep(set, { n: each.length, hits_percent: percent }, [
      String(each.length),
      `${percent.toFixed(1)} % heard`,
    ])
  }
  const [p50, p90] = [Math.round(quantile(late, 0.5)), Math.round(quantile(late, 0.9))]
  keep('told after the end of the word', { n: late.length, p50_ms: p50, p90_ms: p90 }, [
    String(late.length),
    `p50 ${p50} ms, p90 ${p90} ms`,
  ])
}

async function resembling(path: Path): Promise<void> {
  const random = seeded(34)
  let [n, woken] = [0, 0]
  for (const text of NEAR) {
    for (const voice of VOICES) {
      const { samples } = inNoise(say(text, voice, random), 20, random)
      n += 1
      if ((await path.hear(samples)).length > 0) woken += 1
    }
  }
  keep('sentences that resemble it', { n, woken }, [String(n), `${woken} woke it`])
}

/** An hour as it is in a house: talk of others, commands that follow no word, and noise. */
async function falseAlarms(path: Path, hours: number): Promise<void> {
  const random = seeded(32)
  const talk = [
    ...readTalk(),
    ...readFileSync(new URL('unknown.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n'),
  ]
  const commands = drawCommands(readGrammar(ROOT), seeded(33), { train: 0, test: 400 }).test
  let [ms, alarms, spoken_ms] = [0, 0, 0]
  for (let i = 0; ms < hours * 3_600_000; i += 1) {
    const text =
      i % 8 === 0
        ? random.one(commands).text
        : [random.one(talk), random.one(talk), random.one(talk)].join('. ')
    const clip = i % 8 === 7 ? silence() : say(text, random.one(VOICES), random)
    const { samples } = inNoise(clip, random.one(LEVELS), random)
    const told = await path.hear(samples)
    if (told.length > 0 && process.env.SHOW_WRONG) console.error(`${clip.voice}: ${text}`)
    alarms += told.length
    ms += (samples.length * 1_000) / RATE
    if (i % 8 !== 7) spoken_ms += (samples.length * 1_000) / RATE
  }
  const said = round(spoken_ms / 60_000)
  keep('talk and noise', { hours: round(ms / 3_600_000), minutes_of_talk: said, false_alarms: alarms }, [
    `${round(ms / 3_600_000)} h`,
    `${alarms} false alarms`,
  ])
}

/** Ten seconds that become noise alone: what lies below it cannot be heard. */
function silence(): Clip {
  const samples = Float32Array.from({ length: RATE * 10 }, (_, i) => 0.02 * Math.sin(i / 7))
  return { text: '', voice: 'noise', samples }
}

const path = new Path()
await path.open()
await hits(path, option('each', 12))
await resembling(path)
await falseAlarms(path, option('hours', 1))
if (process.argv.includes('--card')) {
  const card = `${ROOT}models/wake-starter.md`
  const table = ['| set | n | result |', '|---|---|---|', ...rows].join('\n')
  const between = /(<!-- measured by bench\/voice\/wake\.ts -->\n)[\s\S]*?(<!-- end -->)/
  writeFileSync(card, readFileSync(card, 'utf8').replace(between, `$1${table}\n$2`))
}
