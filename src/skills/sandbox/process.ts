/**
 * Starts and kills sandbox processes; the only place of this folder that knows what a process is. A process gets no
 * environment, may read only the runner's own files, cannot compile code from strings, has a small heap, and stands behind
 * the best fence that this machine has (`fence.ts`).
 */
import { type StdioOptions, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { PACKAGE, PROGRAMS, SCRIPT_FOLDERS, SKILLS_FOLDER } from '../../host/index.ts'
import {
  type Command,
  FENCES,
  type Fence,
  FILTER_FD,
  fenced,
  fencedAdapter,
  NO_FENCE,
  type Sight,
} from './fence.ts'
import { look, writeAtOnce } from './real-pipe.ts'
import { callFilter } from './seccomp.ts'

export interface SandboxProcess {
  /** Of the outermost process, which may be the fence's. */
  readonly pid: number | undefined
  send(frame: Uint8Array): void
  /**
   * Looks for what it says for a moment, with everything else waiting: a skill has its answer sooner than an event loop hears of it.
   * What there is goes to `bytes` before this returns. False when there was nothing.
   */
  listen(): boolean
  /** Kills at once (SIGKILL); `exit` follows. */
  kill(): void
}

export interface SandboxEvents {
  bytes(chunk: Uint8Array): void
  /** Exactly once, also when it could not be started. `detail` is for the log. */
  exit(detail: string): void
}

export type StartProcess = (events: SandboxEvents) => SandboxProcess

/** What runs in a sandbox process, and what of the disk it is made of. */
export interface RunnerProgram {
  readonly file: string
  /** Ends with a slash; all of it may be read. */
  readonly folder: string
}

export const RUNNER: RunnerProgram = { file: PROGRAMS.skills, folder: SKILLS_FOLDER }

/** V8's heap for JavaScript, MB: frames, blocks and compiled code of a few skills. Module memory is not in it. */
const HEAP_MB = 48
/** Kept of what a dying process says, for the log. */
const MAX_LAST_WORDS = 2_000
/** A fence that takes longer to run nothing at all is no fence to live behind. */
const PROBE_WITHIN_MS = 5_000

/** Starts sandbox processes behind this fence. */
export const processStarter =
  (fence: Fence, runner: RunnerProgram = RUNNER): StartProcess =>
  (events) =>
    startSandboxProcess(
      fenced(fence, nodeCommand(runner), sightOf(runner)),
      fence.filter === undefined ? [] : [fence.filter],
      events,
    )

/** Starts a native adapter: this program behind this filter. Only where `adapterProblem` has none. */
export const adapterStarter =
  (program: Uint8Array, memory_kb: number, filter: Uint8Array): StartProcess =>
  (events) =>
    startSandboxProcess(fencedAdapter(memory_kb, program.length), [filter, program], events)

function nodeCommand({ file, folder }: RunnerProgram): Command {
  return {
    file: process.execPath,
    args: [
      '--permission',
      ...[folder, ...SCRIPT_FOLDERS].map((read) => `--allow-fs-read=${read}*`),
      // Finding where a link leads would need to read the folders above it.
      '--preserve-symlinks',
      `--max-old-space-size=${HEAP_MB}`,
      // Calls are short and leave little behind: a small nursery keeps the process small, a smaller one is cleared too often.
      '--max-semi-space-size=4',
      '--disallow-code-generation-from-strings',
      '--no-warnings',
      file,
    ],
  }
}

/** Node looks into the package to know what kind of module it starts. */
const sightOf = ({ folder }: RunnerProgram): Sight => ({
  program: process.execPath,
  folders: [folder, `${PACKAGE}package.json`],
  maybe: SCRIPT_FOLDERS,
})

/**
 * The best fence that works here, found by starting Node behind each: a tool may be missing, or there and forbidden (many systems
 * let no ordinary user make namespaces). About 20 ms where the best one works.
 */
export async function findFence(): Promise<Fence> {
  if (process.platform !== 'linux') return NO_FENCE
  const known = callFilter(process.arch)
  for (const name of FENCES) {
    const filters = name === 'bubblewrap' && known !== undefined ? [known, undefined] : [undefined]
    for (const filter of filters) {
      for (const limits of [true, false]) {
        const fence: Fence = { name, limits, filter }
        if (await works(fence)) return fence
      }
    }
  }
  return NO_FENCE
}

function works(fence: Fence): Promise<boolean> {
  const { file, args } = fenced(fence, { file: process.execPath, args: ['--version'] }, sightOf(RUNNER))
  const stdio: StdioOptions = ['ignore', 'ignore', 'ignore']
  if (fence.filter !== undefined) stdio.push('pipe')
  return new Promise((done) => {
    const child = spawn(file, args, { env: {}, stdio, timeout: PROBE_WITHIN_MS, killSignal: 'SIGKILL' })
    if (fence.filter !== undefined) hand(child.stdio[FILTER_FD], fence.filter)
    child.on('error', () => done(false))
    child.on('exit', (code) => done(code === 0))
  })
}

function hand(pipe: Readable | Writable | null | undefined, bytes: Uint8Array): void {
  if (!pipe || !('end' in pipe)) return
  pipe.on('error', () => undefined)
  pipe.end(bytes)
}

/** `handed`: what the command reads from descriptors behind the standard ones, in order. */
function startSandboxProcess(
  { file, args }: Command,
  handed: readonly Uint8Array[],
  events: SandboxEvents,
): SandboxProcess {
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...handed.map(() => 'pipe' as const)]
  const child = spawn(file, args, { env: {}, stdio, windowsHide: true })
  for (const [at, bytes] of handed.entries()) hand(child.stdio[FILTER_FD + at], bytes)
  const { stdin, stdout, stderr } = child
  let lastWords = ''
  let ended = false
  const end = (detail: string): void => {
    if (ended) return
    ended = true
    events.exit(lastWords === '' ? detail : `${detail}: ${lastWords}`)
  }
  stdout?.on('data', (chunk: Buffer) => events.bytes(chunk))
  stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString('utf8')).slice(0, MAX_LAST_WORDS)
    // Whoever has more to say waits until it is killed.
    if (lastWords.length >= MAX_LAST_WORDS) stderr.pause()
  })
  // A pipe to a process that just died reports here; the exit follows and says more.
  for (const pipe of [stdin, stdout, stderr]) pipe?.on('error', () => undefined)
  child.on('error', (error) => end(`could not be started (${error.message})`))
  child.on('exit', (code, signal) =>
    end(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
  )
  return {
    pid: child.pid,
    send: (frame) => {
      const written = stdin?.writableLength === 0 ? writeAtOnce(stdin, frame) : 0
      if (written < frame.length) stdin?.write(written === 0 ? frame : frame.subarray(written))
    },
    listen: () => {
      const chunk = ended ? undefined : look(stdout)
      if (chunk !== undefined) events.bytes(chunk)
      return chunk !== undefined
    },
    kill: () => {
      // What it still says is of no use, and may be much.
      stdout?.destroy()
      child.kill('SIGKILL')
    },
  }
}
