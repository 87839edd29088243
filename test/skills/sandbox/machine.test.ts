import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { monotonic } from '../../../src/host/index.ts'
import type { CallOutcome, SkillCall } from '../../../src/skills/call.ts'
import { skillError } from '../../../src/skills/errors.ts'
import {
  FAILURE_WINDOW_MS,
  MAX_FAILURES,
  MAX_OVERRUNS,
  MAX_WAKES,
} from '../../../src/skills/sandbox/charging.ts'
import {
  LOAD_DEADLINE_MS,
  MAX_WAITING,
  newSandbox,
  nextAlarm,
  START_DEADLINE_MS,
  stepSandbox,
} from '../../../src/skills/sandbox/machine.ts'
import type {
  SandboxEffect,
  SandboxHabits,
  SandboxInput,
  SandboxState,
} from '../../../src/skills/sandbox/machine-state.ts'

/** The machine with its effects collected, time in the test's hand. */
class Bench {
  state: SandboxState
  now = 0
  readonly effects: SandboxEffect[] = []

  constructor(habits: SandboxHabits = {}) {
    this.state = newSandbox(habits)
    for (const skill of ['a', 'b']) this.input({ type: 'register', skill, call_ms: 100 })
  }

  input(input: SandboxInput): SandboxEffect[] {
    const step = stepSandbox(this.state, input, monotonic(this.now))
    this.state = step.state
    this.effects.push(...step.effects)
    return [...step.effects]
  }

  call(id: number, skill = 'a', wait_ms = 60_000): SandboxEffect[] {
    const deadline = monotonic(this.now + wait_ms)
    return this.input({ type: 'call', job: { id, skill, call: CALL, deadline } })
  }

  /** Lets time pass until the machine's own alarm. */
  alarm(): SandboxEffect[] {
    const at = nextAlarm(this.state)
    if (at === undefined) throw new Error('there is no alarm')
    this.now = Math.max(this.now, at)
    return this.input({ type: 'alarm' })
  }

  /** Starts the process and loads what is asked for until a call runs. */
  run(id: number, skill = 'a'): void {
    this.call(id, skill)
    if (this.state.process.phase === 'starting') this.input({ type: 'ready' })
    if (this.state.process.phase === 'loading') this.input({ type: 'loaded' })
    expect(this.state.process).toMatchObject({ phase: 'running', job: { id } })
  }
}

const CALL: SkillCall = {
  entry: 'handle',
  input: '{}',
  storage: {},
  timers: {},
  time: { wall_ms: 0, offset_min: 0 },
  seed: 0,
}
const WORKED: CallOutcome = { ok: true, result: { answer: { speech: 'done' }, changes: [] } }
const TRAPPED: CallOutcome = { ok: false, error: skillError('skill-trapped', 'it trapped') }
const named = (effects: readonly SandboxEffect[]): string[] =>
  effects.map((effect) => {
    if (effect.type === 'answer')
      return `answer ${effect.id} ${effect.outcome.ok ? 'ok' : effect.outcome.error.code}`
    if (effect.type === 'run') return `run ${effect.job.id}`
    if (effect.type === 'load') return `load ${effect.skill}`
    if (effect.type === 'charged')
      return `charged ${effect.skill}${effect.stopped === undefined ? '' : ' stopped'}`
    return effect.type
  })

