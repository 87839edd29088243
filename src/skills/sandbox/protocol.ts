/** What the node and a sandbox process say to each other. Types only. */
import type { Change, SkillCall } from '../call.ts'
import type { SkillFault } from '../errors.ts'
import type { Permission } from '../permissions.ts'

/** What a skill may use in one call. The runner enforces it while the skill runs, the node checks it again. */
export interface Budget {
  /** Wall time of one call, ms, counted from the moment the sandbox is told; then SIGKILL. */
  readonly call_ms: number
  /** The module's own memory, and as much again for blocks shared with the host. */
  readonly memory_kb: number
  /** Calls of storage, timer, speak, clock, random and log functions. */
  readonly host_calls: number
  /** Keys and values together. */
  readonly storage_kb: number
}

/** node → sandbox. One order at a time: the next is sent when the last was answered. */
export type Order =
  /** Compile the module, or read the script, that travels as the payload. Answered by `loaded` or `failed`. */
  | {
      readonly order: 'load'
      /** A container or a native adapter gets no payload: it is the skill. */
      readonly runtime: 'wasm' | 'typescript' | 'container' | 'native'
      readonly skill: string
      readonly permissions: readonly Permission[]
      readonly budget: Budget
      /** The module runs nothing by itself: instances may be made before they are called. */
      readonly ahead: boolean
      /** The memory it imports, pages of 64 KiB. */
      readonly memory?: { readonly least: number; readonly most: number }
    }
  /** Answered by `answered` or `failed`. */
  | { readonly order: 'call'; readonly skill: string; readonly call: SkillCall }

/** sandbox → node. */
export type Answer =
  /** The process is up and reads orders. */
  | { readonly answer: 'ready' }
  | { readonly answer: 'loaded' }
  /** `output` is what the module set as its output: JSON, unchecked. */
  | { readonly answer: 'answered'; readonly output: string; readonly changes: readonly Change[] }
  | { readonly answer: 'failed'; readonly fault: SkillFault; readonly message: string }
