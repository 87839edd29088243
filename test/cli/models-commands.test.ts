/**
 * Models by name, from a folder of this machine: listed, fetched, used, measured, removed. Nothing in use goes without a word; a
 * checksum nobody published is recorded and enforced; what was damaged on the shelf is fetched again.
 */

import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ModelRow } from '../../src/cli/commands/models-ls.ts'
import { freeSpace } from '../../src/cli/models-here.ts'
import { openSources } from '../../src/cli/sources.ts'
import { realHost } from '../../src/host/real.ts'
import { type Entry, preparedOf } from '../../src/inference/catalogue/index.ts'
import { pullEntry } from '../../src/inference/catalogue/pull.ts'
import { openModels, pulledDirectory } from '../../src/inference/index.ts'
import { runAtHome, worldOf } from './home-world.ts'

const STANDIN = fileURLToPath(new URL('../fixtures/engines/language.gguf', import.meta.url))
const STARTERS = fileURLToPath(new URL('../../models', import.meta.url))
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

let home: string
let source: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'loqa-models-'))
  source = join(home, 'language.gguf')
  copyFileSync(STANDIN, source)
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const loqa = (args: string, input?: string) => runAtHome(home, ['models', ...args.split(' ')], input)
const pulled = (): string => pulledDirectory(join(home, 'data'))
const pull = () => loqa(`pull ${pathToFileURL(source).href} --sha256 ${sha256(STANDIN)} --as mine`)
const rows = async (): Promise<readonly ModelRow[]> => JSON.parse((await loqa('ls --json')).out) as ModelRow[]
const stateOf = async (id: string) => (await rows()).find((row) => row.id === id)?.state

