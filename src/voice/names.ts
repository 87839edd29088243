/** Names of conversations and rooms, and the addresses made of them. */
import { placedAddress } from '../actors/index.ts'
import { InvalidInputError, type SessionId, sessionId } from '../host/index.ts'

/** Part of an address. */
export const SESSION_NAME = /^[A-Za-z0-9_.:~-]{1,64}$/

export const sessionAddress = (id: SessionId) => placedAddress('session', id)
export const ANNOUNCER = placedAddress('announcer', 'house')

/** Errors: `invalid-input`. */
export function sessionName(wanted: string): SessionId {
  if (!SESSION_NAME.test(wanted)) {
    throw new InvalidInputError(
      'This is no session name',
      'Use up to 64 letters, digits and the characters _ . : ~ -',
    )
  }
  return sessionId(wanted)
}

/** As it is compared and shown. Errors: `invalid-input`. */
export function roomOf(room: string): string {
  const calm = room.trim().toLowerCase()
  if (calm === '' || calm.length > 64 || /\p{Cc}/u.test(calm)) {
    throw new InvalidInputError('This is no room name', 'Use up to 64 characters, e.g. kitchen.')
  }
  return calm
}

/** As part of a session's name. */
export const slug = (room: string): string => room.replace(/[^a-z0-9]+/g, '-').slice(0, 48)
