/** How a skill can fail. The sentence is safe to show; what the person hears is composed by the skill's actor. */
import { type ErrorShape, LoqaError } from '../host/index.ts'

export type SkillFault =
  /** Ran longer than its budget and was killed. */
  | 'skill-timeout'
  /** Executed `unreachable`, left its memory, overflowed its stack, or aborted. */
  | 'skill-trapped'
  /** Used up its memory, blocks, output or host calls. */
  | 'skill-budget'
  /** Its process ended while it ran. */
  | 'skill-crashed'
  /** Answered with something that is not an answer, or asked for what it was not granted. */
  | 'skill-answer'
  /** Its process said or did what no skill can make it do: it left WebAssembly. */
  | 'skill-escape'
  /** What runs it is not on this machine: a container engine, an image, a fence. */
  | 'skill-runtime'
  /** Its module may not be loaded at all. */
  | 'skill-refused'
  /** Failed too often, or behaved like an attack, and was switched off. */
  | 'skill-disabled'
  /** Too many calls are waiting for it. */
  | 'skill-busy'
  /** The node is going down. */
  | 'skill-stopped'

export type SkillErrorShape = ErrorShape & { readonly code: SkillFault }

const RETRYABLE: ReadonlySet<SkillFault> = new Set([
  'skill-timeout',
  'skill-crashed',
  'skill-busy',
  'skill-stopped',
])

export class SkillError extends LoqaError {
  readonly fault: SkillFault

  constructor(fault: SkillFault, message: string, hint?: string) {
    super(fault, message, { retryable: RETRYABLE.has(fault), hint })
    this.fault = fault
  }

  override toJSON(): SkillErrorShape {
    return { ...super.toJSON(), code: this.fault }
  }
}

export const skillError = (fault: SkillFault, message: string, hint?: string): SkillErrorShape =>
  new SkillError(fault, message, hint).toJSON()
