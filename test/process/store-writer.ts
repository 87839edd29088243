/** Started by store-kill9.test.ts: writes for ever, and says after each acknowledgement what was acknowledged. */
import { writeSync } from 'node:fs'
import { realHost } from '../../src/host/real.ts'
import { openStore, ownDirectory } from '../../src/store/index.ts'
import { writerOf } from '../store/writers.ts'

const [directory, start] = [process.argv[2]!, Number(process.argv[3])]
const host = realHost()
await ownDirectory(host.disk, directory, process.pid)
const store = await openStore({ host, directory, key: new Uint8Array(32).fill(1), writer: writerOf(1) })
writeSync(1, 'open\n')

const LANES = 8
async function write(lane: number): Promise<void> {
  for (let number = start + lane; ; number += LANES) {
    const key = String(number).padStart(9, '0')
    // Two entries that belong together: a torn transaction would show one of them.
    await store.apply('kill9', [
      { change: 'put', key: `a${key}`, value: { number, text: 'x'.repeat(number % 500) } },
      { change: 'put', key: `b${key}`, value: number },
    ])
    writeSync(1, `${number}\n`)
  }
}
await Promise.all(Array.from({ length: LANES }, (_, lane) => write(lane)))
