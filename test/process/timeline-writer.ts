/** Started by timeline-kill9.test.ts: notes down events for ever, and says after each acknowledgement up to which they are durable. */
import { writeSync } from 'node:fs'
import { realHost } from '../../src/host/real.ts'
import { openTimeline, ownDirectory } from '../../src/store/index.ts'

const [directory, start] = [process.argv[2]!, Number(process.argv[3])]
const host = realHost()
await ownDirectory(host.disk, directory, process.pid)
const timeline = await openTimeline({
  host,
  directory,
  key: new Uint8Array(32).fill(7),
  keep: 'days',
  days: 30,
})
writeSync(1, 'open\n')

const head = (session: string, scope: 'persistent' | 'session') =>
  ({ session, scope, room: 'kitchen', person: 'anna', started_at: host.clock.wall() }) as const
timeline.begin(head(`round-${start}`, 'persistent'))
timeline.begin(head(`gone-${start}`, 'session'))

const note = (session: string, scope: 'persistent' | 'session', number: number): void =>
  timeline.append({
    ...{ trace_id: 't', session_id: session, actor_id: 'a', capability_tier: 'balanced' },
    ...{ privacy_scope: scope, at: host.clock.wall(), at_ms: number, kind: 'stt.text' },
    body: { number, text: 'x'.repeat(number % 200) },
  })

for (let number = start; ; number += 1) {
  note(`round-${start}`, 'persistent', number)
  note(`gone-${start}`, 'session', number)
  if (number % 5 !== 0) continue
  await timeline.flush()
  writeSync(1, `${number}\n`)
}
