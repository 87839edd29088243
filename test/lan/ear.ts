/** Ears on a LAN: who is in a room, and when what was announced there. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LanNode } from './rig.ts'

/** Somebody in a room of a node: a voice connection, and what is announced there, with the time. */
export class Ear {
  readonly heard: { readonly at: number; readonly text: string }[] = []
  readonly #process: ChildProcess
  #rest = ''
  #ready = Promise.withResolvers<void>()
  #waiting: (() => void)[] = []

  constructor(node: LanNode, room: string) {
    const { http } = JSON.parse(readFileSync(join(node.data, 'runtime.json'), 'utf8')) as { http: number }
    const url = `ws://127.0.0.1:${http}/api/v1/voice?room=${room}`
    this.#process = spawn('ip', ['netns', 'exec', node.host.namespace, process.execPath, '-e', LISTEN, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#process.stdout?.on('data', (chunk: Buffer) => this.#collect(chunk.toString()))
  }

  /** The node has a loudspeaker here. */
  ready(): Promise<void> {
    return this.#ready.promise
  }

  /** The next announcement after those before `since`. */
  async next(since: number, within_ms: number): Promise<{ readonly at: number; readonly text: string }> {
    const deadline = Date.now() + within_ms
    for (;;) {
      const found = this.heard[since]
      if (found !== undefined) return found
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`nothing was announced within ${within_ms} ms`)
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, left)
        this.#waiting.push(() => {
          clearTimeout(late)
          resolve()
        })
      })
    }
  }

  close(): void {
    this.#process.kill('SIGKILL')
  }

  #collect(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = JSON.parse(line) as { at: number; type: string; text: string }
      if (event.type === 'ready') this.#ready.resolve()
      if (event.type === 'announce') this.heard.push({ at: event.at, text: event.text })
    }
    for (const run of this.#waiting.splice(0)) run()
  }
}

/** Run beside the node, in its network: it answers on the loopback only. */
const LISTEN = `
  const socket = new WebSocket(process.argv[1])
  socket.onmessage = ({ data }) => {
    if (typeof data !== 'string') return
    const { type, text } = JSON.parse(data)
    console.log(JSON.stringify({ at: Date.now(), type, text }))
  }
  socket.onerror = () => process.exit(1)
  socket.onclose = () => process.exit(0)`
