/** Starts a real `loqa-node` in a folder of its own and talks to it as a person would: through its commands. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = new URL('../..', import.meta.url).pathname
export const fixture = (name: string): string => join(ROOT, 'test/fixtures/audio', name)

/** A start takes two seconds; a machine that is busy with other things may need many more. */
const READY_TIMEOUT_MS = 60_000

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `bin/<command>` and waits for its end; never rejects for a non-zero exit. */
export function command(
  name: 'loqa' | 'loqa-node',
  args: readonly string[],
  timeout_ms = 90_000,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      join(ROOT, 'bin', name),
      args,
      {
        timeout: timeout_ms,
        killSignal: 'SIGKILL',
        maxBuffer: 16 * 1024 * 1024,
        env: { ...process.env, NO_COLOR: '1' },
      },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        resolve({ code, stdout, stderr })
      },
    )
  })
}

/** What counts as started: it would answer a spoken command; or, where it never will, it says that it is as ready as it gets. */
type Up = 'answers' | 'says-so'

export class RunningNode {
  readonly data: string
  readonly #extra: readonly string[]
  readonly #up: Up
  #process: ChildProcess | undefined
  #output = ''
  /** Where the output of the last start begins. */
  #from = 0

  private constructor(data: string, extra: readonly string[], up: Up) {
    this.data = data
    this.#extra = extra
    this.#up = up
  }

  /** `extra`: more flags, or what fills the data directory first and tells them. */
  static async start(
    extra: readonly string[] | ((data: string) => readonly string[]) = [],
    up: Up = 'answers',
  ): Promise<RunningNode> {
    const data = mkdtempSync(join(tmpdir(), 'loqa-node-'))
    const node = new RunningNode(data, typeof extra === 'function' ? extra(data) : extra, up)
    try {
      await node.start()
    } catch (thrown) {
      await node.dispose()
      throw thrown
    }
    return node
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** All the node has printed so far. */
  get output(): string {
    return this.#output
  }

  get http(): string {
    const runtime = JSON.parse(readFileSync(join(this.data, 'runtime.json'), 'utf8')) as { http: number }
    return `http://127.0.0.1:${runtime.http}`
  }

  /** Starts it (again) on the same folder and waits until it answers. */
  async start(): Promise<void> {
    const args = [
      '--data',
      this.data,
      '--port',
      '0',
      '--http-port',
      '0',
      '--name',
      'tester',
      '--room',
      'kitchen',
      ...this.#extra,
    ]
    this.#from = this.#output.length
    const child = spawn(join(ROOT, 'bin/loqa-node'), args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    const collect = (chunk: Buffer): void => {
      this.#output += chunk.toString()
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const gone = new Promise<never>((_, reject) => {
      child.once('exit', (code, signal) =>
        reject(new Error(`the node ended (${code ?? signal}):\n${this.#output}`)),
      )
    })
    gone.catch(() => {})
    await Promise.race([this.ready(), gone])
  }

  /** Resolves when it answers, at once when it does. */
  async ready(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS
    while (!(await this.#isReady())) {
      if (Date.now() > deadline) throw new Error(`the node was not ready in time:\n${this.#output}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  async #isReady(): Promise<boolean> {
    try {
      const runtime = JSON.parse(readFileSync(join(this.data, 'runtime.json'), 'utf8')) as {
        pid: number
        http: number
      }
      if (runtime.pid !== this.pid) return false
      if (this.#up === 'says-so') return this.#output.includes(' is ready', this.#from)
      return (await fetch(`http://127.0.0.1:${runtime.http}/readyz`)).ok
    } catch {
      return false
    }
  }

  loqa(...args: string[]): Promise<CommandResult> {
    return command('loqa', ['--data', this.data, ...args])
  }

  /** Runs a command with --json and parses what it printed. */
  async json<T>(...args: string[]): Promise<T> {
    const result = await this.loqa(...args, '--json')
    if (result.code !== 0) throw new Error(`loqa ${args.join(' ')} failed (${result.code}): ${result.stderr}`)
    return JSON.parse(result.stdout) as T
  }

  /** Sends a signal and waits for the end. Gives the exit code, or the signal's name. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return child?.exitCode ?? child?.signalCode ?? 'never started'
    }
    const ended = new Promise<number | string>((resolve) => {
      child.once('exit', (code, by) => resolve(code ?? by ?? 'unknown'))
    })
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
    const result = await ended
    clearTimeout(late)
    return result
  }

  async dispose(): Promise<void> {
    await this.end('SIGKILL')
    rmSync(this.data, { recursive: true, force: true })
  }
}
