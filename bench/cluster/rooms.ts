/**
 * An answer that goes on in another room: two real nodes on a LAN of network namespaces, a satellite on each, real engines, real time.
 *
 *   node bench/cluster/rooms.ts [--runs 20] [--way "said here"]
 *
 * `said there`: "continue in the living room" is said to the living room's microphone while the kitchen speaks; `said here`: to the
 * loudspeaker that speaks, which falls silent for it; `ordered`: by HTTP. `gap_ms`: from when the last sample heard in one room had been played to
 * the first one in the other; for `said here` from the end of what was said (its recording), which the person waits for. `n` of so many runs
 * were the same answer as in one room, sample for sample, when their two parts are joined; of any other run it is printed what it was.
 *
 * Prints JSON lines. Needs root, for the namespaces.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { readRecording } from '../../src/cli/recording.ts'
import { bytesOf } from '../../src/voice/index.ts'
import { agreed, Lan, type LanNode, together } from '../../test/lan/rig.ts'
import { joined, Satellite } from '../../test/lan/room-satellite.ts'
import { quantile } from '../voice/score.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const QUESTION = 'what is on the shopping list'
const ITEMS = [
  'milk and eggs',
  'bread and butter',
  'cheese and apples',
  'bananas and tomatoes',
  'rice and coffee',
]
/** Of the answer that is heard before it is to go on elsewhere. */
const HEARD_MS = 1_200
/** Two with engines start at once, on a machine that may be busy. */
const UP_MS = 180_000

const at = process.argv.indexOf('--runs')
const runs = at === -1 ? 20 : Number(process.argv[at + 1])
const named = process.argv.indexOf('--way')
const way = named === -1 ? undefined : process.argv[named + 1]

interface Run {
  readonly gap_ms: number
}

const round = (value: number): number => Math.round(value * 10) / 10
const spread = (values: readonly number[]) => ({
  p50: round(quantile(values, 0.5)),
  p95: round(quantile(values, 0.95)),
  max: round(Math.max(...values)),
})

function print(what: string, taken: readonly Run[]): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  console.log(
    JSON.stringify({
      ...{ bench: 'cluster/rooms', what, n: taken.length, of: runs },
      gap_ms: spread(taken.map(({ gap_ms }) => gap_ms)),
      ...{ load: round(loadavg()[0]!), machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`, commit },
    }),
  )
}

const lan = new Lan()
try {
  const args = ['--set', 'inference.stt=auto', '--set', 'inference.tts=auto']
  const [a, b] = ['a', 'b'].map((name) => lan.host().spawn(name, { args })) as [LanNode, LanNode]
  await Promise.all(
    [a, b].map((node) => node.until(() => node.output.includes(' is ready'), UP_MS, 'the ready line')),
  )
  await together([a, b], 60_000)
  const kitchen = new Satellite(a, 'kitchen')
  const living = new Satellite(b, 'living room')
  await Promise.all([kitchen.ready(), living.ready()])
  for (const pair of ITEMS) await a.json('ask', `add ${pair}`)
  await agreed([a, b], 60_000)

  const recording = async (text: string): Promise<{ file: string; ms: number }> => {
    const file = join(a.data, `${text.replaceAll(' ', '-')}.wav`)
    await a.loqa('say', text, '-o', file)
    const { samples } = readRecording(file, readFileSync(file))
    writeFileSync(`${file}.raw`, bytesOf(samples))
    return { file: `${file}.raw`, ms: samples.length / 16 }
  }
  const question = await recording(QUESTION)
  const go = await recording('continue in the living room')
  kitchen.say(question.file)
  const { samples: reference } = await kitchen.until('the answer in one room', () => kitchen.replies[0])

  const take = async (order: (session: string) => Promise<number | undefined>): Promise<Run> => {
    const before = { here: kitchen.replies.length, there: living.replies.length }
    kitchen.say(question.file)
    await kitchen.until(
      'some of the answer',
      () => kitchen.replies.length === before.here && kitchen.played_ms > HEARD_MS,
    )
    const from = await order(kitchen.session)
    const first = await kitchen.until('its end in the kitchen', () => kitchen.replies[before.here])
    const second = await living.until('its end in the living room', () => living.replies[before.there])
    const both = joined([first.samples, second.samples])
    const length = Math.min(both.length, reference.length)
    let wrong = 0
    for (let i = 0; i < length; i += 1) if (both[i] !== reference[i]) wrong += 1
    await living.until('silence', () => Date.now() > second.ended + 500)
    if (both.length !== reference.length || wrong > 0) {
      const parts = [first, second].map(({ samples }) => samples.length)
      const events = living.events.filter(({ at }) => at >= first.ended - 1_000)
      console.log(JSON.stringify({ odd: { reference: reference.length, parts, events } }))
      throw new Error('what was heard is not the answer')
    }
    return { gap_ms: second.began - (from ?? first.ended) }
  }
  const orders: Readonly<Record<string, (session: string) => Promise<number | undefined>>> = {
    'said there': async () => {
      living.say(go.file)
      return undefined
    },
    'said here': async () => {
      kitchen.say(go.file)
      return Date.now() + go.ms
    },
    ordered: async (session) => {
      await kitchen.order(session, 'living room')
      return undefined
    },
  }
  // In turn, so that all three meet the same noise.
  const all = new Map(Object.keys(orders).map((what) => [what, [] as Run[]]))
  for (let run = 0; run < runs; run += 1) {
    for (const [what, order] of Object.entries(orders)) {
      if (way !== undefined && way !== what) continue
      try {
        all.get(what)!.push(await take(order))
      } catch (thrown) {
        console.log(
          JSON.stringify({ bench: 'cluster/rooms', what, run, failed: String(thrown).slice(0, 200) }),
        )
      }
    }
  }
  for (const [what, taken] of all) if (taken.length > 0) print(what, taken)
  kitchen.close()
  living.close()
} finally {
  await lan.close()
}
