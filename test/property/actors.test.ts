/** Whatever happens, in whatever order: mailboxes, deadlines, and whole trees of actors that crash at random. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Behavior,
  type Effect,
  type Message,
  next,
  placedAddress,
  type TreeSpec,
} from '../../src/actors/index.ts'
import { Lane } from '../../src/actors/lane.ts'
import { Mailbox } from '../../src/actors/mailbox.ts'
import { createSimulation } from '../../src/actors/simulate.ts'
import { DEFAULT_LIMITS, decide } from '../../src/actors/supervisor.ts'
import { type Deadline, DeadlineWheel } from '../../src/actors/wheel.ts'
import { requestId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'

/** The same runs every time: what they have to meet, they always meet. `LOQA_SEED` draws others. */
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

describe('a lane behaves as a list of pairs', () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constant('push' as const), times: fc.nat(40) }) },
    { weight: 8, arbitrary: fc.record({ what: fc.constant('shift' as const), times: fc.nat(40) }) },
    { weight: 4, arbitrary: fc.record({ what: fc.constant('unshift' as const), times: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('clear' as const), times: fc.constant(1) }) },
  )
  it('for any sequence of adding at either end, taking and forgetting', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const lane = new Lane<number, string>()
        let list: number[] = []
        let n = 0
        for (const { what, times } of steps) {
          for (let i = 0; i < times; i += 1) {
            n += 1
            if (what === 'push') {
              lane.push(n, `${n}`)
              list.push(n)
            } else if (what === 'unshift') {
              lane.unshift(n, `${n}`)
              list.unshift(n)
            } else if (what === 'clear') {
              lane.clear()
              list = []
            } else {
              expect(lane.second).toBe(list.length === 0 ? undefined : `${list[0]}`)
              expect(lane.shift()).toBe(list.shift())
            }
          }
          expect(lane.length).toBe(list.length)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('a mailbox behaves as a list with a bound', () => {
  const overflow = fc.constantFrom('reject' as const, 'drop-oldest' as const, 'drop-newest' as const)
  const step = fc.constantFrom(
    'offer' as const,
    'ask' as const,
    'take' as const,
    'stash' as const,
    'unstash' as const,
  )
  it('for any policy, capacity and sequence', () => {
    fc.assert(
      fc.property(
        overflow,
        fc.integer({ min: 1, max: 40 }),
        fc.array(step, { maxLength: 400 }),
        (policy, size, steps) => {
          const mailbox = new Mailbox<number, never>({ capacity: size, overflow: policy })
          let data: number[] = []
          let aside: number[] = []
          let n = 0
          for (const what of steps) {
            const room = data.length + aside.length < mailbox.capacity
            const message = { type: 'm' }
            switch (what) {
              case 'offer': {
                n += 1
                const accepted = mailbox.accept(message, n)
                const sheds = !room && policy === 'drop-oldest' && data.length > 0
                expect(accepted).toBe(room)
                if (!accepted) expect(mailbox.squeeze(message, n)).toBe(sheds)
                if (sheds) expect(mailbox.evictedOrigin).toBe(data.shift())
                if (room || sheds) data.push(n)
                break
              }
              case 'ask':
                n += 1
                expect(mailbox.accept(message, n)).toBe(room)
                if (room) data.push(n)
                break
              case 'take': {
                expect(mailbox.data.second).toBe(data.shift())
                mailbox.data.shift()
                break
              }
              case 'stash': {
                const { second } = mailbox.data
                if (mailbox.data.shift() === undefined) break
                mailbox.stash(message, second!)
                aside.push(data.shift()!)
                break
              }
              case 'unstash':
                mailbox.unstash()
                data = [...aside, ...data]
                aside = []
            }
            expect(mailbox.depth).toBe(data.length + aside.length)
          }
        },
      ),
    )
  })
})

describe('a deadline wheel', () => {
  class Entry implements Deadline<Entry> {
    before: Entry | undefined
    after: Entry | undefined
    slot = -1
    fired: number | undefined
    readonly deadline: number
    constructor(deadline: number) {
      this.deadline = deadline
    }
  }
  const act = fc.oneof(
    fc.record({ add: fc.double({ min: 0, max: 20_000, noNaN: true }) }),
    fc.record({ wait: fc.integer({ min: 0, max: 6_000 }) }),
    fc.record({ remove: fc.nat(30) }),
  )
  it('fires every entry once, never early, at most a tick late, unless it was removed', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const clock = new SimulatedClock()
        const entries: Entry[] = []
        const removed = new Set<Entry>()
        const wheel = new DeadlineWheel<Entry>(clock, (entry) => {
          expect(entry.fired).toBeUndefined()
          entry.fired = clock.monotonic()
        })
        for (const one of acts) {
          if ('add' in one) {
            const entry = new Entry(clock.monotonic() + one.add)
            entries.push(entry)
            wheel.add(entry)
          } else if ('wait' in one) clock.advance(one.wait)
          else {
            const entry = entries[one.remove]
            if (entry === undefined || entry.fired !== undefined) continue
            wheel.remove(entry)
            removed.add(entry)
          }
        }
        clock.advance(30_000)
        for (const entry of entries) {
          if (removed.has(entry)) expect(entry.fired).toBeUndefined()
          else {
            expect(entry.fired).toBeGreaterThanOrEqual(entry.deadline)
            expect(entry.fired).toBeLessThanOrEqual(entry.deadline + 8)
          }
        }
        expect(clock.pending).toBe(0)
      }),
    )
  })
})

