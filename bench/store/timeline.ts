/**
 * What a timeline costs: the conversation that notes something down (its own thread), the time until that is durable, showing and erasing.
 *
 *   node bench/store/timeline.ts [directory]     on the disk that is to be measured; by default the system's temporary directory
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { realHost } from '../../src/host/real.ts'
import { openTimeline, type TimelineEvent } from '../../src/store/index.ts'
import { percentiles, print } from '../skills/measure.ts'

/** As many steps as a turn by voice has, and of their size. */
const STEPS = 9
const TURNS = 500
const TIMES = 200

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'loqa-bench-'))
const host = realHost()
let lost = 0
const timeline = await openTimeline({
  ...{ host, directory, keep: 'days', days: 30 },
  key: new Uint8Array(32).fill(1),
  lost: (events) => {
    lost += events
  },
})

const stepOf = (session: string, step: number): TimelineEvent => ({
  trace_id: '00112233445566778899aabbccddeeff',
  session_id: session,
  actor_id: `loqa:/session/${session}`,
  ...{ capability_tier: 'balanced', privacy_scope: 'persistent' },
  ...{ at: host.clock.wall(), at_ms: host.clock.monotonic(), kind: 'turn.decided' },
  body: { turn: 1, step, by: 'grammar', score: 1, intent: { name: 'timer.set', slots: { duration: 300 } } },
})
const begin = (session: string): void =>
  timeline.begin({
    session,
    scope: 'persistent',
    room: 'kitchen',
    person: 'p',
    started_at: host.clock.wall(),
  })
const turn = (session: string): void => {
  for (let step = 0; step < STEPS; step += 1) timeline.append(stepOf(session, step))
}

async function series(count: number, once: (i: number) => Promise<unknown> | unknown): Promise<number[]> {
  const took: number[] = []
  for (let i = 0; i < count; i += 1) {
    const from = performance.now()
    await once(i)
    took.push(performance.now() - from)
  }
  return took
}

try {
  begin('warm')
  for (let i = 0; i < 200; i += 1) turn('warm')
  await timeline.flush()

  begin('noted')
  const noted: number[] = []
  for (let i = 0; i < TURNS; i += 1) {
    noted.push(...(await series(1, () => turn('noted'))))
    // As turns do: others happen in between.
    await new Promise((done) => setTimeout(done, 2))
  }
  print(`a turn of ${STEPS} steps noted down, in the thread of the conversation`, {
    unit: 'ms',
    ...percentiles(noted),
    lost,
  })
  await timeline.flush()

  begin('durable')
  const durable = await series(TIMES, () => {
    turn('durable')
    return timeline.flush()
  })
  print(`a turn of ${STEPS} steps durable, asked for at once`, { unit: 'ms', ...percentiles(durable), lost })

  const lag = monitorEventLoopDelay({ resolution: 1 })
  lag.enable()
  const read = await series(20, () => timeline.read('noted'))
  lag.disable()
  const { events = 0, bytes = 0 } = (await timeline.list()).find(({ session }) => session === 'noted') ?? {}
  print('a long conversation read', {
    ...{ unit: 'ms', ...percentiles(read), events, bytes },
    lag_p99: lag.percentile(99) / 1e6,
  })

  const erased = await series(50, async (i) => {
    begin(`e${i}`)
    turn(`e${i}`)
    await timeline.flush()
    const from = performance.now()
    await timeline.erase({ session: `e${i}` })
    return performance.now() - from
  })
  print('a conversation noted, durable, and erased', { unit: 'ms', ...percentiles(erased) })
} finally {
  await timeline.close()
  rmSync(directory, { recursive: true, force: true })
}
