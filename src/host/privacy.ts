/** How long, and how far, what is said in a conversation is kept. */

export const PRIVACY_SCOPES = ['ephemeral', 'session', 'persistent'] as const

/**
 * - `ephemeral`: its steps stay in the memory of this process; no file, no other node beyond what carrying out the turn itself needs.
 * - `session`: its steps are kept, sealed, until the conversation ends.
 * - `persistent`: they are kept for longer, with the recorded consent of the person.
 */
export type PrivacyScope = (typeof PRIVACY_SCOPES)[number]