describe('the rule of supervision', () => {
  it('never restarts more often than the intensity within any period, and waits within its bounds', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 0, max: 6 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (waits, intensity, chance) => {
          const limits = { ...DEFAULT_LIMITS, intensity, period_ms: 5_000 }
          let history: readonly number[] = []
          const restarts: number[] = []
          let now = 0
          for (const wait of waits) {
            now += wait
            const exit = {
              child: 'a',
              restart: 'permanent' as const,
              failed: true,
              on_purpose: false,
              now,
              chance,
            }
            const decision = decide(limits, history, exit, ['a'])
            history = decision.history
            expect(history.length).toBeLessThanOrEqual(intensity + 1)
            if (decision.plan.do !== 'restart') {
              expect(decision.plan.do).toBe('fail')
              history = []
              restarts.length = 0
              continue
            }
            restarts.push(now)
            expect(restarts.filter((at) => now - at < limits.period_ms).length).toBeLessThanOrEqual(intensity)
            expect(decision.plan.delay_ms).toBeGreaterThanOrEqual(limits.backoff.min_ms / 2)
            expect(decision.plan.delay_ms).toBeLessThanOrEqual(limits.backoff.max_ms)
          }
        },
      ),
    )
  })
})

/**
 * Workers that pass numbered messages around, ask one another, and break down when told. Each message carries sender and number, so that order
 * and doubling can be seen; each ask is counted when it begins and when it ends.
 */
interface WorkerState {
  readonly sent: number
  readonly asked: number
}
function workers(ledger: Ledger): Behavior<WorkerState, Message> {
  return {
    kind: 'worker',
    start: (_args, { self }) => {
      ledger.lives.set(self.address, (ledger.lives.get(self.address) ?? 0) + 1)
      return next({ sent: 0, asked: 0 })
    },
    receive(state, message, { self, replyTo }) {
      const life = `${self.address}/${ledger.lives.get(self.address)}`
      const told = message as Message & { from: string; n: number; to: string }
      switch (message.type) {
        case 'break':
          throw new Error('told to')
        case 'pass': {
          const n = ledger.next(life)
          const to = placedAddress('worker', told.to)
          return next({ ...state, sent: n }, [
            { type: 'send', to, message: { type: 'number', from: `${life}>${told.to}`, n } as Message },
          ])
        }
        case 'number':
          ledger.heard(self.address, told.from, told.n)
          return next(state)
        case 'ask': {
          const id = requestId(`${life}#${state.asked}`)
          ledger.asked(life, id)
          const question = { type: 'question' }
          const to = placedAddress('worker', told.to)
          const effects: Effect[] = [{ type: 'ask', id, to, message: question, deadline_ms: 500 }]
          return next({ ...state, asked: state.asked + 1 }, effects)
        }
        case 'question':
          if (ledger.silent()) return next(state)
          return next(state, [{ type: 'reply', to: replyTo!, message: { type: 'fine' } }])
        case 'answer':
        case 'ask-failed':
          ledger.ended(life, (message as Message & { id: string }).id)
          return next(state)
        default:
          return next(state)
      }
    },
  }
}

