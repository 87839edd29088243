/**
 * A satellite beside its node, in its network: says a WAV to it when it is told to, as loud as it is told, and prints what it hears of the
 * wake word. One line in, one line out: `open` → `ready`, `play GAIN` → a JSON list of the `wake` events.
 *
 *   node test/lan/wake-satellite.ts FILE.wav
 */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import { parseWav, readMono, toInt16 } from '../../src/voice/index.ts'

const FRAME = 320
/** A verdict is there 80 ms after the word; a busy machine takes its time to hear it. */
const LATEST_MS = 4_000
/** Who won may yield until its round is over. */
const SETTLED_MS = 1_100

const wav = parseWav(readFileSync(process.argv[2]!))
const speech = readMono(wav)
let socket: WebSocket | undefined
let events: unknown[] = []

function open(): void {
  socket?.close()
  events = []
  socket = new WebSocket('ws://127.0.0.1:7420/api/v1/voice?wake=on&room=hall')
  socket.on('message', (data, binary) => {
    if (binary) return
    const event = JSON.parse(String(data)) as { type: string }
    if (event.type === 'ready') console.log('ready')
    if (event.type === 'wake') events.push(event)
  })
  socket.on('error', (error) => console.log(JSON.stringify({ error: error.message })))
}

function play(gain: number): void {
  const samples = toInt16(speech.map((sample) => sample * gain))
  let [at, heard_at] = [0, Number.POSITIVE_INFINITY]
  const began = performance.now()
  const sound = setInterval(() => {
    const now = performance.now()
    for (; at < ((now - began) / 20) * FRAME; at += FRAME) {
      const frame = new Int16Array(FRAME)
      frame.set(samples.subarray(at, at + FRAME))
      socket?.send(new Uint8Array(frame.buffer))
    }
    if (events.length > 0) heard_at = Math.min(heard_at, now)
    const spoken_ms = samples.length / 16
    if (now < Math.min(heard_at + SETTLED_MS, began + spoken_ms + LATEST_MS)) return
    clearInterval(sound)
    console.log(JSON.stringify(events))
  }, 20)
}

createInterface({ input: process.stdin })
  .on('line', (line) => (line === 'open' ? open() : play(Number(line.split(' ')[1]))))
  .on('close', () => process.exit(0))
