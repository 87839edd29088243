/** Started by replica-kill9.test.ts: writes for ever, and says after each acknowledgement what was acknowledged. */
import { writeSync } from 'node:fs'
import { openReplica } from '../../src/store/crdt/index.ts'

const [path, start] = [process.argv[2]!, Number(process.argv[3])]
const replica = await openReplica({ path, key: new Uint8Array(32).fill(1) })
writeSync(1, 'open\n')

const LANES = 8
async function write(lane: number): Promise<void> {
  for (let number = start + lane; ; number += LANES) {
    const key = String(number).padStart(9, '0')
    // Two rows that belong together: a torn transaction would show one of them.
    await replica.write(
      ['a', 'b'].map((prefix) => ({
        sql: 'INSERT INTO entries VALUES (?, ?, ?)',
        parameters: ['kill9', `${prefix}${key}`, 'x'.repeat(number % 3_000)],
      })),
    )
    writeSync(1, `${number}\n`)
  }
}
await Promise.all(Array.from({ length: LANES }, (_, lane) => write(lane)))
