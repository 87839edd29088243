import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'

const NODE = fileURLToPath(new URL('./skill-node.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'loqa-timer-'))
let running: ChildProcess | undefined
afterEach(() => {
  running?.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

interface Line {
  readonly ready?: true
  readonly result?: { readonly speech: string }
  readonly announced?: { readonly speech: string; readonly room?: string }
}

async function startNode() {
  const child = spawn(process.execPath, [NODE, directory], { stdio: ['pipe', 'pipe', 'inherit'] })
  running = child
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async (): Promise<Line> => JSON.parse((await lines.next()).value as string) as Line
  // A missed timer may be announced before everything is up.
  const early: Line[] = []
  for (let line = await next(); line.ready !== true; line = await next()) early.push(line)
  return {
    next: async (): Promise<Line> => early.shift() ?? next(),
    async ask(name: string, slots: Readonly<Record<string, unknown>> = {}): Promise<string | undefined> {
      child.stdin.write(`${JSON.stringify({ name, slots })}\n`)
      let line = await next()
      for (; line.result === undefined; line = await next()) early.push(line)
      return line.result.speech
    },
    async kill() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

it('a timer survives kill -9: it rings on time, and late when the node was down', {
  timeout: 60_000,
}, async () => {
  const first = await startNode()
  expect(await first.ask('timer.set', { duration: 1, name: 'egg' })).toBe('Egg timer set for one second.')
  expect((await first.next()).announced).toMatchObject({ speech: 'Your egg timer is done.', room: 'kitchen' })
  expect(await first.ask('timer.set', { duration: 1, name: 'tea' })).toBe('Tea timer set for one second.')
  expect(await first.ask('timer.set', { duration: 3_600, name: 'pasta' })).toBe(
    'Pasta timer set for one hour.',
  )
  await first.kill()

  const second = await startNode()
  const announced = (await second.next()).announced
  expect(announced?.speech).toMatch(
    /^(While I was away, your tea timer ended, (just now|.* ago)|Your tea timer is done)\.$/,
  )
  expect(await second.ask('timer.list')).toMatch(
    /^Your pasta timer has (one hour|fifty nine minutes and .*) left\.$/,
  )
  expect(await second.ask('timer.cancel')).toBe('Pasta timer cancelled.')
  await second.kill()

  const third = await startNode()
  expect(await third.ask('timer.list')).toBe('There is no timer running.')
})
