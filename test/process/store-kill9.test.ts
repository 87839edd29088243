import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterAll, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import { openStore } from '../../src/store/index.ts'
import { writerOf } from '../store/writers.ts'
import { writeAndKill } from './mortal-writer.ts'

const WRITER = './store-writer.ts'
const directory = mkdtempSync(join(tmpdir(), 'loqa-kill9-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ROUNDS = Number(process.env.LOQA_KILLS ?? 100)
/** So many databases, side by side: most of a round is waiting. One that grew for longer only takes longer to check. */
const LANES = 5
/** Looking costs as much as writing: after so many kills. */
const LOOKED_AT = 4
/** What a person waits for a node to come back. */
const REOPENED_MS = 2_000

interface Lane {
  acknowledged: number
  readonly opened_ms: number[]
}

/** Writes, is killed, is looked through, again and again on one directory. */
async function run(lane: number, rounds: number): Promise<Lane> {
  const path = join(directory, `${lane}`)
  const acknowledged: number[] = []
  const opened_ms: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const most = 1 + ((round * 157 + lane * 61) % 150)
    const written = await writeAndKill(WRITER, path, (lane * rounds + round) * 1_000_000, most)
    expect(written.length).toBeGreaterThan(0)
    acknowledged.push(...written)
    // What was lost or torn in one round still is after the next ones, each of which opens what the one before left.
    if ((round + 1) % LOOKED_AT !== 0 && round + 1 < rounds) continue
    const began = performance.now()
    const store = await openStore({
      host: realHost(),
      directory: path,
      key: new Uint8Array(32).fill(1),
      writer: writerOf(1),
    })
    opened_ms.push(performance.now() - began)
    const keys = async (prefix: string): Promise<Set<string>> =>
      new Set((await store.list('kill9', prefix)).map(({ key }) => key.slice(1)))
    const [first, second] = [await keys('a'), await keys('b')]
    expect(first).toEqual(second)
    expect(acknowledged.filter((number) => !first.has(String(number).padStart(9, '0')))).toEqual([])
    // Everything acknowledged can be told to others: the log reaches as far as the tables.
    const own = store.replication()!.writers.find(({ origin }) => origin.startsWith(writerOf(1).node))
    expect(own!.version).toBeGreaterThan(0)
    await store.close()
  }
  return { acknowledged: acknowledged.length, opened_ms }
}

it(`loses no acknowledged write and tears none in ${ROUNDS} kills at any moment`, {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  const lanes = await Promise.all(
    Array.from({ length: LANES }, (_, lane) => run(lane, Math.ceil(ROUNDS / LANES))),
  )
  expect(lanes.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(ROUNDS * 50)
  // The middle one: a disk that is good may be busy for a moment, and here are five at once.
  const opened = lanes.flatMap(({ opened_ms }) => opened_ms).toSorted((a, b) => a - b)
  expect(opened[Math.floor(opened.length / 2)]).toBeLessThan(REOPENED_MS)
})
