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
/** A database that grew for longer only takes longer to check. */
const ROUNDS_OF_ONE = 10
/** What a person waits for a node to come back. */
const REOPENED_MS = 2_000

it(`loses no acknowledged write and tears none in ${ROUNDS} kills at any moment`, {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  let acknowledged: number[] = []
  let all = 0
  const opened: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % ROUNDS_OF_ONE === 0) acknowledged = []
    const path = join(directory, `${Math.floor(round / ROUNDS_OF_ONE)}`)
    const written = await writeAndKill(WRITER, path, round * 1_000_000, 1 + ((round * 157) % 400))
    expect(written.length).toBeGreaterThan(0)
    acknowledged.push(...written)
    all += written.length
    const began = performance.now()
    const store = await openStore({
      host: realHost(),
      directory: path,
      key: new Uint8Array(32).fill(1),
      writer: writerOf(1),
    })
    opened.push(performance.now() - began)
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
  expect(all).toBeGreaterThan(ROUNDS * 50)
  // The middle one: a disk that is good may be busy for a moment.
  expect(opened.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]).toBeLessThan(REOPENED_MS)
})
