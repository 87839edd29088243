/** One contestant in a process of its own: a command per line in, a line of numbers out. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

export interface Peer {
  readonly name: string
  /** Errors: when it does not answer within a minute, or dies. */
  run(command: string, count: number): Promise<Answer>
  close(): void
}

export interface Answer {
  readonly numbers: readonly number[]
  /** Processor time of all its threads meanwhile: what other work on the machine cannot add to. NaN where unknown. */
  readonly processor_ms: number
}

const ANSWER_MS = 60_000

export async function startPeer(name: string, program: string, args: readonly string[]): Promise<Peer> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout! })
  await line(child, lines, name)
  return {
    name,
    async run(command, count) {
      const answer = line(child, lines, `${name} ${command}`)
      const before = processorTime(child.pid!)
      child.stdin!.write(`${command} ${count}\n`)
      const numbers = (await answer).split(' ').map(Number)
      return { numbers, processor_ms: processorTime(child.pid!) - before }
    },
    close: () => child.kill('SIGKILL'),
  }
}

/** Milliseconds that the threads of a process have run so far; Linux tells. A thread that ends in between is missed. */
function processorTime(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]))
      .reduce((sum, ran_ns) => sum + ran_ns / 1e6, 0)
  } catch {
    return Number.NaN
  }
}

function line(child: ChildProcess, lines: Interface, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`${what} took longer than ${ANSWER_MS} ms`), ANSWER_MS)
    const fail = (message: string): void => {
      child.kill('SIGKILL')
      reject(new Error(message))
    }
    const died = (): void => fail(`${what}: its process ended`)
    child.once('exit', died)
    lines.once('line', (text) => {
      clearTimeout(timer)
      child.removeListener('exit', died)
      resolve(text)
    })
  })
}

/** Erlang/OTP with `schedulers` threads; a sentence why not when it is not installed. */
export async function startErlang(schedulers: number): Promise<Peer | string> {
  if (spawnSync('erl', ['-version'], { stdio: 'ignore' }).error)
    return 'erl is not installed (apt: erlang-base)'
  const out = mkdtempSync(join(tmpdir(), 'otp-'))
  const compiled = spawnSync('erlc', ['-o', out, join(import.meta.dirname, 'otp.erl')], { encoding: 'utf8' })
  if (compiled.status !== 0) return `erlc failed: ${compiled.stdout}`
  const name = `erlang-s${schedulers}`
  return startPeer(name, 'erl', ['+S', String(schedulers), '-noshell', '-pa', out, '-s', 'otp', 'main'])
}

/** The other end in JavaScript: answers the commands in `commands` for ever. */
export function serve(commands: Readonly<Record<string, (count: number) => Promise<number[]>>>): void {
  const lines = createInterface({ input: process.stdin })
  let last = Promise.resolve()
  lines.on('line', (text) => {
    const [command, count] = text.split(' ')
    last = last.then(async () => {
      const numbers = await commands[command!]!(Number(count))
      console.log(numbers.join(' '))
    })
  })
  console.log('ready')
}
