/**
 * What stands for `arecord` where there is no sound card: a microphone in a folder. It hears silence in real time, and `say.raw` when
 * somebody puts it there, or `interrupt.raw` when the loudspeaker of that folder begins; while there is a file `unplugged` it is gone.
 */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FRAME_BYTES = 640
const FRAME_MS = 20

const [folder = '', ...args] = process.argv.slice(2)
const file = (name: string): string => join(folder, name)
appendFileSync(file('arecord.log'), `${args.join(' ')}\n`)

/** As the real one puts it. */
function gone(what: string): never {
  process.stderr.write(`arecord: ${what}: No such device\n`)
  process.exit(1)
}
writeFileSync(file('arecord.pid'), String(process.pid))
if (existsSync(file('unplugged'))) gone('main:831: audio open error')

const plays = (): number =>
  existsSync(file('aplay.log')) ? readFileSync(file('aplay.log'), 'utf8').split('begin').length : 1
let said = Buffer.alloc(0)
let played = plays()
const take = (name: string): void => {
  if (!existsSync(file(name))) return
  said = readFileSync(file(name))
  rmSync(file(name))
  appendFileSync(file('arecord.log'), `${name}\n`)
}

const began = performance.now()
let sent = 0
setInterval(() => {
  if (existsSync(file('unplugged'))) gone('pcm_read:2221: read error')
  if (said.length === 0) take('say.raw')
  if (plays() > played) take('interrupt.raw')
  played = plays()
  for (; (sent + 1) * FRAME_MS <= performance.now() - began; sent += 1) {
    const frame = Buffer.alloc(FRAME_BYTES)
    said.copy(frame, 0, 0, FRAME_BYTES)
    said = said.subarray(FRAME_BYTES)
    process.stdout.write(frame)
  }
}, FRAME_MS)
