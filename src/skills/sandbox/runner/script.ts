/**
 * Runs skills written in TypeScript: QuickJS, itself a WebAssembly module, in the same process and under the same rules as any
 * other skill. Types are taken away, nothing is bundled: a skill is one file.
 *
 * Every call gets a fresh interpreter (`interpreter.ts`) in the memory of its skill. One that runs too long is interrupted
 * just before the node would kill the process; one that cannot be interrupted is killed like any other.
 */
import { stripTypeScriptTypes } from 'node:module'
import type { QuickJSWASMModule } from 'quickjs-emscripten-core'
import type { SkillCall } from '../../call.ts'
import { HOST_FUNCTIONS, type Permission } from '../../permissions.ts'
import { HostCalls } from '../hostcalls.ts'
import type { Answer, Budget } from '../protocol.ts'
import type { ScriptSource } from '../script-source.ts'
import { bindImports, serving } from './bindings.ts'
import { firstLine, Interpreter, type Sources } from './interpreter.ts'
import { Stop } from './kernel.ts'
import { kernelFor } from './module.ts'
import { compileEngine, newEngine } from './script-engine.ts'
import { FROM_KERNEL, scriptFunctions } from './script-host.ts'

/** The script is interrupted after this share of its time, so that it fails by itself and the process lives. */
const INTERRUPTED_AT = 0.9

const decoder = new TextDecoder()

/** The same for all skills of a process. */
let shared: { readonly module: WebAssembly.Module; readonly kit: string } | undefined

/** Errors: `Stop` `skill-refused` when it is not TypeScript that can run. */
export async function loadScript(
  source: ScriptSource,
  permissions: readonly Permission[],
  budget: Budget,
): Promise<LoadedScript> {
  const skill = stripped(source.skill)
  shared ??= { module: compileEngine(source.engine), kit: stripped(source.kit) }
  const loaded = new LoadedScript(shared.module, { loqa: shared.kit, skill }, permissions, budget)
  await loaded.makeReady()
  return loaded
}

export class LoadedScript {
  readonly #module: WebAssembly.Module
  readonly #sources: Sources
  readonly #permissions: readonly Permission[]
  readonly #budget: Budget
  #engine: QuickJSWASMModule | undefined
  #ready: Interpreter | undefined
  #used: Interpreter | undefined

  constructor(
    module: WebAssembly.Module,
    sources: Sources,
    permissions: readonly Permission[],
    budget: Budget,
  ) {
    this.#module = module
    this.#sources = sources
    this.#permissions = permissions
    this.#budget = budget
  }

  /** Once after each `makeReady`. Errors: `Stop`. */
  run(call: SkillCall): Answer {
    const until_ms = performance.now() + this.#budget.call_ms * INTERRUPTED_AT
    const host = new HostCalls(call, this.#budget)
    const kernel = kernelFor(call, this.#budget, (level, message) => host.log(level, message))
    const imports = bindImports(serving(kernel, host), this.#permissions, this.#budget)
    const wall_ms = this.#permissions.includes('clock') ? call.time.wall_ms : 0
    this.#used = this.#ready
    this.#ready = undefined
    if (this.#used === undefined) throw new Stop('skill-crashed', 'its interpreter could not be made')
    try {
      const output = this.#used.call({
        ...{ call, wall_ms, until_ms },
        functions: scriptFunctions(kernel, imports),
      })
      return { answer: 'answered', output, changes: host.changes }
    } catch (thrown) {
      if (thrown instanceof Stop) throw thrown
      // A defect of the engine: nothing of it is used again.
      this.#engine = undefined
      const overflow = thrown instanceof RangeError
      throw new Stop('skill-trapped', overflow ? 'it used up its stack' : 'its interpreter failed')
    }
  }

  /** Throws the used interpreter away and makes the next, which the next call then need not wait for. */
  async makeReady(): Promise<void> {
    if (this.#ready !== undefined) return
    try {
      if (this.#engine !== undefined) this.#used?.end()
    } catch {
      // Something in it was never freed.
      this.#engine = undefined
    }
    this.#used = undefined
    this.#engine ??= await newEngine(this.#module, this.#budget.memory_kb)
    this.#ready = new Interpreter(this.#engine, this.#sources, functionNames(this.#permissions))
  }
}

const functionNames = (permissions: readonly Permission[]): string[] => [
  ...FROM_KERNEL,
  ...permissions.flatMap((permission) => HOST_FUNCTIONS[permission]),
]

function stripped(typescript: Uint8Array): string {
  try {
    return stripTypeScriptTypes(decoder.decode(typescript))
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    throw new Stop('skill-refused', `it is not TypeScript that can run (${firstLine(said)})`)
  }
}
