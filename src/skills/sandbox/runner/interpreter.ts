/**
 * One interpreter for one call of a script: made ahead, with the kit in it, used once, thrown away. There is nothing in it
 * but the language, the kit and the functions the skill was granted; no files, no network, no timers, no other modules, and
 * `eval` in there is only more of the same script. Its clock stands still at the time of the call.
 */
import type {
  QuickJSContext,
  QuickJSHandle,
  QuickJSRuntime,
  QuickJSWASMModule,
} from 'quickjs-emscripten-core'
import type { SkillCall } from '../../call.ts'
import { MAX_OUTPUT_BYTES, Stop } from './kernel.ts'
import type { ScriptFunction } from './script-host.ts'

/** Recursion ends here with an error of the script. The engine's own stack has 5 MiB. */
const STACK_BYTES = 512 * 1024
/** What is told of an error: the first line and where. */
const MAX_MESSAGE_CHARS = 300

const encoder = new TextEncoder()

/** JavaScript by the name it is imported by: `loqa` the kit, `skill` the skill. */
export type Sources = Readonly<Record<'loqa' | 'skill', string>>

/** All that one call has and may. */
export interface Turn {
  readonly call: Pick<SkillCall, 'entry' | 'input'>
  readonly functions: ReadonlyMap<string, ScriptFunction>
  /** Milliseconds since 1970 UTC, as `Date` tells; 0 for a skill that may not know the time. */
  readonly wall_ms: number
  /** On `performance.now`. */
  readonly until_ms: number
}

export class Interpreter {
  readonly #sources: Sources
  readonly #runtime: QuickJSRuntime
  readonly #context: QuickJSContext
  #turn: Turn | undefined
  /** The first rule the script broke: it cannot go on, whatever it catches. */
  #stop: Stop | undefined

  /** `names` are those of the functions it will be given. Errors: whatever its engine throws when it is broken. */
  constructor(engine: QuickJSWASMModule, sources: Sources, names: Iterable<string>) {
    this.#sources = sources
    this.#runtime = engine.newRuntime()
    this.#runtime.setMaxStackSize(STACK_BYTES)
    this.#runtime.setInterruptHandler(() => this.#mustStop())
    this.#runtime.setModuleLoader((name) => this.#moduleOf(name))
    this.#context = this.#runtime.newContext()
    this.#offer(names)
    this.#evaluate(SURROUNDINGS, 'node', 'global').dispose()
    this.#evaluate("import 'loqa'", 'node', 'module').dispose()
  }

  /** The script's answer as JSON. Errors: `Stop`; anything else is a defect of the engine. */
  call(turn: Turn): string {
    this.#turn = turn
    const exported = this.#evaluate(callOf(turn.call), 'node', 'module')
    const output = this.#context.getProp(exported, 'output')
    const text = this.#context.typeof(output) === 'string' ? this.#context.getString(output) : undefined
    output.dispose()
    exported.dispose()
    if (this.#stop !== undefined) throw this.#stop
    if (text === undefined) throw new Stop('skill-answer', 'it waits: nothing here ever comes to it')
    if (encoder.encode(text).length > MAX_OUTPUT_BYTES) {
      throw new Stop('skill-budget', `its answer was longer than ${MAX_OUTPUT_BYTES / 1024} KiB`)
    }
    return text
  }

  /** Frees it. Errors: what its engine throws when something in it cannot be freed. */
  end(): void {
    this.#context.dispose()
    this.#runtime.dispose()
  }

  #mustStop(): boolean {
    if (this.#stop !== undefined) return true
    if (this.#turn === undefined || performance.now() < this.#turn.until_ms) return false
    this.#stop = new Stop('skill-timeout', 'it ran longer than it may')
    return true
  }

  #moduleOf(name: string): string | { error: Error } {
    if (name === 'loqa' || name === 'skill') return this.#sources[name]
    const wanted = JSON.stringify(name.slice(0, 80))
    return { error: new Error(`there is no module ${wanted}: a skill imports 'loqa' alone`) }
  }

  #offer(names: Iterable<string>): void {
    const context = this.#context
    const offered = context.newObject()
    for (const name of names)
      this.#bind(offered, name, (...given) => this.#turn?.functions.get(name)?.(...given))
    context.setProp(context.global, 'loqa_host', offered)
    offered.dispose()
    this.#bind(context.global, 'loqa_now', () => this.#turn?.wall_ms)
  }

