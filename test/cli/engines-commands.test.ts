/**
 * Engines that do not come with the program: their size is said before anything is fetched, what was cut off leaves nothing, what is
 * there is whole and without what other machines need.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { EngineRow } from '../../src/cli/commands/engines.ts'
import { installLibrary } from '../../src/cli/engine-libraries.ts'
import { CATALOGUE, ENGINES } from '../../src/inference/catalogue/index.ts'
import { BUILT_IN, LIBRARIES } from '../../src/inference/catalogue/libraries.ts'
import { runAtHome } from './home-world.ts'

// npm is started for real, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'loqa-added-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const loqa = (args: string, input?: string) => runAtHome(home, ['engines', ...args.split(' ')], input)

describe('the commands', () => {
  test('show every engine a model of the catalogue runs on, and what can be added', async () => {
    const { code, out } = await loqa('ls --json')
    expect(code).toBe(0)
    const rows = JSON.parse(out) as EngineRow[]
    expect(rows.map(({ engine }) => engine).sort()).toEqual([...ENGINES].sort())
    for (const { engine } of CATALOGUE.filter((entry) => ENGINES.has(entry.engine)))
      expect(engine in BUILT_IN || LIBRARIES.some((library) => library.engine === engine)).toBe(true)
    expect(rows.find(({ engine }) => engine === 'kokoro')).toMatchObject({ state: 'to add', bytes: 109e6 })
  })

  test('say the size first, and without a yes nothing is fetched', async () => {
    const asked = await loqa('add kokoro', 'no\n')
    expect(asked.code).toBe(2)
    expect(asked.err).toMatch(/122 MB are fetched.*109 MB in the end/s)
    expect(await loqa('add kokoro --dry-run')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/122 MB/),
    })
    expect(existsSync(join(home, 'data', 'engines'))).toBe(false)
  })

  test('refuse what is no engine to add, and what is not here', async () => {
    expect((await loqa('add opera')).err).toMatch(/no engine "opera".*kokoro/s)
    expect((await loqa('add llama')).err).toMatch(/comes with the program/)
    expect((await loqa('rm kokoro')).err).toMatch(/not here/)
    expect((await loqa('rm ../..')).code).toBe(2)
  })

  test('remove what was added, when it is meant', async () => {
    const added = join(home, 'data', 'engines', 'kokoro')
    mkdirSync(added, { recursive: true })
    writeFileSync(join(added, 'file'), 'twelve bytes')
    expect((await loqa('rm kokoro', 'no\n')).code).toBe(2)
    expect((await loqa('rm kokoro --dry-run')).out).toMatch(/Would remove the engine kokoro, 12/)
    expect(existsSync(added)).toBe(true)
    expect((await loqa('rm kokoro', 'remove\n')).code).toBe(0)
    expect(existsSync(added)).toBe(false)
  })
})

describe('a library', () => {
  const library = {
    ...LIBRARIES[0]!,
    per_machine: ['node_modules/tune/bin'],
    unneeded: ['node_modules/tune/web.js'],
  }

  /** A list of one package, which lies beside the libraries. */
  function lists(more: object = {}): { directory: string; lists: string } {
    const [directory, folder] = [join(home, 'engines'), join(home, 'lists')]
    const tune = join(directory, 'tune')
    for (const machine of [`${process.platform}/${process.arch}`, 'amiga/m68k', `${process.platform}/m68k`]) {
      mkdirSync(join(tune, 'bin', machine), { recursive: true })
      writeFileSync(join(tune, 'bin', machine, 'lib'), 'machine code')
    }
    for (const file of ['index.js', 'web.js']) writeFileSync(join(tune, file), '')
    writeFileSync(join(tune, 'package.json'), JSON.stringify({ name: 'tune', version: '1.0.0' }))
    mkdirSync(folder, { recursive: true })
    const wanted = { name: 'list', version: '1.0.0', dependencies: { tune: 'file:../tune' } }
    const asked = { ...wanted, dependencies: { ...wanted.dependencies, ...more } }
    writeFileSync(join(folder, 'package.json'), JSON.stringify(asked))
    const packages = {
      '': wanted,
      '../tune': { version: '1.0.0' },
      'node_modules/tune': { resolved: '../tune', link: true },
    }
    const lock = { name: 'list', version: '1.0.0', lockfileVersion: 3, requires: true, packages }
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
    return { directory, lists: folder }
  }
  const environment = process.env
  const signal = new AbortController().signal

  test('comes whole, and without what other machines need', async () => {
    const places = lists()
    const bytes = await installLibrary(library, { ...places, environment, signal })
    expect(bytes).toBeGreaterThan(0)
    const tune = join(places.directory, library.engine, 'node_modules', 'tune')
    expect(readdirSync(join(tune, 'bin'))).toEqual([process.platform])
    expect(readdirSync(join(tune, 'bin', process.platform))).toEqual([process.arch])
    expect(existsSync(join(tune, 'index.js'))).toBe(true)
    expect(existsSync(join(tune, 'web.js'))).toBe(false)
  })

  test('whose list is not the one that was checked is not installed, and the one before stays', async () => {
    const places = lists({ drum: 'file:../drum' })
    mkdirSync(join(places.directory, library.engine))
    await expect(installLibrary(library, { ...places, environment, signal })).rejects.toMatchObject({
      code: 'install-failed',
    })
    expect(readdirSync(places.directory).sort()).toEqual([library.engine, 'tune'])
  })

  test('that is interrupted leaves nothing', async () => {
    const places = lists()
    const stopped = AbortSignal.abort()
    await expect(installLibrary(library, { ...places, environment, signal: stopped })).rejects.toMatchObject({
      code: 'interrupted',
    })
    expect(readdirSync(places.directory)).toEqual(['tune'])
  })
})
