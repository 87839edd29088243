/**
 * What stands between a module and its imports. The imports of a call are made when it comes; the instance they serve may have been
 * made before, so each of its imports is a door that leads to those of the call under way.
 *
 * A `Stop` is final: a module with exception handling can catch what its imports throw, so the gate remembers the first and answers
 * with it from then on, and the call fails however it ends (`main.ts`).
 */
import type { Stop } from './kernel.ts'

type HostFunction = (...args: never[]) => unknown
type Imports = Record<string, Record<string, HostFunction>>

export class Gate {
  /** Given to every instance of the module. */
  readonly imports: WebAssembly.Imports
  #open: Imports = {}
  #stopped: unknown

  /** `sample` has all imports that a call of this skill has, by name. */
  constructor(sample: WebAssembly.Imports) {
    const doors: Imports = {}
    for (const [module, functions] of Object.entries(sample)) {
      const through: Record<string, HostFunction> = {}
      for (const name of Object.keys(functions)) through[name] = this.#door(module, name)
      doors[module] = through
    }
    this.imports = doors as WebAssembly.Imports
  }

  /** A call begins, with these. */
  open(imports: WebAssembly.Imports): void {
    this.#open = imports as Imports
    this.#stopped = undefined
  }

  /** The call is over; what made it end early, if anything did. */
  close(): Stop | undefined {
    this.#open = {}
    const stopped = this.#stopped
    this.#stopped = undefined
    return stopped as Stop | undefined
  }

  #door(module: string, name: string): HostFunction {
    return (...args: never[]) => {
      if (this.#stopped !== undefined) throw this.#stopped
      try {
        return this.#open[module]![name]!(...args)
      } catch (thrown) {
        this.#stopped = thrown
        throw thrown
      }
    }
  }
}
