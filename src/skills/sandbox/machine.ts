/**
 * Decides for one sandbox process: when it starts, which call runs next, when it is killed, who is to blame. Pure; the
 * shell (`sandbox.ts`) carries out the effects and reports back. One process may host several skills; they run one at a time.
 *
 * Invariants, each with a test of the same number:
 * 1. Every accepted call is answered exactly once.
 * 2. A call runs only in a process that loaded its skill, and never beyond its budget: then the process is killed.
 * 3. Only the skill that was running is charged when the process dies; calls waiting behind it run in the next process.
 * 4. A skill that fails too often, or shows signs of an attack (`charging.ts`), is stopped until enabled again; others are untouched.
 * 5. A process that keeps failing to start is tried again ever more slowly, and calls fail in the meantime, at their deadline.
 * 6. After `stop` nothing is started and every call is answered.
 * 7. A process that said what the runner never says is killed at once, and nothing it says afterwards counts.
 */
import { assertNever, type Monotonic, monotonic } from '../../host/index.ts'
import type { CallOutcome } from '../call.ts'
import { type SkillErrorShape, type SkillFault, skillError } from '../errors.ts'
import { awoken, charged as chargedWith, forgiven, MAX_WAKES, newRecord, wakesTooOften } from './charging.ts'
import type {
  Job,
  Process,
  SandboxEffect,
  SandboxHabits,
  SandboxInput,
  SandboxState,
  SandboxStep,
  SkillRecord,
  StopReason,
} from './machine-state.ts'

/** Node start 100–300 ms on a desktop, several seconds on a loaded single-board computer. */
export const START_DEADLINE_MS = 15_000
/** Compiling a module. 4 MiB take about 200 ms; a module made to compile for ever is stopped here. */
export const LOAD_DEADLINE_MS = 3_000
/** Calls waiting for one process: at some milliseconds each, more is a caller gone wild. */
export const MAX_WAITING = 64
const FIRST_REST_MS = 100
const LONGEST_REST_MS = 10_000

export const newSandbox = ({ evict_after_ms, preload = false }: SandboxHabits = {}): SandboxState => ({
  process: { phase: 'down' },
  loaded: [],
  waiting: [],
  skills: {},
  misfires: 0,
  restarts: 0,
  evict_after_ms,
  preload,
})

/** When `alarm` is due next; undefined: nothing to wait for. */
export function nextAlarm(state: SandboxState): Monotonic | undefined {
  const times: number[] = state.waiting.map((job) => job.deadline)
  const process = state.process
  if (process.phase === 'starting' || process.phase === 'loading' || process.phase === 'running') {
    times.push(process.deadline)
  }
  if (process.phase === 'resting') times.push(process.until)
  if (process.phase === 'idle' && state.evict_after_ms !== undefined) {
    times.push(process.since + state.evict_after_ms)
  }
  return times.length === 0 ? undefined : monotonic(Math.min(...times))
}

export function stepSandbox(state: SandboxState, input: SandboxInput, now: Monotonic): SandboxStep {
  switch (input.type) {
    case 'register':
      return register(state, input.skill, input.call_ms)
    case 'forget':
      return quiet(forgotten(state, input.skill))
    case 'enable':
      return quiet(withSkill(state, input.skill, forgiven))
    case 'warm':
      return state.process.phase === 'down' ? begin(state, now) : quiet(state)
    case 'evict':
      return evict(state)
    case 'call':
      return accept(state, input.job, now)
    case 'cancel':
      return quiet({ ...state, waiting: state.waiting.filter((job) => job.id !== input.id) })
    case 'ready':
      if (state.process.phase !== 'starting') return babble(state, now)
      return proceed({ ...state, process: { phase: 'idle', since: now }, loaded: [] }, now)
    case 'loaded':
      if (state.process.phase !== 'loading') return babble(state, now)
      return proceed(
        {
          ...state,
          process: { phase: 'idle', since: now },
          loaded: [...state.loaded, state.process.skill],
          misfires: 0,
        },
        now,
      )
    case 'load-failed':
      return loadFailed(state, input.error, now)
    case 'answered':
      return answered(state, input.outcome, now)
    case 'babble':
      return babble(state, now)
    case 'exit':
      return exited(state, now)
    case 'alarm':
      return alarm(state, now)
    case 'stop':
      return stop(state)
    default:
      return assertNever(input)
  }
}