describe('a sandbox', () => {
  it('starts its process with the first call, loads the skill once and runs one call at a time', () => {
    const bench = new Bench()
    expect(named(bench.call(1))).toEqual(['start'])
    expect(named(bench.call(2))).toEqual([])
    expect(named(bench.input({ type: 'ready' }))).toEqual(['load a'])
    expect(named(bench.input({ type: 'loaded' }))).toEqual(['run 1'])
    expect(named(bench.input({ type: 'answered', outcome: WORKED }))).toEqual(['answer 1 ok', 'run 2'])
    expect(named(bench.input({ type: 'answered', outcome: WORKED }))).toEqual(['answer 2 ok'])
    expect(named(bench.call(3))).toEqual(['run 3'])
  })

  it('2: kills what runs beyond its budget', () => {
    const bench = new Bench()
    bench.run(1)
    bench.now = 99
    expect(named(bench.input({ type: 'alarm' }))).toEqual([])
    expect(named(bench.alarm())).toEqual(['kill', 'answer 1 skill-timeout', 'charged a'])
    expect(bench.now).toBe(100)
    expect(named(bench.input({ type: 'answered', outcome: WORKED }))).toEqual([])
    expect(named(bench.input({ type: 'exit' }))).toEqual(['start'])
  })

  it('2: kills a module that takes for ever to load, and fails only the calls to it', () => {
    const bench = new Bench()
    bench.call(1, 'a')
    bench.call(2, 'b')
    bench.input({ type: 'ready' })
    bench.now = LOAD_DEADLINE_MS
    expect(named(bench.input({ type: 'alarm' }))).toEqual(['kill', 'answer 1 skill-refused', 'charged a'])
    expect(named(bench.input({ type: 'exit' }))).toEqual(['start'])
    expect(named(bench.input({ type: 'ready' }))).toEqual(['load b'])
  })

  it('3: runs the calls behind a killed one in the next process', () => {
    const bench = new Bench()
    bench.run(1, 'a')
    bench.call(2, 'b')
    bench.alarm()
    expect(named(bench.input({ type: 'exit' }))).toEqual(['start'])
    bench.input({ type: 'ready' })
    expect(named(bench.input({ type: 'loaded' }))).toEqual(['run 2'])
    expect(bench.state.skills.b?.failures).toEqual([])
  })

  it('3: charges who was running when the process dies by itself', () => {
    const bench = new Bench()
    bench.run(1, 'a')
    expect(named(bench.input({ type: 'exit' }))).toEqual(['answer 1 skill-crashed', 'charged a', 'start'])
  })

  it('4: disables a skill that failed too often and leaves the others alone', () => {
    const bench = new Bench()
    for (let id = 1; id < MAX_FAILURES; id += 1) {
      bench.run(id, 'a')
      expect(named(bench.input({ type: 'answered', outcome: TRAPPED })).at(-1)).toBe('charged a')
    }
    bench.run(90, 'a')
    bench.call(91, 'a')
    bench.call(92, 'b')
    expect(named(bench.input({ type: 'answered', outcome: TRAPPED }))).toEqual([
      'answer 90 skill-trapped',
      'charged a stopped',
      'answer 91 skill-disabled',
      'load b',
    ])
    expect(named(bench.call(93, 'a'))).toEqual(['answer 93 skill-disabled'])
    bench.input({ type: 'loaded' })
    bench.input({ type: 'answered', outcome: WORKED })
    bench.input({ type: 'enable', skill: 'a' })
    expect(named(bench.call(94, 'a'))).toEqual(['run 94'])
  })

  it('4: forgives failures that are long ago', () => {
    const bench = new Bench()
    for (let id = 1; id <= 3 * MAX_FAILURES; id += 1) {
      bench.run(id, 'a')
      bench.input({ type: 'answered', outcome: TRAPPED })
      bench.now += FAILURE_WINDOW_MS / (MAX_FAILURES - 1)
    }
    expect(bench.state.skills.a?.stopped).toBeUndefined()
  })

  it('5: rests ever longer when processes do not start, and answers at the deadlines meanwhile', () => {
    const bench = new Bench()
    bench.call(1, 'a', 3_000)
    const rests: number[] = []
    for (let round = 0; round < 10; round += 1) {
      bench.input({ type: 'exit' })
      const { process } = bench.state
      if (process.phase !== 'resting') throw new Error('it should rest')
      rests.push(process.until - bench.now)
      while (bench.state.process.phase === 'resting') bench.alarm()
    }
    expect(rests).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
    expect(named(bench.effects).filter((name) => name.startsWith('answer'))).toEqual([
      'answer 1 skill-timeout',
    ])
  })

  it('5: gives up on a process that never says it is ready', () => {
    const bench = new Bench()
    bench.input({ type: 'warm' })
    bench.now = START_DEADLINE_MS
    expect(named(bench.input({ type: 'alarm' }))).toEqual(['kill'])
    bench.input({ type: 'exit' })
    expect(bench.state.process.phase).toBe('resting')
  })

  it('6: answers everything when it stops, and starts nothing afterwards', () => {
    const bench = new Bench()
    bench.run(1)
    bench.call(2)
    expect(named(bench.input({ type: 'stop' }))).toEqual([
      'answer 1 skill-stopped',
      'answer 2 skill-stopped',
      'kill',
    ])
    expect(named(bench.input({ type: 'exit' }))).toEqual([])
    expect(named(bench.call(3))).toEqual(['answer 3 skill-stopped'])
    expect(nextAlarm(bench.state)).toBeUndefined()
  })

  it('refuses unknown skills and more calls than can wait', () => {
    const bench = new Bench()
    expect(named(bench.call(1, 'nobody'))).toEqual(['answer 1 skill-refused'])
    for (let id = 0; id < MAX_WAITING; id += 1) bench.call(100 + id)
    expect(named(bench.call(999))).toEqual(['answer 999 skill-busy'])
  })

  it('ends an idle process when it is meant to, and starts it again when it is needed', () => {
    const bench = new Bench({ evict_after_ms: 5_000 })
    bench.run(1)
    bench.input({ type: 'answered', outcome: WORKED })
    expect(named(bench.alarm())).toEqual(['kill'])
    expect(named(bench.input({ type: 'exit' }))).toEqual([])
    expect(bench.state.process.phase).toBe('down')
    expect(named(bench.call(2))).toEqual(['start'])
  })

  it('compiles its modules before they are called, except those that failed', () => {
    const bench = new Bench({ preload: true })
    expect(named(bench.input({ type: 'warm' }))).toEqual(['start'])
    expect(named(bench.input({ type: 'ready' }))).toEqual(['load a'])
    const error = skillError('skill-refused', 'it cannot be compiled')
    expect(named(bench.input({ type: 'load-failed', error }))).toEqual(['charged a', 'load b'])
    expect(named(bench.input({ type: 'loaded' }))).toEqual([])
    expect(named(bench.call(1, 'b'))).toEqual(['run 1'])
  })

  it('4: stops a skill that runs into a quota for the third time', () => {
    const bench = new Bench()
    const overrun: CallOutcome = { ok: false, error: skillError('skill-budget', 'it made too many calls') }
    for (let id = 1; id < MAX_OVERRUNS; id += 1) {
      bench.run(id, 'a')
      expect(named(bench.input({ type: 'answered', outcome: overrun })).at(-1)).toBe('charged a')
    }
    bench.run(9, 'a')
    expect(named(bench.input({ type: 'answered', outcome: overrun }))).toContain('charged a stopped')
    expect(bench.state.skills.a?.stopped).toBe('storm')
    bench.run(10, 'b')
  })

  it('4: stops a skill that keeps waking itself, and never for what it is asked', () => {
    const bench = new Bench()
    const ring = (id: number, now: number): string[] => {
      bench.now = now
      const job = {
        id,
        skill: 'a',
        call: { ...CALL, entry: 'due' as const },
        deadline: monotonic(now + 60_000),
      }
      const effects = bench.input({ type: 'call', job })
      if (bench.state.process.phase === 'starting') bench.input({ type: 'ready' })
      if (bench.state.process.phase === 'loading') bench.input({ type: 'loaded' })
      if (bench.state.process.phase === 'running') bench.input({ type: 'answered', outcome: WORKED })
      return named(effects)
    }
    const often = MAX_WAKES + MAX_OVERRUNS
    for (let id = 1; id <= 2 * often; id += 1) ring(id, id * 1_000)
    expect(bench.state.skills.a?.failures).toEqual([])
    for (let id = 1; id <= 2 * often; id += 1) {
      bench.run(10_000 + id)
      bench.input({ type: 'answered', outcome: WORKED })
    }
    expect(bench.state.skills.a?.failures).toEqual([])
    let last: string[] = []
    for (let id = 1; id <= often; id += 1) last = ring(20_000 + id, 10_000_000 + id)
    expect(last).toEqual([`answer ${20_000 + often} skill-budget`, 'charged a stopped'])
    expect(bench.state.skills.a?.stopped).toBe('storm')
  })

  it('7: kills a process that speaks out of turn, and stops the only skill that can have made it', () => {
    const bench = new Bench()
    bench.run(1, 'a')
    bench.input({ type: 'answered', outcome: WORKED })
    expect(named(bench.input({ type: 'loaded' }))).toEqual(['kill', 'charged a stopped'])
    expect(bench.state.skills.a?.stopped).toBe('escape')
    bench.input({ type: 'exit' })
    bench.run(2, 'b')
  })

  it('7: charges nobody when a process speaks out of turn that several share', () => {
    const bench = new Bench()
    for (const [id, skill] of ['a', 'b'].entries()) {
      bench.run(id, skill)
      bench.input({ type: 'answered', outcome: WORKED })
    }
    expect(named(bench.input({ type: 'loaded' }))).toEqual(['kill'])
  })

  it('7: kills a process whose answer no runner would give, and stops the skill that ran', () => {
    const bench = new Bench()
    bench.run(1, 'a')
    bench.call(2, 'a')
    bench.call(3, 'b')
    const outcome: CallOutcome = {
      ok: false,
      error: skillError('skill-escape', 'it wrote frames of its own'),
    }
    expect(named(bench.input({ type: 'answered', outcome }))).toEqual([
      'kill',
      'answer 1 skill-escape',
      'charged a stopped',
      'answer 2 skill-disabled',
    ])
    expect(named(bench.input({ type: 'exit' }))).toEqual(['start'])
    expect(named(bench.input({ type: 'ready' }))).toEqual(['load b'])
  })

  it('makes room when it is asked to and has nothing to do', () => {
    const bench = new Bench({ evict_after_ms: 5_000 })
    bench.run(1)
    expect(named(bench.input({ type: 'evict' }))).toEqual([])
    bench.input({ type: 'answered', outcome: WORKED })
    expect(named(bench.input({ type: 'evict' }))).toEqual(['kill'])
    expect(named(bench.input({ type: 'exit' }))).toEqual([])
    expect(named(bench.call(2))).toEqual(['start'])
  })
})

