/** Errors and ends on their way to another node: within the bounds of the wire. */
import type { ExitReason } from '../../actors/index.ts'
import type { ErrorShape } from '../../host/index.ts'

const MOST_WORDS = 1_000

export const told = ({ code, message, retryable, hint }: ErrorShape): ErrorShape => ({
  code: /^[a-z][a-z-]{0,63}$/.test(code) ? code : 'unexpected',
  message: message.slice(0, MOST_WORDS),
  retryable,
  ...(hint === undefined ? {} : { hint: hint.slice(0, MOST_WORDS) }),
})

export function toldReason(reason: ExitReason): ExitReason {
  switch (reason.kind) {
    case 'failed':
      return { kind: 'failed', error: told(reason.error) }
    case 'stopped':
      return reason.reason === undefined ? reason : { ...reason, reason: reason.reason.slice(0, MOST_WORDS) }
    default:
      return reason
  }
}