class Ledger {
  readonly lives = new Map<string, number>()
  readonly #numbers = new Map<string, number>()
  readonly #last = new Map<string, number>()
  readonly asks = new Map<string, { readonly life: string; endings: number }>()
  #questions = 0

  next(life: string): number {
    const n = (this.#numbers.get(life) ?? 0) + 1
    this.#numbers.set(life, n)
    return n
  }
  /** Rising per pair: neither doubled nor out of order. Gaps are losses, which are allowed. */
  heard(by: string, from: string, n: number): void {
    const pair = `${from}>${by}`
    expect(n).toBeGreaterThan(this.#last.get(pair) ?? 0)
    this.#last.set(pair, n)
  }
  asked(life: string, id: string): void {
    this.asks.set(id, { life, endings: 0 })
  }
  ended(life: string, id: string): void {
    const ask = this.asks.get(id)!
    expect(ask.life).toBe(life)
    ask.endings += 1
    expect(ask.endings).toBe(1)
  }
  silent(): boolean {
    this.#questions += 1
    return this.#questions % 5 === 0
  }
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const strategy = fc.constantFrom('one_for_one' as const, 'one_for_all' as const, 'rest_for_one' as const)
const name = fc.constantFrom(...NAMES)
const event = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('pass'), at: name, to: name }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('ask'), at: name, to: name }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('break'), at: name, to: name }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('wait'), at: name, to: name }) },
)

describe('a tree of actors that crash at random', () => {
  it('keeps order, handles nothing twice, ends every ask once, and is whole again afterwards', () => {
    let crashes = 0
    fc.assert(
      fc.property(
        fc.integer(),
        strategy,
        strategy,
        fc.array(event, { minLength: 40, maxLength: 150, size: 'max' }),
        (seed, upper, lower, events) => {
          const ledger = new Ledger()
          const worker = (id: string) => ({ id, kind: 'worker', key: id })
          const often = { intensity: 1_000, backoff: { min_ms: 1, max_ms: 50, factor: 2 } }
          const tree: TreeSpec = {
            id: 'tree',
            strategy: upper,
            ...often,
            children: [
              worker('a'),
              { id: 'left', strategy: lower, ...often, children: [worker('b'), worker('c')] },
              { id: 'right', strategy: lower, ...often, intensity: 2, children: [worker('d'), worker('e')] },
              worker('f'),
            ],
          }
          const simulation = createSimulation({ seed, behaviors: { worker: workers(ledger) } })
          simulation.runtime.start(tree)
          simulation.advance(1)
          for (const { type, at, to } of events) {
            if (type === 'wait') simulation.advance(20)
            else simulation.runtime.tell(placedAddress('worker', at), { type, to } as Message)
            if (type === 'break') crashes += 1
          }
          simulation.advance(30_000)

          expect(simulation.failure()).toBeUndefined()
          // Two bounds, so that a supervisor with little patience took its children down in some of the runs.
          const states = simulation.runtime.actors().map(({ state }) => state)
          expect(states).toEqual(states.map(() => 'running'))
          expect(states).toHaveLength(2 + 3 + NAMES.length)
          expect(simulation.runtime.waiting()).toBe(0)
          // An ask of a life that is over is nobody's; every other one ended.
          for (const { life, endings } of ledger.asks.values()) {
            const [address, number] = [
              life.slice(0, life.lastIndexOf('/')),
              Number(life.slice(life.lastIndexOf('/') + 1)),
            ]
            if (ledger.lives.get(address) === number) expect(endings).toBe(1)
          }
          expect(simulation.host.clock.pending).toBe(0)
        },
      ),
      { numRuns: 60, seed: SEED },
    )
    expect(crashes).toBeGreaterThan(100)
  })
})
