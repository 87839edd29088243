/**
 * Approvals: a person between a skill and what can do harm.
 *
 * A skill's actor says what it wants to do and waits (`skill-risk.ts`); the desk keeps who wants what, asks aloud, takes the decision from a
 * voice, the command line or HTTP on any node of the household, and denies what nobody decides in time. Read `approvals.ts`.
 */
export { type ApprovalsAnswer, type ApprovalsMessage, approvals } from './approvals.ts'
export { APPROVALS_DESK, type Approval } from './desk.ts'
