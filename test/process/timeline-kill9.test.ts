import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { openTimelineFile } from '../../src/store/timeline/timeline-file.ts'
import { writeAndKill } from './mortal-writer.ts'

const directory = mkdtempSync(join(tmpdir(), 'loqa-timeline-kill9-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ROUNDS = 15
/** So many files, side by side: most of a round is waiting. */
const LANES = 3

/** Writes, is killed, is looked through, again and again on one directory; how many events were acknowledged. */
async function run(lane: number, rounds: number): Promise<number> {
  const folder = join(directory, `${lane}`)
  let acknowledged = 0
  for (let round = 0; round < rounds; round += 1) {
    const start = (lane * rounds + round) * 1_000_000
    const most = 1 + (((lane * rounds + round) * 37) % 60)
    const last = (await writeAndKill('./timeline-writer.ts', folder, start, most)).at(-1)!
    const file = openTimelineFile(join(folder, 'timeline.db'), {
      key: new Uint8Array(32).fill(7),
      random: new SimulatedRandom(round),
    })
    const numbers = file
      .read(`round-${start}`)
      .map((text) => (JSON.parse(text) as { body: { number: number } }).body.number)
    const kept = file.list()
    file.close()
    expect(numbers.length).toBeGreaterThan(last - start)
    expect(numbers).toEqual(numbers.map((_, i) => start + i))
    expect(kept.filter(({ scope }) => scope === 'session')).toEqual([])
    expect(kept).toHaveLength(round + 1)
    expect(kept.every(({ ended_at }) => ended_at !== undefined)).toBe(true)
    acknowledged += last - start + 1
  }
  return acknowledged
}

it(`loses no acknowledged event in ${ROUNDS} kills at any moment, and keeps none that may not outlive its process`, {
  timeout: 240_000,
}, async () => {
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => run(lane, ROUNDS / LANES)))
  expect(lanes.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(ROUNDS * 50)
})
