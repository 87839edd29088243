/**
 * Satellites on a LAN: a microphone and a loudspeaker in a room of a node. It plays as a sound card does, one sample after the other from
 * when the first came, and stops at the sample it is told to.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TurnView } from '../../src/api/index.ts'
import type { LanNode } from './rig.ts'

const SAMPLES_PER_MS = 16
const LOOK_MS = 100

/** One reply as it was heard. */
export interface Heard {
  /** Date.now() of the first sample. */
  readonly began: number
  /** Date.now() at which the last one had been played. */
  readonly ended: number
  readonly samples: Int16Array
}

interface Playing {
  began: number
  /** When all that came so far will have been played. */
  end: number
  parts: Int16Array[]
}

type Event = Readonly<Record<string, unknown>> & { readonly at: number; readonly type: string }

export class Satellite {
  readonly events: Event[] = []
  readonly replies: Heard[] = []
  readonly turns: TurnView[] = []
  readonly #process: ChildProcess
  #rest = ''
  #playing: Playing | undefined
  #waiting: (() => void)[] = []

  /** `who`: the name of the person who speaks there. */
  constructor(node: LanNode, room: string, who?: string) {
    const { http } = JSON.parse(readFileSync(join(node.data, 'runtime.json'), 'utf8')) as { http: number }
    const query = new URLSearchParams({ room, ...(who === undefined ? {} : { person: who }) })
    const url = `ws://127.0.0.1:${http}/api/v1/voice?${query}`
    this.#process = spawn('ip', ['netns', 'exec', node.host.namespace, process.execPath, '-e', RUN, url], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#process.stdout?.on('data', (chunk: Buffer) => this.#collect(chunk.toString()))
  }

  /** A person says this into the microphone: 16 kHz mono s16le, without a header. */
  say(recording: string): void {
    this.#process.stdin?.write(`${recording}\n`)
  }

  /** Has a conversation go on in that room, by HTTP from beside the satellite. Fails with what the node said. */
  async order(session: string, room: string): Promise<void> {
    const before = this.events.length
    this.#process.stdin?.write(`MOVE ${JSON.stringify({ session, room })}\n`)
    const answered = await this.until('an answer to the order', () =>
      this.events.slice(before).find(({ type }) => type === 'ordered'),
    )
    if (answered.status !== 200) throw new Error(`not moved: ${String(answered.text)}`)
  }

  async until<T>(what: string, holds: () => T | undefined | false, within_ms = 60_000): Promise<T> {
    const deadline = Date.now() + within_ms
    for (;;) {
      const found = holds()
      if (found !== undefined && found !== false) return found
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`not within ${within_ms} ms: ${what}\n${JSON.stringify(this.events)}`)
      await new Promise<void>((resolve) => {
        // Some of what is waited for is only the time that goes by: then nothing comes that would wake it.
        const late = setTimeout(resolve, Math.min(left, LOOK_MS))
        this.#waiting.push(() => {
          clearTimeout(late)
          resolve()
        })
      })
    }
  }

  ready(): Promise<unknown> {
    return this.until('a connection', () => this.events.some(({ type }) => type === 'ready'))
  }

  /** The session it speaks in now. */
  get session(): string {
    return String(this.events.findLast(({ type }) => type === 'ready')?.session)
  }

  /** Milliseconds of the reply under way that were played by now; 0 while there is none. */
  get played_ms(): number {
    return this.#playing === undefined ? 0 : Math.min(Date.now(), this.#playing.end) - this.#playing.began
  }

  close(): void {
    this.#process.kill('SIGKILL')
  }

  #collect(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#take(JSON.parse(line) as Event)
    for (const run of this.#waiting.splice(0)) run()
  }

  #take(event: Event): void {
    if (event.type === 'audio') {
      const bytes = Buffer.from(String(event.pcm), 'base64')
      this.#play(event.at, new Int16Array(new Uint8Array(bytes).buffer))
      return
    }
    this.events.push(event)
    if (event.type === 'turn') this.turns.push(event.turn as TurnView)
    if (event.type === 'stop-playback') this.#end(event.at, event.keep as number | undefined)
    if (event.type === 'reply-end' && this.#playing !== undefined) {
      // The rest is still played; nothing of it is taken back unless it is told to stop.
      this.#end(this.#playing.end, undefined)
    }
  }

  #play(at: number, samples: Int16Array): void {
    this.#playing ??= { began: at, end: at, parts: [] }
    this.#playing.end = Math.max(this.#playing.end, at) + samples.length / SAMPLES_PER_MS
    this.#playing.parts.push(samples)
  }

  #end(at: number, keep: number | undefined): void {
    const playing = this.#playing
    if (playing === undefined) return
    this.#playing = undefined
    const all = joined(playing.parts)
    const heard = Math.floor((at - playing.began) * SAMPLES_PER_MS)
    const samples = all.subarray(0, Math.max(0, Math.min(keep ?? heard, all.length)))
    this.replies.push({
      began: playing.began,
      ended: Math.min(playing.end, playing.began + samples.length / SAMPLES_PER_MS),
      samples,
    })
  }
}

export function joined(parts: readonly Int16Array[]): Int16Array {
  const all = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Run beside the node, in its network. A frame every 20 ms, of silence or of the recording whose name came on stdin. */
const RUN = `
  const { readFileSync } = require('node:fs')
  const socket = new WebSocket(process.argv[1])
  socket.binaryType = 'arraybuffer'
  const frame = 640
  let waiting = Buffer.alloc(0)
  socket.onopen = () => {
    const began = performance.now()
    let sent = 0
    setInterval(() => {
      while (sent * 20 < performance.now() - began) {
        const part = Buffer.alloc(frame)
        waiting.copy(part, 0, 0, frame)
        waiting = waiting.subarray(Math.min(frame, waiting.length))
        socket.send(part)
        sent += 1
      }
    }, 5)
  }
  const order = async ({ session, room }) => {
    const url = new URL('/api/v1/sessions/' + session + '/move', process.argv[1].replace('ws:', 'http:'))
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ room }) })
    console.log(JSON.stringify({ at: Date.now(), type: 'ordered', status: response.status, text: await response.text() }))
  }
  let names = ''
  process.stdin.on('data', (chunk) => {
    const lines = (names + chunk).split('\\n')
    names = lines.pop()
    for (const line of lines) {
      if (line.startsWith('MOVE ')) order(JSON.parse(line.slice(5)))
      else waiting = Buffer.concat([waiting, readFileSync(line)])
    }
  })
  socket.onmessage = ({ data }) => {
    const at = Date.now()
    if (typeof data === 'string') {
      const event = JSON.parse(data)
      console.log(JSON.stringify({ ...event, keep: event.at, at }))
    } else console.log(JSON.stringify({ at, type: 'audio', pcm: Buffer.from(data).toString('base64') }))
  }
  socket.onerror = () => process.exit(1)
  socket.onclose = () => process.exit(0)`
