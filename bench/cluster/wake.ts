/**
 * One wake word, eight real nodes on a LAN of network namespaces: the same recording reaches their microphones at different levels.
 *
 *   node bench/cluster/wake.ts [--trials 50] [--nodes 8]         needs root, espeak-ng, sox
 *
 * Prints a JSON line per trial and one of all: how often exactly one answered, whether it was the loudest, and what the verdict took.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { toInt16, writeWav } from '../../src/voice/index.ts'
import { Lan, together } from '../../test/lan/rig.ts'
import { answering, Microphones, WAKE_ARGS } from '../../test/lan/wake-trials.ts'
import { seeded } from '../../training/seeded.ts'
import { espeakClip, inNoise } from '../voice/clips.ts'
import { quantile } from '../voice/score.ts'

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1])
}
const trials = option('trials', 50)
const count = option('nodes', 8)

const folder = new URL('../out/', import.meta.url).pathname
mkdirSync(folder, { recursive: true })
const wav = `${folder}hey-loqa.wav`
writeFileSync(
  wav,
  writeWav(toInt16(inNoise(espeakClip('hey loqa', 'max', seeded(4)), 35, seeded(5)).samples), 16_000),
)

const lan = new Lan()
try {
  const names = Array.from({ length: count }, (_, i) => `n${i}`)
  const nodes = await lan.start(names, { args: [...WAKE_ARGS] })
  await together(nodes, 120_000)
  const microphones = new Microphones(nodes, wav)
  const random = seeded(50)
  const ends: { one: boolean; loudest: boolean; after: number[]; yielded: number; heard: number }[] = []
  for (let trial = 0; trial < trials; trial += 1) {
    // 3 dB apart, dealt out anew.
    const order = names.map((_, i) => ({ i, at: random.next() })).toSorted((a, b) => a.at - b.at)
    const gains = names.map((_, i) => 10 ** ((-3 * order.findIndex((each) => each.i === i)) / 20))
    const ended = await microphones.hear(gains)
    const who = answering(ended)
    const end = {
      one: who.length === 1,
      loudest: who[0] === order[0]!.i,
      after: ended.flatMap(([first]) => (first === undefined ? [] : [first.after_ms])),
      yielded: ended.filter((events) => events.length > 1).length,
      heard: ended.filter((events) => events.length > 0).length,
    }
    ends.push(end)
    console.log(
      JSON.stringify({
        bench: 'wake-arbitration',
        trial,
        answering: who.length,
        ...end,
        after: undefined,
        slowest_ms: Math.max(...end.after),
      }),
    )
  }
  microphones.close()
  const after = ends.flatMap((end) => end.after)
  console.log(
    JSON.stringify({
      bench: 'wake-arbitration',
      nodes: count,
      trials: ends.length,
      exactly_one: ends.filter(({ one }) => one).length,
      loudest_answered: ends.filter(({ loudest }) => loudest).length,
      yielded: ends.reduce((sum, end) => sum + end.yielded, 0),
      decided_ms: { p50: quantile(after, 0.5), p90: quantile(after, 0.9), most: Math.max(...after) },
      load: loadavg()[0],
    }),
  )
} finally {
  await lan.close()
}
