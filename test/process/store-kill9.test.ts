import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'

const WRITER = fileURLToPath(new URL('./store-writer.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'loqa-kill9-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const ROUNDS = 20

/** Lets a process write until it has acknowledged `most` writes, kills it, and returns what it acknowledged. */
function writeAndKill(start: number, most: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRITER, directory, String(start)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    let said = ''
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString()
    })
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.split('\n').length > most + 1) child.kill('SIGKILL')
    })
    child.on('close', (_, signal) => {
      // The last line may be cut off in the middle.
      const lines = said.split('\n').slice(0, -1)
      if (signal !== 'SIGKILL' || lines[0] !== 'open')
        reject(new Error(`the writer ended by itself: ${complaint}`))
      else resolve(lines.slice(1).map(Number))
    })
  })
}

it(`loses no acknowledged write and tears none in ${ROUNDS} kills at any moment`, {
  timeout: 240_000,
}, async () => {
  const acknowledged: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const written = await writeAndKill(round * 1_000_000, 1 + ((round * 37) % 150))
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
