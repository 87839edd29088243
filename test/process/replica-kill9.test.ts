import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openDatabase } from '../store/crdt/opening.ts'
import { writeAndKill } from './mortal-writer.ts'

const WRITER = './replica-writer.ts'
const directory = mkdtempSync(join(tmpdir(), 'loqa-replica-kill9-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ROUNDS = Number(process.env.LOQA_KILLS ?? 20)
/** A database that grew for longer only takes longer to check. */
const ROUNDS_OF_ONE = 10

it(`loses no acknowledged write and tears none in ${ROUNDS} kills at any moment`, {
  timeout: 60_000 + ROUNDS * 10_000,
}, async () => {
  let acknowledged: number[] = []
  let all = 0
  let unclean = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % ROUNDS_OF_ONE === 0) acknowledged = []
    const path = join(directory, `household-${Math.floor(round / ROUNDS_OF_ONE)}`)
    const written = await writeAndKill(WRITER, path, round * 1_000_000, 1 + ((round * 157) % 400))
    expect(written.length).toBeGreaterThan(0)
    acknowledged.push(...written)
    all += written.length
    const { database, pages, close } = await openDatabase(path)
    unclean += pages.endedUnclean ? 1 : 0
    const keys = (prefix: string): Set<string> =>
      new Set(
        database
          .read(
            {
              sql: 'SELECT substr(key, 2) FROM entries WHERE key >= ? AND key < ?',
              parameters: [prefix, `${prefix}~`],
            },
            1e6,
          )
          .map(([key]) => String(key)),
      )
    const [first, second] = [keys('a'), keys('b')]
    expect(first).toEqual(second)
    expect(acknowledged.filter((number) => !first.has(String(number).padStart(9, '0')))).toEqual([])
    expect(database.verify()).toEqual([])
    // Half of the lives find what the one before left, unchecked and unrepaired by this test.
    if (round % 2 === 0) close()
    else database.close()
  }
  expect(unclean).toBeGreaterThan(ROUNDS / 2)
  expect(all).toBeGreaterThan(ROUNDS * 50)
})
