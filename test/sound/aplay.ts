/**
 * What stands for `aplay` where there is no sound card: a loudspeaker in a folder. It plays in real time into `played.raw`, and writes
 * into `aplay.log` when it begins and when all was played; while there is a file `deaf` it finds no device.
 */
import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'

const BYTES_PER_MS = 32

const [folder = ''] = process.argv.slice(2)
const file = (name: string): string => join(folder, name)
if (existsSync(file('deaf'))) {
  process.stderr.write('aplay: main:831: audio open error: No such device\n')
  process.exit(1)
}
appendFileSync(file('aplay.log'), 'begin\n')

let waiting = Buffer.alloc(0)
let ended = false
process.stdin.on('data', (bytes: Buffer) => {
  waiting = Buffer.concat([waiting, bytes])
})
process.stdin.on('end', () => {
  ended = true
})
let at = performance.now()
setInterval(() => {
  const now = performance.now()
  const due = 2 * Math.floor(((now - at) * BYTES_PER_MS) / 2)
  at = now
  appendFileSync(file('played.raw'), waiting.subarray(0, due))
  waiting = waiting.subarray(due)
  if (!ended || waiting.length > 0) return
  appendFileSync(file('aplay.log'), 'end\n')
  process.exit(0)
}, 20)
