/** Says in a room of its node what another node was asked to announce there: from then on it is an announcement of this node. */
import { type Behavior, next, type SystemMessage, same } from '../actors/index.ts'
import type { AnnouncementGiven } from './messages.ts'

export const herald: Behavior<null, AnnouncementGiven | SystemMessage> = {
  kind: 'herald',
  start: () => next(null),
  receive(state, message, { replyTo }) {
    if (message.type !== 'announcement.given' || replyTo === undefined) return same(state)
    const { announcement } = message
    if (announcement === undefined) return same(state)
    return next(state, [
      { type: 'publish', topic: 'announce', message: announcement },
      { type: 'reply', to: replyTo, message: { type: 'announcement.given' } },
    ])
  },
}
