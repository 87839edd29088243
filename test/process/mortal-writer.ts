/** A process that says what it wrote, line by line, until it is killed in the middle of it. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** So that its threads are loaded from the bundle, as a node's are: a suite starts hundreds of these. */
const AS_SHIPPED = ['--import', fileURLToPath(new URL('../as-shipped.ts', import.meta.url))]

/** Lets a process of this folder (`writer`) write to `path` until it has acknowledged `most` writes, kills it, and returns what it acknowledged. */
export function writeAndKill(writer: string, path: string, start: number, most: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...AS_SHIPPED, fileURLToPath(new URL(writer, import.meta.url)), path, String(start)],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 60_000,
        killSignal: 'SIGKILL',
      },
    )
    let said = ''
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString()
    })
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.split('\n').length > most + 1) child.kill('SIGKILL')
    })
    child.on('close', (_, signal) => {
      // The last line may be cut off in the middle.
      const lines = said.split('\n').slice(0, -1)
      if (signal !== 'SIGKILL' || lines[0] !== 'open')
        reject(new Error(`the writer ended by itself: ${complaint}`))
      else resolve(lines.slice(1).map(Number))
    })
  })
}
