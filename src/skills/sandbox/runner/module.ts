/**
 * Runs skills that are WebAssembly modules. Every call gets a fresh instance: nothing a skill does can outlive the call except its
 * changes. The next one is made after the answer went out, while there is nothing else to do.
 */
import type { SkillCall } from '../../call.ts'
import type { Permission } from '../../permissions.ts'
import { HostCalls } from '../hostcalls.ts'
import type { Answer, Budget } from '../protocol.ts'
import { Gate } from './gate.ts'
import { Kernel, type LogSink, Stop } from './kernel.ts'

const PAGE_BYTES = 65_536

const NO_CALL: SkillCall = {
  entry: 'handle',
  input: '',
  storage: {},
  timers: {},
  time: { wall_ms: 0, offset_min: 0 },
  seed: 0,
}

const encoder = new TextEncoder()

export interface ModuleParts {
  readonly bytes: Uint8Array
  readonly permissions: readonly Permission[]
  readonly budget: Budget
  /** Nothing of the module runs when an instance is made, so that it may be made at any time. */
  readonly ahead: boolean
  /** The memory it imports, pages of 64 KiB. */
  readonly memory?: { readonly least: number; readonly most: number } | undefined
}

export class LoadedModule {
  readonly #parts: ModuleParts
  readonly #module: WebAssembly.Module
  readonly #gate: Gate
  /** Made ahead, for the next call. */
  #next: WebAssembly.Instance | undefined
  /** Of the last instance. */
  #memory: WebAssembly.Memory | undefined

  /** Errors: `CompileError`. */
  constructor(parts: ModuleParts) {
    const { bytes, permissions, budget } = parts
    this.#parts = parts
    // V8 keeps a reference to the bytes: they must not lie in the read buffer.
    this.#module = new WebAssembly.Module(bytes.slice())
    this.#gate = new Gate(kernelFor(NO_CALL, budget), new HostCalls(NO_CALL, budget), permissions, budget)
  }

  /** Errors: `Stop`, or what WebAssembly throws. */
  run(call: SkillCall): Answer {
    const { budget } = this.#parts
    const host = new HostCalls(call, budget)
    const kernel = kernelFor(call, budget, (level, message) => host.log(level, message))
    this.#gate.open(kernel, host)
    try {
      const instance = this.#next ?? this.#instantiate()
      this.#next = undefined
      const entry = instance.exports[call.entry]
      if (typeof entry !== 'function') throw new Stop('skill-refused', `it has no function "${call.entry}"`)
      const status: unknown = entry()
      if (status !== 0 && status !== undefined) {
        throw new Stop('skill-trapped', kernel.error ?? `it returned ${String(status)}`)
      }
    } finally {
      const stopped = this.#gate.close()
      // biome-ignore lint/correctness/noUnsafeFinally: a stop counts whatever the module made of it.
      if (stopped !== undefined) throw stopped
    }
    return { answer: 'answered', output: kernel.output(), changes: host.changes }
  }

  /** With nothing to do: an instance for the next call. */
  async makeReady(): Promise<void> {
    if (!this.#parts.ahead || this.#next !== undefined) return
    try {
      this.#next = this.#instantiate()
    } catch {
      // The call will find out the same, and say so.
    }
  }

  /** The memory of the instance before is wiped and used again, unless that one made it larger: to all of them it is the same. */
  #instantiate(): WebAssembly.Instance {
    const { memory: pages } = this.#parts
    if (pages === undefined) return new WebAssembly.Instance(this.#module, this.#gate.imports)
    const { least: initial, most: maximum } = pages
    const { buffer } = this.#memory ?? {}
    if (buffer?.byteLength === initial * PAGE_BYTES) new Uint8Array(buffer).fill(0)
    else this.#memory = new WebAssembly.Memory({ initial, maximum })
    const loqa = { memory: this.#memory }
    return new WebAssembly.Instance(this.#module, { ...this.#gate.imports, loqa } as WebAssembly.Imports)
  }
}

export const kernelFor = (call: SkillCall, budget: Budget, log: LogSink = () => undefined): Kernel =>
  new Kernel(encoder.encode(call.input), budget.memory_kb * 1024, budget.host_calls, log)
