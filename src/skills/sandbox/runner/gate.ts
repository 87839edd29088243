/**
 * What stands between a module and its imports. They are bound once; the instance they serve may have been made before its call came,
 * and each leads to the kernel and the state of the call under way.
 *
 * A `Stop` is final: a module with exception handling can catch what its imports throw, so the gate remembers the first and answers
 * with it from then on, and the call fails however it ends (`module.ts`).
 */
import type { Permission } from '../../permissions.ts'
import type { HostCalls } from '../hostcalls.ts'
import type { Budget } from '../protocol.ts'
import { bindImports, type Serving, serving } from './bindings.ts'
import { type Kernel, Stop } from './kernel.ts'

type HostFunction = (a: never, b: never, c: never) => unknown

const SHUT = new Stop('skill-trapped', 'it called the node while nobody had called it')

export class Gate {
  /** Given to every instance of the module. */
  readonly imports: WebAssembly.Imports
  readonly #now: Serving
  /** What every call of an import ends with. */
  #stopped: unknown = SHUT

  /** `kernel`, `host`: of no call, until one comes. */
  constructor(kernel: Kernel, host: HostCalls, permissions: readonly Permission[], budget: Budget) {
    this.#now = serving(kernel, host)
    const doors: Record<string, Record<string, HostFunction>> = {}
    for (const [module, functions] of Object.entries(bindImports(this.#now, permissions, budget))) {
      const through: Record<string, HostFunction> = {}
      for (const [name, run] of Object.entries(functions)) through[name] = this.#door(run as HostFunction)
      doors[module] = through
    }
    this.imports = doors as WebAssembly.Imports
  }

  /** A call begins. */
  open(kernel: Kernel, host: HostCalls): void {
    this.#now.kernel = kernel
    this.#now.host = host
    this.#now.used = 0
    this.#stopped = undefined
  }

  /** The call is over; what made it end early, if anything did. */
  close(): Stop | undefined {
    const stopped = this.#stopped
    this.#stopped = SHUT
    return stopped as Stop | undefined
  }

  #door(run: HostFunction): HostFunction {
    return (a, b, c) => {
      if (this.#stopped !== undefined) throw this.#stopped
      try {
        return run(a, b, c)
      } catch (thrown) {
        this.#stopped = thrown
        throw thrown
      }
    }
  }
}