const quiet = (state: SandboxState): SandboxStep => ({ state, effects: [] })

const withSkill = (
  state: SandboxState,
  skill: string,
  change: (record: SkillRecord) => SkillRecord,
): SandboxState => {
  const record = state.skills[skill]
  return record === undefined ? state : { ...state, skills: { ...state.skills, [skill]: change(record) } }
}

/** A skill is new or has a new module: what an old process loaded under its name is void. */
function register(state: SandboxState, skill: string, call_ms: number): SandboxStep {
  return quiet({
    ...state,
    skills: { ...state.skills, [skill]: newRecord(call_ms) },
    loaded: state.loaded.filter((name) => name !== skill),
  })
}

function forgotten(state: SandboxState, skill: string): SandboxState {
  const { [skill]: _gone, ...skills } = state.skills
  return { ...state, skills, loaded: state.loaded.filter((name) => name !== skill) }
}

function accept(state: SandboxState, job: Job, now: Monotonic): SandboxStep {
  const refusal = refusalOf(state, job)
  if (refusal !== undefined) return { state, effects: [answer(job.id, refusal)] }
  const counted =
    job.call.entry === 'handle' ? state : withSkill(state, job.skill, (record) => awoken(record, now))
  if (job.call.entry !== 'handle' && wakesTooOften(counted.skills[job.skill]!)) {
    const words = `The skill ${job.skill} woke itself more than ${MAX_WAKES} times in a minute`
    const error = skillError('skill-budget', words)
    return after([answer(job.id, error)], charge(counted, job.skill, error, now))
  }
  const queued = { ...counted, waiting: [...counted.waiting, job] }
  return state.process.phase === 'down' ? begin(queued, now) : proceed(queued, now)
}

function refusalOf(state: SandboxState, job: Job): SkillErrorShape | undefined {
  const record = state.skills[job.skill]
  if (state.process.phase === 'stopped') return skillError('skill-stopped', 'The node is going down')
  if (record === undefined) return skillError('skill-refused', `There is no skill ${job.skill}`)
  if (record.stopped !== undefined) return stoppedError(job.skill, record.stopped)
  if (state.waiting.length >= MAX_WAITING) {
    return skillError('skill-busy', `More than ${MAX_WAITING} calls are waiting`, 'Try again in a moment.')
  }
  return undefined
}

const WHY_STOPPED: Readonly<Record<StopReason, string>> = {
  failures: 'failed too often',
  storm: 'ran into its limits again and again',
  escape: 'tried to leave its sandbox',
}

const stoppedError = (skill: string, why: StopReason): SkillErrorShape =>
  skillError(
    'skill-disabled',
    `The skill ${skill} ${WHY_STOPPED[why]} and is switched off`,
    'Switch it on again.',
  )

function begin(state: SandboxState, now: Monotonic): SandboxStep {
  const process: Process = { phase: 'starting', deadline: monotonic(now + START_DEADLINE_MS) }
  return { state: { ...state, process, loaded: [] }, effects: [{ type: 'start' }] }
}

/** Gives an idle process its next work. */
function proceed(state: SandboxState, now: Monotonic): SandboxStep {
  if (state.process.phase !== 'idle') return quiet(state)
  const job = state.waiting[0]
  if (job === undefined) return preload(state, now)
  if (!state.loaded.includes(job.skill)) return load(state, job.skill, now)
  const call_ms = state.skills[job.skill]?.call_ms ?? 0
  const process: Process = { phase: 'running', job, deadline: monotonic(now + call_ms) }
  return { state: { ...state, process, waiting: state.waiting.slice(1) }, effects: [{ type: 'run', job }] }
}

function load(state: SandboxState, skill: string, now: Monotonic): SandboxStep {
  const process: Process = { phase: 'loading', skill, deadline: monotonic(now + LOAD_DEADLINE_MS) }
  return { state: { ...state, process }, effects: [{ type: 'load', skill }] }
}

