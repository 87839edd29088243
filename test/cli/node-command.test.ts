import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const ENTRY = fileURLToPath(new URL('./scripted-node.ts', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'loqa-cli-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

interface Process {
  readonly child: ChildProcess
  /** All it has printed. */
  output(): string
  /** Resolves when it has printed this. */
  prints(text: string): Promise<void>
  readonly ended: Promise<number | string>
}

function nodeProcess(
  script: string,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Process {
  const child = spawn(process.execPath, [ENTRY, script, ...args], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, NO_COLOR: '1', ...environment },
    timeout: 45_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      output += part.toString()
    })
  }
  return {
    child,
    output: () => output,
    async prints(text) {
      while (!output.includes(text)) await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
    },
    ended: once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string),
  }
}

describe('a node', () => {
  it('says what it is, where its data are and where it answers; ends with 0 when asked to', async () => {
    const node = nodeProcess('well', [
      '--name',
      'pantry',
      '--room',
      'kitchen',
      '--http-port',
      '8123',
      '--data',
      '/d',
    ])
    await node.prints('ready')
    node.child.kill('SIGTERM')
    expect(await node.ended).toBe(0)
    expect(node.output()).toMatch(
      /^loqa-node \d+\.\d+\.\d+ starts .*\ndata in \/d\npantry is ready, room kitchen: http:\/\/127\.0\.0\.1:8123\nstopping\n$/,
    )
  })

  it('takes two signals at once for one wish', async () => {
    const node = nodeProcess('well')
    await node.prints('ready')
    node.child.kill('SIGINT')
    node.child.kill('SIGTERM')
    expect(await node.ended).toBe(0)
  })

  it('that cannot stop ends all the same, before a service manager would kill it', async () => {
    const node = nodeProcess('stuck')
    await node.prints('ready')
    node.child.kill('SIGTERM')
    expect(await node.ended).toBe(0)
    expect(node.output()).toContain('did not stop in time')
  })

  it('can be ended while it starts', async () => {
    const node = nodeProcess('slow-start')
    await node.prints('data in')
    node.child.kill('SIGTERM')
    expect(await node.ended).toBe(0)
  })
})

describe('a node that cannot start', () => {
  writeFileSync(join(home, 'bad.toml'), '[api]\nprot = 1\n')
  it.each([
    ['its folder is owned', 'owned', [], 75, /in use by process 7\nUse --data\./],
    ['its port is taken', 'port', [], 1, /Port 7420 is in use\nUse --http-port\./],
    ['of a defect', 'defect', [], 1, /internal error occurred: x is not a function\nLOQA_DEBUG/],
    [
      'of a wrong file',
      'well',
      ['--config', 'bad.toml'],
      78,
      /bad\.toml:2: api\.prot is not a setting; did you mean api\.port\?/,
    ],
    ['of a missing file', 'well', ['--config', 'gone.toml'], 78, /flag --config: gone\.toml does not exist/],
    [
      'of a wrong flag value',
      'well',
      ['--http-port', 'many'],
      78,
      /flag --http-port: api\.port .*given "many"/,
    ],
    ['of an unknown flag', 'well', ['--prot', '1'], 2, /Did you mean --port\?/],
  ] as const)('because %s says so', async (_, script, args, code, words) => {
    const node = nodeProcess(script, args)
    expect([await node.ended, node.output()]).toEqual([code, expect.stringMatching(words)])
  })
})
