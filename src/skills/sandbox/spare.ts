/**
 * Keeps one sandbox process ready that belongs to no skill yet, so that the first call of a skill whose process was put away waits
 * for its module only. It has run nobody's code; who takes it keeps it until it ends. Costs about 10 MB of its own.
 */
import type { Cancel, Clock } from '../../host/index.ts'
import type { SandboxEvents, SandboxProcess, StartProcess } from './process.ts'

/** After one was taken: the call it was taken for has the processor first. */
const AGAIN_AFTER_MS = 250
/** What a process says before it is taken is that it is ready; more is not kept. */
const MAX_HELD_CHUNKS = 4

interface Spare {
  readonly process: SandboxProcess
  /** Where its events go, once it is taken. */
  taken: SandboxEvents | undefined
  readonly held: Uint8Array[]
}

export class SparePool {
  readonly #clock: Clock
  readonly #start: StartProcess
  #spare: Spare | undefined
  #again: Cancel | undefined
  #phase: 'unused' | 'kept' | 'stopped' = 'unused'

  constructor(clock: Clock, start: StartProcess) {
    this.#clock = clock
    this.#start = start
  }

  get pid(): number | undefined {
    return this.#spare?.process.pid
  }

  /** From now on one is kept ready. */
  keep(): void {
    if (this.#phase !== 'unused') return
    this.#phase = 'kept'
    this.#prepare()
  }

  /** The spare if there is one, else a new process; another is prepared. */
  readonly take: StartProcess = (events) => {
    const spare = this.#spare
    this.#spare = undefined
    this.#prepareSoon()
    if (spare === undefined) return this.#start(events)
    spare.taken = events
    // Later, as from a process that was just started.
    this.#clock.soon(() => {
      for (const chunk of spare.held.splice(0)) events.bytes(chunk)
    })
    return spare.process
  }

  stop(): void {
    this.#phase = 'stopped'
    this.#again?.()
    this.#spare?.process.kill()
    this.#spare = undefined
  }

  #prepareSoon(): void {
    if (this.#phase !== 'kept' || this.#again !== undefined) return
    this.#again = this.#clock.after(AGAIN_AFTER_MS, () => {
      this.#again = undefined
      if (this.#spare === undefined) this.#prepare()
    })
  }

  /** One that ends before it is taken is not replaced until the next is asked for: what cannot start would be started for ever. */
  #prepare(): void {
    const held: Uint8Array[] = []
    const process = this.#start({
      bytes: (chunk) => {
        if (spare.taken !== undefined && held.length === 0) spare.taken.bytes(chunk)
        else if (held.length < MAX_HELD_CHUNKS) held.push(chunk)
      },
      exit: (detail) => {
        if (this.#spare === spare) this.#spare = undefined
        spare.taken?.exit(detail)
      },
    })
    const spare: Spare = { process, taken: undefined, held }
    this.#spare = spare
  }
}