/** With nothing else to do, compiles what may be called next. Skills that failed wait until they are asked for. */
function preload(state: SandboxState, now: Monotonic): SandboxStep {
  if (!state.preload) return quiet(state)
  const next = Object.keys(state.skills).find(
    (name) => !state.loaded.includes(name) && state.skills[name]!.failures.length === 0,
  )
  return next === undefined ? quiet(state) : load(state, next, now)
}

function answered(state: SandboxState, outcome: CallOutcome, now: Monotonic): SandboxStep {
  if (state.process.phase !== 'running') return babble(state, now)
  const { job } = state.process
  if (!outcome.ok && outcome.error.code === 'skill-escape') return end(state, outcome.error, now)
  const idle: SandboxState = { ...state, process: { phase: 'idle', since: now }, misfires: 0 }
  const charged = outcome.ok ? quiet(idle) : charge(idle, job.skill, outcome.error, now)
  return after([answer(job.id, outcome), ...charged.effects], proceed(charged.state, now))
}

function loadFailed(state: SandboxState, error: SkillErrorShape, now: Monotonic): SandboxStep {
  if (state.process.phase !== 'loading') return babble(state, now)
  const { skill } = state.process
  const failed = failWaiting({ ...state, process: { phase: 'idle', since: now } }, skill, error)
  const charged = charge(failed.state, skill, error, now)
  return after([...failed.effects, ...charged.effects], proceed(charged.state, now))
}

/** The process no longer keeps to the protocol: nothing it says can be trusted. */
function babble(state: SandboxState, now: Monotonic): SandboxStep {
  const { phase } = state.process
  if (phase === 'dying' || phase === 'down' || phase === 'resting' || phase === 'stopped') return quiet(state)
  const [only, ...others] = state.loaded
  // Nobody's turn; but in a process of its own there is only one who can have made it speak.
  const whose = phase === 'idle' && others.length === 0 ? only : undefined
  if (whose === undefined) return end(state, verdict('skill-escape', 'spoke out of turn'), now)
  const error = skillError('skill-escape', `The skill ${whose} spoke out of turn`)
  const charged = charge({ ...state, process: { phase: 'dying' }, loaded: [] }, whose, error, now)
  return after([{ type: 'kill' }], charged)
}

type Verdict = (skill: string) => SkillErrorShape

const verdict =
  (fault: SkillFault, verb: string): Verdict =>
  (skill) =>
    skillError(fault, `The skill ${skill} ${verb}`)

/** Kills the process and charges who was running. */
function end(state: SandboxState, error: SkillErrorShape | Verdict, now: Monotonic): SandboxStep {
  const blamed = blame(state, typeof error === 'function' ? error : () => error, now)
  return {
    state: { ...blamed.state, process: { phase: 'dying' }, loaded: [] },
    effects: [{ type: 'kill' }, ...blamed.effects],
  }
}

/** Answers and charges the running or loading skill, if any. */
function blame(state: SandboxState, errorOf: Verdict, now: Monotonic): SandboxStep {
  const { process } = state
  if (process.phase === 'running') {
    const error = errorOf(process.job.skill)
    const charged = charge(state, process.job.skill, error, now)
    return after([answer(process.job.id, error), ...charged.effects], quiet(charged.state))
  }
  if (process.phase === 'loading') {
    const error = errorOf(process.skill)
    const failed = failWaiting(state, process.skill, error)
    const charged = charge(failed.state, process.skill, error, now)
    return after([...failed.effects, ...charged.effects], quiet(charged.state))
  }
  return quiet({ ...state, misfires: state.misfires + 1 })
}

function charge(state: SandboxState, skill: string, error: SkillErrorShape, now: Monotonic): SandboxStep {
  const before = state.skills[skill]
  if (before === undefined) return quiet(state)
  const record = chargedWith(before, error, now)
  const stopped = before.stopped === undefined ? record.stopped : undefined
  const charged = withSkill(state, skill, () => record)
  const failed =
    stopped === undefined ? quiet(charged) : failWaiting(charged, skill, stoppedError(skill, stopped))
  return after([{ type: 'charged', skill, error, stopped }], failed)
}

