/** The tutorial of the kit does what it says, command by command, against a real node; and a skill changes under load without a failed call. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hear } from './wav.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const tutorial = readFileSync(join(ROOT, 'sdk/TUTORIAL.md'), 'utf8')

interface Block {
  readonly language: string
  readonly terminal: string | undefined
  readonly file: string | undefined
  readonly text: string
}

const blocks: readonly Block[] = [...tutorial.matchAll(/^```(\w+)(.*)\n([\s\S]*?)^```$/gm)].map(
  ([, language, about, text]) => ({
    language: language!,
    terminal: /terminal=(\w+)/.exec(about!)?.[1],
    file: /file=(\S+)/.exec(about!)?.[1],
    text: text!,
  }),
)
const commandsOf = (all: readonly Block[]): string[] =>
  all.flatMap(({ language, text }) => (language === 'sh' ? text.trim().split('\n') : []))

let home: string
let directory: string
let environment: NodeJS.ProcessEnv
/** Terminals in which something stays. */
const terminals = new Map<string, { readonly process: ChildProcess; output: string }>()

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'loqa-tutorial-'))
  directory = home
  environment = {
    ...process.env,
    PATH: `${join(ROOT, 'bin')}:${process.env.PATH}`,
    NO_COLOR: '1',
    LOQA_DATA: join(home, 'data'),
    // Beside other nodes of this machine.
    LOQA_API_PORT: '0',
    LOQA_INFERENCE_LLM: 'off',
    LOQA_CLUSTER_PORT: '0',
  }
})
afterAll(async () => {
  for (const [, { process: child }] of [...terminals].reverse()) {
    child.kill('SIGINT')
    if (child.exitCode === null) await new Promise((done) => child.once('exit', done))
  }
  rmSync(home, { recursive: true, force: true })
})

function stay(name: string, line: string): void {
  const child = spawn('/bin/sh', ['-c', `exec ${line}`], { cwd: directory, env: environment })
  const terminal = { process: child, output: '' }
  terminals.set(name, terminal)
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      terminal.output += chunk.toString()
    })
  }
}

const says = (name: string, text: string) =>
  expect
    .poll(() => terminals.get(name)!.output, { timeout: 60_000, message: `terminal ${name}` })
    .toContain(text)

async function run(line: string): Promise<string> {
  const [, to] = /^cd (\S+)$/.exec(line) ?? []
  if (to !== undefined) {
    directory = join(directory, to)
    return ''
  }
  return new Promise((done, failed) => {
    execFile('/bin/sh', ['-c', line], { cwd: directory, env: environment }, (error, stdout, stderr) => {
      if (error === null) done(`${stdout}${stderr}`)
      else failed(new Error(`${line}\n${stdout}${stderr}`))
    })
  })
}

async function follow(block: Block, before: string): Promise<string> {
  const { language, terminal, file, text } = block
  if (file !== undefined) {
    writeFileSync(join(directory, file), text)
    return before
  }
  if (language === 'text') {
    for (const line of text.trim().split('\n')) {
      if (terminal === undefined) expect(before).toContain(line)
      else await says(terminal, line)
    }
    return before
  }
  if (terminal !== undefined) {
    stay(terminal, text.trim())
    await says(terminal, terminal === 'node' ? 'is ready' : 'is in the node')
    return ''
  }
  let output = ''
  for (const line of text.trim().split('\n')) output += await run(line)
  return output
}

describe('the tutorial', () => {
  it('leads from nothing to a spoken answer in at most ten commands', async () => {
    const end = blocks.findIndex(({ text }) => text.includes('reply    Good'))
    expect(commandsOf(blocks.slice(0, end)).length).toBeLessThanOrEqual(10)
    let output = ''
    for (const block of blocks.slice(0, end + 1)) output = await follow(block, output)
    const heard = hear(join(directory, 'answer.wav'))
    expect(heard.seconds).toBeGreaterThan(0.5)
    expect(heard.voiced).toBeGreaterThan(0.3)
  })

  it('goes on as it says: changed while it runs, watched, tested, built', async () => {
    const from = blocks.findIndex(({ text }) => text.includes('reply    Good')) + 1
    let output = ''
    for (const block of blocks.slice(from)) {
      output = await follow(block, output)
      // A person takes longer to change terminals than the node to take the change.
      if (block.file === 'pets.ts') await expect.poll(savedAgain(), { timeout: 40_000 }).toBe(2)
    }
  })
})

/** A machine too busy to try a version in time refuses it, and says so: then, and only then, a person saves once more. */
function savedAgain(): () => number {
  const file = join(directory, 'pets.ts')
  const refusals = () => terminals.get('dev')!.output.split('The version before answers on.').length - 1
  const before = refusals()
  let saved = false
  return () => {
    if (!saved && refusals() > before) {
      saved = true
      writeFileSync(file, readFileSync(file))
    }
    return loads()
  }
}

/** How often a version was taken into use. */
const loads = (): number => terminals.get('dev')!.output.split('is in the node').length - 1

describe('a skill under development', () => {
  it('changes under load without a failed call; a broken version is refused and the one before answers', async () => {
    const { http } = JSON.parse(readFileSync(join(home, 'data/runtime.json'), 'utf8')) as { http: number }
    const file = join(directory, 'pets.ts')
    const text = readFileSync(file, 'utf8')
    const wrong: unknown[] = []
    const replies = new Map<string, number>()
    let busy = true
    const ask = async (session: string): Promise<void> => {
      const response = await fetch(`http://127.0.0.1:${http}/api/v1/ask`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'where is the cat', session }),
      })
      const turn = (await response.json()) as { reply?: string; error?: unknown }
      const said = /^The cat is (out|in the garden \d)\.$/.test(turn.reply ?? '')
      if (!said || turn.error !== undefined) wrong.push(turn)
      replies.set(turn.reply ?? '', (replies.get(turn.reply ?? '') ?? 0) + 1)
    }
    const asking = ['one', 'two'].map(async (session) => {
      while (busy) {
        await ask(session)
        await new Promise((done) => setTimeout(done, 25))
      }
    })
    for (const version of [1, 2, 3]) {
      const before = loads()
      writeFileSync(file, text.replace('is out.`', `is in the garden ${version}.\``))
      await expect.poll(() => loads(), { timeout: 30_000 }).toBe(before + 1)
    }
    writeFileSync(file, text.replace('const isOut', 'nowhere(); const isOut'))
    await says('dev', 'The version before answers on.')
    await expect
      .poll(() => replies.get('The cat is in the garden 3.') ?? 0, { timeout: 30_000 })
      .toBeGreaterThan(3)
    busy = false
    await Promise.all(asking)
    expect(wrong).toEqual([])
    expect([...replies.keys()]).toContain('The cat is in the garden 3.')
    expect(terminals.get('dev')!.output).toMatch(/nowhere.* in line \d+/)
  })
})
