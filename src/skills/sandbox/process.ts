/**
 * Starts and kills sandbox processes; the only place of this folder that knows what a process is. A process gets no
 * environment, may read only the runner's own files, cannot compile code from strings, and has a small heap.
 */
import { spawn } from 'node:child_process'
import { PROGRAMS, SCRIPT_FOLDERS, SKILLS_FOLDER } from '../../host/index.ts'

export interface SandboxProcess {
  readonly pid: number | undefined
  send(frame: Uint8Array): void
  /** Kills at once (SIGKILL); `onExit` follows. */
  kill(): void
}

export interface SandboxEvents {
  bytes(chunk: Uint8Array): void
  /** Exactly once, also when it could not be started. `detail` is for the log. */
  exit(detail: string): void
}

/** V8's heap for JavaScript, MB: frames, blocks and compiled code of a few skills. Module memory is not in it. */
const HEAP_MB = 48
/** Kept of what a dying process says, for the log. */
const MAX_LAST_WORDS = 2_000

export function startSandboxProcess(events: SandboxEvents): SandboxProcess {
  const child = spawn(
    process.execPath,
    [
      '--permission',
      ...[SKILLS_FOLDER, ...SCRIPT_FOLDERS].map((folder) => `--allow-fs-read=${folder}*`),
      // Finding where a link leads would need to read the folders above it.
      '--preserve-symlinks',
      `--max-old-space-size=${HEAP_MB}`,
      '--disallow-code-generation-from-strings',
      '--no-warnings',
      PROGRAMS.skills,
    ],
    { env: {}, stdio: ['pipe', 'pipe', 'pipe'], serialization: 'json', windowsHide: true },
  )
  let lastWords = ''
  let ended = false
  const end = (detail: string): void => {
    if (ended) return
    ended = true
    events.exit(lastWords === '' ? detail : `${detail}: ${lastWords}`)
  }
  child.stdout.on('data', (chunk: Buffer) => events.bytes(chunk))
  child.stderr.on('data', (chunk: Buffer) => {
    if (lastWords.length < MAX_LAST_WORDS) lastWords += chunk.toString('utf8').slice(0, MAX_LAST_WORDS)
  })
  // A pipe to a process that just died reports here; the exit follows and says more.
  child.stdin.on('error', () => undefined)
  child.stdout.on('error', () => undefined)
  child.stderr.on('error', () => undefined)
  child.on('error', (error) => end(`could not be started (${error.message})`))
  child.on('exit', (code, signal) =>
    end(signal === null ? `exited with code ${code}` : `was ended by ${signal}`),
  )
  return {
    pid: child.pid,
    send: (frame) => {
      child.stdin.write(frame)
    },
    kill: () => {
      child.kill('SIGKILL')
    },
  }
}
