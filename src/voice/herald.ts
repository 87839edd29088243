/**
 * Takes what other nodes tell about this node's rooms and people: what it was asked to announce here is from then on an announcement of
 * this node; where somebody was heard elsewhere is told to those who want to know.
 */
import { type Behavior, type Message, next, type SystemMessage, same } from '../actors/index.ts'
import { isGivenFromAfar } from './afar.ts'
import type { AnnouncementGiven } from './messages.ts'
import { isPresenceTold, type PresenceTold } from './presence/telling.ts'

export const herald: Behavior<null, AnnouncementGiven | PresenceTold | SystemMessage> = {
  kind: 'herald',
  start: () => next(null),
  receive(state, message, { replyTo }) {
    if (message.type === 'presence.told') {
      return next(state, [{ type: 'publish', topic: 'presence.told', message }])
    }
    if (message.type !== 'announcement.given' || replyTo === undefined) return same(state)
    const { announcement } = message
    if (announcement === undefined) return same(state)
    return next(state, [
      { type: 'publish', topic: 'announce', message: announcement },
      { type: 'reply', to: replyTo, message: { type: 'announcement.given' } },
    ])
  },
}

/** Whether another node may say this to it. */
export const isForHerald = (message: Message): boolean => isGivenFromAfar(message) || isPresenceTold(message)
