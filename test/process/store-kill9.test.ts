import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { writeAndKill } from './mortal-writer.ts'

const WRITER = './store-writer.ts'
const directory = mkdtempSync(join(tmpdir(), 'loqa-kill9-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ROUNDS = 20

it(`loses no acknowledged write and tears none in ${ROUNDS} kills at any moment`, {
  timeout: 240_000,
}, async () => {
  const acknowledged: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const written = await writeAndKill(WRITER, directory, round * 1_000_000, 1 + ((round * 37) % 150))
    expect(written.length).toBeGreaterThan(0)
    acknowledged.push(...written)
    const database = openDatabase(join(directory, 'store.db'))
    const keys = (prefix: string): Set<string> =>
      new Set(database.list('kill9', prefix, 100_000).map(({ key }) => key.slice(1)))
    const [first, second] = [keys('a'), keys('b')]
    database.close()
    expect(first).toEqual(second)
    const lost = acknowledged.filter((number) => !first.has(String(number).padStart(9, '0')))
    expect(lost).toEqual([])
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 20)
})
