import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const BIN = fileURLToPath(new URL('../../bin', import.meta.url))
let place: string
let clone: string

/** A program named `node` that tells its version, or how it was called. */
function fakeNode(directory: string, version: string): void {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'node')
  writeFileSync(
    path,
    `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "${version}:" "$@"; fi\n`,
  )
  chmodSync(path, 0o755)
}

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'loqa bin '))
  clone = join(place, 'clone')
  cpSync(BIN, join(clone, 'bin'), { recursive: true })
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

/** The commands a small machine has, without any Node. */
const PLAIN_PATH = '/usr/bin:/bin'
const plainPath = (): string => {
  const tools = join(place, 'tools')
  mkdirSync(tools, { recursive: true })
  for (const tool of ['sh', 'dirname', 'readlink', 'find', 'head']) {
    const found = execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { env: { PATH: PLAIN_PATH } })
    symlinkSync(found.toString().trim(), join(tools, tool))
  }
  return tools
}

function launch(
  command: string,
  path: string,
  ...args: string[]
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    env: { PATH: path, HOME: place },
    encoding: 'utf8',
    timeout: 45_000,
  })
  return { code: status, out: stdout, err: stderr }
}

describe('the launchers', () => {
  it('take the Node that npm installed for this clone', () => {
    fakeNode(join(clone, 'node_modules/.bin'), 'v24.1.0')
    const { code, out } = launch(join(clone, 'bin/loqa'), plainPath(), 'ask', 'what time')
    expect([code, out]).toEqual([
      0,
      `v24.1.0: --disable-warning=ExperimentalWarning ${clone}/src/main.ts ask what time\n`,
    ])
  })

  it('run a node by loqa-node', () => {
    fakeNode(join(clone, 'node_modules/.bin'), 'v24.1.0')
    expect(launch(join(clone, 'bin/loqa-node'), plainPath(), '--room', 'x').out).toContain(
      'src/main.ts node --room x',
    )
  })

  it.each([
    ['src/cluster/cluster.ts', 'the sources'],
    ['package-lock.json', 'the sources'],
    ['test/cli/run.ts', 'the bundle'],
  ])('run the bundle; when %s is newer, %s', (changed, runs) => {
    fakeNode(join(clone, 'node_modules/.bin'), 'v24.1.0')
    const made = { bundle: 2_000, before: 1_000, after: 3_000 }
    for (const [file, at] of [
      [changed, made.after],
      ['src/main.ts', made.before],
      ['dist/main.js', made.bundle],
    ] as const) {
      const path = join(clone, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, '')
      utimesSync(path, at, at)
      utimesSync(dirname(path), at, at)
    }
    const file = runs === 'the bundle' ? 'dist/main.js' : 'src/main.ts'
    expect(launch(join(clone, 'bin/loqa'), plainPath(), 'status').out).toContain(`${clone}/${file} status`)
  })

  it('take the Node of the PATH when it is new enough', () => {
    fakeNode(join(place, 'new'), 'v26.0.0')
    const path = [join(place, 'new'), plainPath()].join(delimiter)
    expect(launch(join(clone, 'bin/loqa'), path, 'status').out).toMatch(/^v26\.0\.0:/)
  })

  it('work through symbolic links, also relative ones to links', () => {
    fakeNode(join(clone, 'node_modules/.bin'), 'v24.1.0')
    symlinkSync('clone/bin/loqa', join(place, 'one'))
    symlinkSync('one', join(place, 'two'))
    expect(launch(join(place, 'two'), plainPath(), 'status').out).toContain(`${clone}/src/main.ts status`)
  })

  it.each([
    ['v20.20.2', 'found v20.20.2'],
    [undefined, 'found none'],
    ['nonsense', 'found nonsense'],
  ])('with Node %s say what to do', (version, words) => {
    if (version !== undefined) fakeNode(join(place, 'old'), version)
    const path = [join(place, 'old'), plainPath()].join(delimiter)
    const { code, err } = launch(join(clone, 'bin/loqa'), path, 'status')
    expect([code, err]).toEqual([1, expect.stringContaining(words)])
    expect(err).toContain('npm ci')
  })
})