/** What a process might do next, whatever it was told. */
const world = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      skill: fc.constantFrom('a', 'b'),
      wait_ms: fc.nat(500),
    }),
  },
  { weight: 8, arbitrary: fc.constantFrom({ do: 'comply' as const }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      { do: 'trap' as const },
      { do: 'die' as const },
      { do: 'babble' as const },
      { do: 'enable' as const },
      { do: 'warm' as const },
      { do: 'evict' as const },
    ),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(300) }) },
)

describe('whatever happens', () => {
  it('1: every call is answered exactly once; one process at a time; nothing runs that was not loaded', () => {
    fc.assert(
      fc.property(fc.array(world, { maxLength: 120 }), fc.boolean(), (events, evicted) => {
        const bench = new Bench(evicted ? { evict_after_ms: 400 } : { preload: true })
        let alive = false
        let loaded = new Set<string>()
        const asked: number[] = []
        const check = (effects: readonly SandboxEffect[]): void => {
          for (const effect of effects) {
            if (effect.type === 'start') {
              expect(alive).toBe(false)
              alive = true
              loaded = new Set()
            }
            if (effect.type === 'load') loaded.add(effect.skill)
            if (effect.type === 'run') expect(loaded).toContain(effect.job.skill)
          }
        }
        const step = (input: SandboxInput): void => check(bench.input(input))
        const pass = (ms: number): void => {
          const end = bench.now + ms
          for (let at = nextAlarm(bench.state); at !== undefined && at <= end; at = nextAlarm(bench.state)) {
            check(bench.alarm())
            if (bench.state.process.phase === 'dying') break
          }
          bench.now = Math.max(bench.now, end)
        }
        const comply = (): void => {
          const { phase } = bench.state.process
          if (phase === 'starting') step({ type: 'ready' })
          else if (phase === 'loading') step({ type: 'loaded' })
          else if (phase === 'running') step({ type: 'answered', outcome: WORKED })
          else if (phase === 'dying') die()
        }
        const die = (): void => {
          if (!alive) return
          alive = false
          step({ type: 'exit' })
        }
        for (const event of events) {
          if (event.do === 'call') {
            asked.push(asked.length)
            check(bench.call(asked.length - 1, event.skill, event.wait_ms))
          } else if (event.do === 'wait') pass(event.ms)
          else if (event.do === 'comply') comply()
          else if (event.do === 'die') die()
          else if (event.do === 'babble') step({ type: 'babble' })
          else if (event.do === 'enable') step({ type: 'enable', skill: 'a' })
          else if (event.do === 'warm') step({ type: 'warm' })
          else if (event.do === 'evict') step({ type: 'evict' })
          else if (bench.state.process.phase === 'running') step({ type: 'answered', outcome: TRAPPED })
        }
        step({ type: 'stop' })
        const answered = bench.effects.flatMap((effect) => (effect.type === 'answer' ? [effect.id] : []))
        expect(answered.sort((x, y) => x - y)).toEqual(asked)
      }),
      { numRuns: 2_000 },
    )
  })
})