  #bind(on: QuickJSHandle, name: string, run: ScriptFunction): void {
    const bound = this.#context.newFunction(name, (...handles) => this.#answer(run, handles))
    this.#context.setProp(on, name, bound)
    bound.dispose()
  }

  #answer(run: ScriptFunction, handles: readonly QuickJSHandle[]): QuickJSHandle {
    if (this.#stop !== undefined) throw this.#stop
    const context = this.#context
    try {
      const result = run(...handles.map((handle) => plain(context, handle)))
      if (typeof result === 'string') return context.newString(result)
      return typeof result === 'number' ? context.newNumber(result) : context.undefined
    } catch (thrown) {
      this.#stop =
        thrown instanceof Stop ? thrown : new Stop('skill-trapped', 'it executed an illegal operation')
      throw this.#stop
    }
  }

  #evaluate(code: string, file: string, type: 'global' | 'module'): QuickJSHandle {
    const result = this.#context.evalCode(code, file, { type, strict: true })
    if (result.error === undefined) return result.value
    const error: unknown = this.#context.dump(result.error)
    result.error.dispose()
    throw this.#stop ?? refusalOf(error)
  }
}

/** Texts and numbers only: whatever else a script passes arrives as what it is called. */
function plain(context: QuickJSContext, handle: QuickJSHandle): string | number | undefined {
  switch (context.typeof(handle)) {
    case 'undefined':
      return undefined
    case 'number':
      return context.getNumber(handle)
    default:
      return context.getString(handle)
  }
}

/** A clock that stands still, and no chance but the call's: the same call does the same thing. */
const SURROUNDINGS = `{
  const now = globalThis.loqa_now
  delete globalThis.loqa_now
  const Real = Date
  const Still = function Date(...given) {
    if (new.target === undefined) return new Real(now() ?? 0).toString()
    return Reflect.construct(Real, given.length === 0 ? [now() ?? 0] : given, new.target)
  }
  Still.prototype = Real.prototype
  Still.prototype.constructor = Still
  Still.now = () => now() ?? 0
  Still.parse = Real.parse
  Still.UTC = Real.UTC
  globalThis.Date = Still
  Math.random = () => { throw new Error('there is no chance here but random.draw() of the kit') }
  delete globalThis.performance
}`

const callOf = ({ entry, input }: Turn['call']): string =>
  `import { callSkill } from 'loqa'
import * as skill from 'skill'
export const output = callSkill(skill, ${JSON.stringify(entry)}, ${JSON.stringify(input)})`

function refusalOf(error: unknown): Stop {
  const { name, message, stack } = (
    typeof error === 'object' && error !== null ? error : {}
  ) as Partial<Error>
  if (name === 'InternalError' && message === 'out of memory') {
    return new Stop('skill-budget', 'it used up its memory')
  }
  if (name === 'InternalError' && message === 'stack overflow') {
    return new Stop('skill-trapped', 'it used up its stack')
  }
  const line = /\bskill:(\d+)/.exec(stack ?? '')?.[1]
  const said = typeof error === 'object' ? `${name ?? 'Error'}: ${message ?? ''}` : String(error)
  const place = line === undefined ? '' : ` in line ${line}`
  return new Stop('skill-trapped', `it threw ${firstLine(said)}${place}`)
}

export const firstLine = (text: string): string => text.split('\n', 1)[0]!.slice(0, MAX_MESSAGE_CHARS)
