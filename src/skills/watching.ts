/**
 * What is made of a skill that fails: a line in the log; of one that is stopped for it, or refused, a record in the audit log and a
 * word to the people of the house. What they hear names the skill and what it did, and nothing the skill could have written.
 */
import type { ErrorShape } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import type { SkillErrorShape } from './errors.ts'
import type { Announce } from './messages.ts'
import { switchedOff } from './phrases.ts'
import type { StopReason } from './sandbox/machine-state.ts'
import type { SandboxEvents } from './sandbox/sandbox.ts'

export interface SkillWatch {
  /** Notes in the audit log. */
  audit(what: 'skill.stopped' | 'skill.refused', object: string, outcome: string): void
  /** Says it aloud. */
  tell(announcement: Announce): void
}

/** Nobody watches: in tests and tools that have no house. */
export const UNWATCHED: SkillWatch = { audit: () => undefined, tell: () => undefined }

export const watchSandboxes = (log: Log, watch: SkillWatch): SandboxEvents => ({
  charged(skill: string, { code }: SkillErrorShape, stopped: StopReason | undefined) {
    log.warn('A skill failed', { skill, code, stopped })
    if (stopped === undefined) return
    watch.audit('skill.stopped', skill, `${stopped}: ${code}`)
    watch.tell({ type: 'announce', skill, speech: switchedOff(skill, stopped) })
  },
  ended: (detail) => log.debug('A sandbox process ended', { detail }),
})

/** A skill that was found and may not be loaded. */
export function reportRefused(log: Log, watch: SkillWatch, folder: string, error: ErrorShape): void {
  log.warn('A skill cannot be used', { folder, code: error.code, problem: error.message })
  watch.audit('skill.refused', folder.split('/').at(-1) ?? folder, error.code)
}