describe('loqa models', () => {
  test('from fetching to removing', async () => {
    expect(await stateOf('mine')).toBeUndefined()
    expect(await stateOf('whisper-base-q5_1')).toBe('to fetch')
    expect(await pull()).toMatchObject({ code: 0, out: expect.stringContaining('loqa models use mine') })
    expect(await stateOf('mine')).toBe('here')

    expect(await loqa('use mine')).toMatchObject({ code: 0, out: 'mine is used for llm.\n' })
    expect(await stateOf('mine')).toBe('chosen')
    const models = await openModels({
      ...{ disk: realHost().disk, clock: realHost().clock, models_dir: STARTERS },
      ...{ unpacked_dir: join(home, 'data/models'), pulled_dir: pulled() },
    })
    expect(models.chosen).toEqual({ llm: 'mine' })
    const mine = models.list.find(({ id }) => id === 'mine')!
    expect((await models.prepare(mine)).paths.model).toBe(join(pulled(), 'mine.language.gguf'))

    expect(await loqa('rm mine')).toMatchObject({ code: 2, err: expect.stringContaining('mine is in use') })
    expect(await loqa('rm mine --dry-run')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Would remove mine'),
    })
    expect(await stateOf('mine')).toBe('chosen')
    expect(await loqa('rm mine --yes')).toMatchObject({ code: 0, out: 'Removed mine.\n' })
    expect(await stateOf('mine')).toBeUndefined()
    expect(existsSync(join(pulled(), 'mine.language.gguf'))).toBe(false)
  })

  test('a model that is not used goes after a typed word, and stays without it', async () => {
    await pull()
    const prepared = preparedOf(join(home, 'data', 'models'), 'mine')
    for (const path of prepared) writeFileSync(path, 'made by an adapter')
    expect((await loqa('rm mine', 'no\n')).code).toBe(2)
    expect(await stateOf('mine')).toBe('here')
    expect((await loqa('rm mine', 'remove\n')).code).toBe(0)
    for (const path of prepared) expect(existsSync(path)).toBe(false)
  })

  test.each([
    ['rm recogniser-starter', 'came with the node and stays'],
    ['rm nothing', 'There is no model "nothing" here'],
    ['use whisper-base-q5_1', 'Fetch it first: loqa models pull whisper-base-q5_1'],
    ['use nothing', 'There is no model "nothing"'],
    ['pull nothing', 'There is no model "nothing" in the catalogue'],
    ['pull https://h/x.gguf', 'needs its checksum: --sha256 HEX'],
    ['bench nothing', 'There is no model "nothing" here'],
  ])('%s: %s', async (args, says) => {
    const { code, err } = await loqa(args)
    expect(code).toBe(2)
    expect(err).toContain(says)
  })

  test('of another kind than its name says: refused, with what came', async () => {
    writeFileSync(source, '<html>sign in</html>')
    const url = pathToFileURL(source).href
    const { code, err } = await loqa(`pull ${url} --sha256 ${sha256(source)} --as mine`)
    expect(code).toBe(1)
    expect(err).toContain('is a web page, expected a GGUF model')
    expect(await stateOf('mine')).toBeUndefined()
  })

  test('damaged on the shelf, it is fetched again; whole, it is left alone', async () => {
    await pull()
    const path = join(pulled(), 'mine.language.gguf')
    const bytes = readFileSync(path)
    bytes[1_000]! ^= 1
    writeFileSync(path, bytes)
    expect((await pull()).code).toBe(0)
    expect(sha256(path)).toBe(sha256(STANDIN))
    rmSync(source)
    expect((await pull()).code).toBe(0)
  })

  test('a damaged list of models is named before anything is done to it', async () => {
    await pull()
    writeFileSync(join(pulled(), 'manifest.json'), '{')
    const { code, err } = await loqa('ls')
    expect(code).toBe(1)
    expect(err).toContain('manifest.json is not JSON')
  })

  test('without a name it proposes, says why, and fetches nothing unasked', async () => {
    const { code, out } = await loqa('pull --dry-run')
    expect(code).toBe(0)
    expect(out).toMatch(/For this machine \(.* memory, \d+ cores|best served by the starter models/)
    expect((await loqa('pull', 'no\n')).code === 2 || !out.startsWith('For')).toBe(true)
    expect(existsSync(join(pulled(), 'manifest.json'))).toBe(false)
  })

  test('bench tells what the engine measures', { timeout: 180_000 }, async () => {
    await pull()
    const { code, out, err } = await loqa('bench mine --json')
    expect(code, err).toBe(0)
    const measured = JSON.parse(out) as { tokens_per_s: number; p95_ms: number }
    expect(measured.tokens_per_s).toBeGreaterThan(0)
    expect(measured.p95_ms).toBeGreaterThan(0)
  })
})

test('a checksum nobody published is recorded at the first download and enforced at the next, also after rm', async () => {
  const said = { out: '', err: '' }
  const world = worldOf(home, said)
  const { clock, disk } = realHost()
  const doors = { disk, clock, space: freeSpace, open: openSources(world, () => undefined) }
  const entry: Entry = {
    ...{
      id: 'unpinned',
      kind: 'llm',
      engine: 'llama',
      languages: [],
      licence: 'MIT',
      memory_mb: 1,
      about: '',
    },
    files: [{ role: 'model', name: 'm.gguf', format: 'gguf', sources: [pathToFileURL(source).href] }],
    parameters: {},
  }
  const options = { directory: pulled(), tell: () => undefined, signal: world.interrupted }
  expect((await pullEntry(doors, entry, options)).recorded).toEqual(['model'])
  expect((await loqa('rm unpinned --yes')).code).toBe(0)
  expect((await pullEntry(doors, entry, options)).recorded).toEqual([])
  expect((await loqa('rm unpinned --yes')).code).toBe(0)

  const bytes = readFileSync(source)
  bytes[bytes.length - 1]! ^= 1
  writeFileSync(source, bytes)
  await expect(pullEntry(doors, entry, options)).rejects.toMatchObject({ code: 'download-damaged' })
})
