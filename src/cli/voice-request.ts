/** How a conversation is to begin, from the options that say it. */
import type { VoiceRequest } from '../api/index.ts'

const WORDS = ['room', 'session', 'scope', 'person'] as const

/** `--room`, `--session`, `--scope` and `--person` as a request; the node checks them. */
export const voiceRequest = (options: Readonly<Record<string, unknown>>): VoiceRequest =>
  Object.fromEntries(
    WORDS.flatMap((word) => (typeof options[word] === 'string' ? [[word, options[word]]] : [])),
  )

/** The same for `loqa listen`: without `--wake` everything that is sent is heard, as behind a button. */
export const listenRequest = (options: Readonly<Record<string, unknown>>): VoiceRequest => ({
  ...voiceRequest(options),
  wake: options.wake === true,
})
