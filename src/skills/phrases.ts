/** What the node itself says when a skill cannot: honest, short, nobody's fault but ours. */
import type { ErrorShape } from '../host/index.ts'
import type { StopReason } from './sandbox/machine-state.ts'

/** Spoken instead of the skill's own answer. */
export function apology(skill: string, error: ErrorShape): string {
  switch (error.code) {
    case 'skill-timeout':
    case 'timeout':
      return `Sorry, the ${skill} skill took too long.`
    case 'skill-busy':
    case 'overloaded':
      return `Sorry, the ${skill} skill has too much to do. Please try again in a moment.`
    case 'skill-disabled':
      return `The ${skill} skill misbehaved, so I switched it off.`
    case 'skill-runtime':
      return `Sorry, the ${skill} skill cannot run on this machine: what it needs is missing here.`
    case 'store-full':
      return 'Sorry, I cannot save that. The disk is full.'
    case 'not-found':
      return `Sorry, the ${skill} skill cannot do that.`
    case 'device-unknown':
    case 'device-refused':
    case 'device-unreachable':
      return `Sorry. ${error.message}.`
    default:
      return error.code.startsWith('store-')
        ? 'Sorry, I could not save that.'
        : `Sorry, the ${skill} skill is not working right now.`
  }
}

/** A timer rang and the skill that set it cannot say for what. */
export const lostTimer = (skill: string, missed: boolean): string =>
  missed
    ? `While I was away, something was due that the ${skill} skill should have told you. Sorry, I lost what it was.`
    : `Something is due that the ${skill} skill should tell you. Sorry, I lost what it was.`

/** An intent that can do harm and brings no question of its own. */
export const askAnyway = 'That can do harm. Shall I do it?'

/** A yes is not enough. */
export const needsApproval =
  'That must be allowed by hand first: on the page of the house, or with loqa approvals.'

const WHAT_IT_DID: Readonly<Record<StopReason, string>> = {
  failures: 'it failed too often',
  storm: 'it ran into its limits again and again',
  escape: 'it tried to leave its sandbox',
}

/** Said unasked when a skill was stopped. */
export const switchedOff = (skill: string, why: StopReason): string =>
  `I switched the ${skill} skill off: ${WHAT_IT_DID[why]}.`
