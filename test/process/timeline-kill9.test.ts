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

it(`loses no acknowledged event in ${ROUNDS} kills at any moment, and keeps none that may not outlive its process`, {
  timeout: 240_000,
}, async () => {
  let acknowledged = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = round * 1_000_000
    const written = await writeAndKill('./timeline-writer.ts', directory, start, 1 + ((round * 37) % 60))
    const last = written.at(-1)!
    const file = openTimelineFile(join(directory, 'timeline.db'), {
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
  expect(acknowledged).toBeGreaterThan(ROUNDS * 50)
})
