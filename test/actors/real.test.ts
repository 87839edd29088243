/** The runtime on the real doors: fairness, the watchdog, nact's tree. */
import { afterEach, describe, expect, it } from 'vitest'
import {
  type Context,
  createRuntime,
  type Message,
  next,
  type Runtime,
  same,
} from '../../src/actors/index.ts'
import { nodeId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'

const logs: { message: string; values: Readonly<Record<string, unknown>>; address: string | undefined }[] = []
const running: Runtime[] = []

/** Tells itself to go on, for ever. */
const restless = {
  kind: 'restless',
  start: () => same(0),
  receive: (state: unknown, message: Message, { self }: Context) =>
    next(state, [{ type: 'send', to: self, message }]),
}

/** Keeps the thread for as long as it is told. */
const blocking = {
  kind: 'blocking',
  start: () => same(0),
  receive(state: unknown, message: Message) {
    const end = performance.now() + (message as Message & { ms: number }).ms
    while (performance.now() < end);
    return same(state)
  },
}

function system(): Runtime {
  const runtime = createRuntime({
    node: nodeId('real'),
    host: realHost(),
    behaviors: { restless, blocking },
    outside: {},
    observe: {
      log: (_level, message, values, actor) => {
        logs.push({ message, values, address: actor?.address })
      },
      metric: () => undefined,
      audit: () => undefined,
    },
  })
  running.push(runtime)
  return runtime
}

/** Looks again after every turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}
const started = (runtime: Runtime) => () => runtime.actors().every(({ state }) => state === 'running')

afterEach(async () => {
  await Promise.all(running.splice(0).map((runtime) => runtime.shutdown(1_000)))
  logs.length = 0
})

describe('A19', () => {
  it('lets I/O and timers have their turn while actors never come to an end', async () => {
    const runtime = system()
    runtime.tell(runtime.spawn({ kind: 'restless', key: 'r' }), { type: 'go' })
    let turns = 0
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        turns += 1
        if (turns < 5) return
        clearInterval(timer)
        resolve()
      }, 1)
    })
    expect(turns).toBe(5)
  })

  it('names the actor and the message that kept the thread', async () => {
    const runtime = system()
    const slow = runtime.spawn({ kind: 'blocking', key: 'slow' })
    await until(started(runtime))
    runtime.tell(slow, { type: 'think', ms: 60 } as Message)
    await until(() => logs.length > 0)
    expect(logs).toMatchObject([
      { message: 'An actor kept the thread', values: { message: 'think' }, address: slow.address },
    ])
  })

  it('names the right one among many from the second time on', async () => {
    const runtime = system()
    const slow = runtime.spawn({ kind: 'blocking', key: 'slow' })
    const quick = Array.from({ length: 20 }, (_, i) => runtime.spawn({ kind: 'blocking', key: `quick${i}` }))
    await until(started(runtime))
    const round = (): void => {
      for (let i = 0; i < 50; i += 1)
        for (const ref of quick) runtime.tell(ref, { type: 'think', ms: 0 } as Message)
      runtime.tell(slow, { type: 'think', ms: 60 } as Message)
      for (const ref of quick) runtime.tell(ref, { type: 'think', ms: 0 } as Message)
    }
    round()
    await until(() => runtime.waiting() === 0 && logs.length > 0)
    round()
    const certain = () => logs.filter(({ message }) => message === 'An actor kept the thread')
    await until(() => certain().length > 0)
    expect(certain().map(({ address }) => address)).toContain(slow.address)
  })
})

describe('on the real clock', () => {
  it('asks, schedules and restarts as in virtual time', async () => {
    const runtime = system()
    const silent = runtime.spawn({ kind: 'blocking', key: 'silent' })
    const asked = runtime.ask(silent, { type: 'think', ms: 0 } as Message, { deadline_ms: 30 })
    await expect(asked).rejects.toMatchObject({ code: 'timeout' })
  })
})