function failWaiting(state: SandboxState, skill: string, error: SkillErrorShape): SandboxStep {
  const failed = state.waiting.filter((job) => job.skill === skill)
  return {
    state: { ...state, waiting: state.waiting.filter((job) => job.skill !== skill) },
    effects: failed.map((job) => answer(job.id, error)),
  }
}

function exited(state: SandboxState, now: Monotonic): SandboxStep {
  const { phase } = state.process
  if (phase === 'stopped' || phase === 'down' || phase === 'resting') return quiet(state)
  const fault = phase === 'loading' ? 'skill-refused' : 'skill-crashed'
  const blamed = phase === 'dying' ? quiet(state) : blame(state, verdict(fault, 'ended its process'), now)
  const gone: SandboxState = { ...blamed.state, loaded: [], restarts: state.restarts + 1 }
  if (gone.misfires > 0) {
    const rest_ms = Math.min(FIRST_REST_MS * 2 ** (gone.misfires - 1), LONGEST_REST_MS)
    return after(
      blamed.effects,
      quiet({ ...gone, process: { phase: 'resting', until: monotonic(now + rest_ms) } }),
    )
  }
  // Kept warm for the next call, unless it was meant to be put away when idle.
  if (gone.waiting.length === 0 && gone.evict_after_ms !== undefined) {
    return after(blamed.effects, quiet({ ...gone, process: { phase: 'down' } }))
  }
  return after(blamed.effects, begin(gone, now))
}

function alarm(state: SandboxState, now: Monotonic): SandboxStep {
  const late = state.waiting.filter((job) => job.deadline <= now)
  const answers = late.map((job) =>
    answer(job.id, skillError('skill-timeout', `The skill ${job.skill} had no chance to answer in time`)),
  )
  const kept =
    late.length === 0 ? state : { ...state, waiting: state.waiting.filter((job) => job.deadline > now) }
  return after(answers, overdue(kept, now))
}

function overdue(state: SandboxState, now: Monotonic): SandboxStep {
  const { process } = state
  switch (process.phase) {
    case 'running':
      return process.deadline <= now
        ? end(state, verdict('skill-timeout', 'ran longer than it may'), now)
        : quiet(state)
    case 'loading':
      return process.deadline <= now
        ? end(state, verdict('skill-refused', 'takes too long to load'), now)
        : quiet(state)
    case 'starting':
      return process.deadline <= now
        ? end(state, verdict('skill-crashed', 'did not start'), now)
        : quiet(state)
    case 'resting':
      return process.until <= now ? begin(state, now) : quiet(state)
    case 'idle':
      return state.evict_after_ms !== undefined && process.since + state.evict_after_ms <= now
        ? evict(state)
        : quiet(state)
    default:
      return quiet(state)
  }
}

function evict(state: SandboxState): SandboxStep {
  if (state.process.phase !== 'idle' || state.waiting.length > 0) return quiet(state)
  return { state: { ...state, process: { phase: 'dying' }, loaded: [] }, effects: [{ type: 'kill' }] }
}

function stop(state: SandboxState): SandboxStep {
  const { process } = state
  const error = skillError('skill-stopped', 'The node is going down')
  const open = process.phase === 'running' ? [process.job, ...state.waiting] : state.waiting
  const alive = process.phase !== 'down' && process.phase !== 'resting' && process.phase !== 'stopped'
  return {
    state: { ...state, process: { phase: 'stopped' }, waiting: [], loaded: [] },
    effects: [...open.map((job) => answer(job.id, error)), ...(alive ? [{ type: 'kill' } as const] : [])],
  }
}

const answer = (id: number, outcome: CallOutcome | SkillErrorShape): SandboxEffect => ({
  type: 'answer',
  id,
  outcome: 'ok' in outcome ? outcome : { ok: false, error: outcome },
})

const after = (first: readonly SandboxEffect[], step: SandboxStep): SandboxStep => ({
  state: step.state,
  effects: [...first, ...step.effects],
})
