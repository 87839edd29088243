/**
 * What is said on one Wyoming connection. Pure: (state, input) → { state, effects }.
 *
 * W1 A recording that was ended is answered once: with its transcript or with an error. W2 One recording, one voice and one turn at a
 *    time; what comes while another of its kind is under way is refused. W3 What is not understood is left aside, as the protocol asks
 *    of everybody; what is malformed is answered with an error. W4 A recording is never longer than `MAX_RECORDING_MS`. W5 After `detect`,
 *    sound is listened to for the wake word, however long: each time it is said is told, and at its end that it was not.
 */
import { z } from 'zod'
import { limits } from '../../host/index.ts'
import type { WyomingEvent } from './wire.ts'

/** What a recogniser hears in one go; longer recordings end with an error. */
export const MAX_RECORDING_MS = 60_000

const format = z.object({
  rate: z.int().min(8_000).max(48_000),
  width: z.literal(2),
  channels: z.int().min(1).max(2),
})
export type AudioFormat = Readonly<z.infer<typeof format>>
const text = z.object({ text: z.string().max(limits.MAX_TURN_TEXT) })
const synthesis = text.extend({ voice: z.object({ name: z.string().max(64).nullish() }).nullish() })
const handling = text.extend({ context: z.record(z.string(), z.unknown()).nullish() })
const detection = z.object({ names: z.array(z.string().max(64)).max(64).nullish() })
const pinged = z.object({ text: z.string().max(1_024).nullish() })

export interface DialogueState {
  /** The next sound is listened to for wake words of these names; any when the list is empty. */
  readonly detect: readonly string[] | undefined
  /** Such a sound comes in. */
  readonly watching:
    | { readonly format: AudioFormat; readonly detected: boolean; readonly ended: boolean }
    | undefined
  readonly recording: { readonly format: AudioFormat; readonly bytes: number } | undefined
  /** A recording was ended, and its words are awaited. */
  readonly is_reading: boolean
  readonly is_speaking: boolean
  readonly is_handling: boolean
  /** The format of the speech being sent; undefined before its first chunk. */
  readonly speech: AudioFormat | undefined
}

export const newDialogue: DialogueState = {
  detect: undefined,
  watching: undefined,
  recording: undefined,
  is_reading: false,
  is_speaking: false,
  is_handling: false,
  speech: undefined,
}

export interface Trouble {
  readonly code: string
  readonly message: string
}

export type DialogueInput =
  | { readonly type: 'event'; readonly event: WyomingEvent }
  /** The words of the recording that was ended. */
  | { readonly type: 'read'; readonly text: string }
  | { readonly type: 'unread'; readonly trouble: Trouble }
  /** A wake word was said, `at_ms` of the sound. */
  | { readonly type: 'detected'; readonly name: string; readonly at_ms: number }
  /** All of the sound that ended was listened to. */
  | { readonly type: 'watched' }
  | { readonly type: 'unwatched'; readonly trouble: Trouble }
  | { readonly type: 'speech'; readonly pcm: Uint8Array; readonly sample_rate: number }
  | { readonly type: 'speech-ended'; readonly trouble?: Trouble }
  | {
      readonly type: 'handled'
      readonly text: string
      readonly session: string
      readonly understood: boolean
    }
  | { readonly type: 'unhandled'; readonly trouble: Trouble }

export type DialogueEffect =
  | { readonly type: 'send'; readonly event: WyomingEvent }
  /** Tell what there is. */
  | { readonly type: 'describe' }
  | { readonly type: 'record'; readonly sample_rate: number }
  /** Listen for wake words in the sound that comes now. */
  | { readonly type: 'watch'; readonly sample_rate: number; readonly names: readonly string[] }
  /** Listen to what is left of it; `watched` is the answer. */
  | { readonly type: 'end-watch' }
  | { readonly type: 'drop-watch' }
  /** s16le mono. */
  | { readonly type: 'audio'; readonly pcm: Uint8Array }
  | { readonly type: 'read' }
  | { readonly type: 'drop-recording' }
  | { readonly type: 'speak'; readonly text: string; readonly voice: string | undefined }
  | { readonly type: 'handle'; readonly text: string; readonly session: string | undefined }

export interface DialogueStep {
  readonly state: DialogueState
  readonly effects: readonly DialogueEffect[]
}

const NO_SOUND: Uint8Array = new Uint8Array(0)
const event = (type: string, data: Record<string, unknown> = {}, payload = NO_SOUND): DialogueEffect => ({
  type: 'send',
  event: { type, data, payload },
})
const error = ({ code, message }: Trouble): DialogueEffect => event('error', { text: message, code })
const step = (state: DialogueState, ...effects: readonly DialogueEffect[]): DialogueStep => ({
  state,
  effects,
})

export function dialogue(state: DialogueState, input: DialogueInput): DialogueStep {
  switch (input.type) {
    case 'event':
      return heard(state, input.event)
    case 'read':
      return step({ ...state, is_reading: false }, event('transcript', { text: input.text, language: 'en' }))
    case 'unread':
      return step({ ...state, is_reading: false, recording: undefined }, error(input.trouble))
    case 'detected': {
      if (state.watching === undefined) return step(state)
      const watching = { ...state.watching, detected: true }
      const data = { name: input.name, timestamp: Math.round(input.at_ms) }
      return step({ ...state, watching }, event('detection', data))
    }
    case 'watched': {
      const said = state.watching?.detected === false ? [event('not-detected')] : []
      return step({ ...state, watching: undefined }, ...said)
    }
    case 'unwatched':
      return step({ ...state, watching: undefined }, error(input.trouble))
    case 'speech':
      return spoken(state, input.pcm, input.sample_rate)
    case 'speech-ended': {
      const quiet: DialogueState = { ...state, is_speaking: false, speech: undefined }
      // Whoever waits for the sound must hear that it is over, also when there was none.
      const end = event('audio-stop')
      return input.trouble === undefined ? step(quiet, end) : step(quiet, error(input.trouble), end)
    }
    case 'handled': {
      const { text: reply, session, understood } = input
      const data = { text: reply, context: { conversation_id: session } }
      return step({ ...state, is_handling: false }, event(understood ? 'handled' : 'not-handled', data))
    }
    case 'unhandled':
      return step({ ...state, is_handling: false }, event('not-handled', { text: input.trouble.message }))
  }
}

function heard(state: DialogueState, { type, data, payload }: WyomingEvent): DialogueStep {
  switch (type) {
    case 'describe':
      return step(state, { type: 'describe' })
    case 'ping': {
      const read = pinged.safeParse(data)
      return step(state, event('pong', { text: read.data?.text ?? '' }))
    }
    case 'audio-start':
      return begun(state, data)
    case 'audio-chunk':
      return chunk(state, payload)
    case 'detect': {
      const read = detection.safeParse(data)
      if (!read.success) return malformed(state, type, read.error)
      return step({ ...state, detect: read.data.names ?? [] })
    }
    case 'transcribe':
      // The sound that follows is a recording again.
      return step({ ...state, detect: undefined })
    case 'audio-stop':
      if (state.watching?.ended === true) return step(state)
      if (state.watching !== undefined) {
        return step({ ...state, watching: { ...state.watching, ended: true } }, { type: 'end-watch' })
      }
      if (state.recording === undefined) return step(state)
      return step({ ...state, recording: undefined, is_reading: true }, { type: 'read' })
    case 'synthesize': {
      const read = synthesis.safeParse(data)
      if (!read.success) return malformed(state, type, read.error)
      if (state.is_speaking) return busy(state, 'A text is being spoken')
      const wish = { text: read.data.text, voice: read.data.voice?.name ?? undefined }
      return step({ ...state, is_speaking: true }, { type: 'speak', ...wish })
    }
    case 'transcript': {
      const read = handling.safeParse(data)
      if (!read.success) return malformed(state, type, read.error)
      if (state.is_handling) return busy(state, 'A turn is under way')
      const id = read.data.context?.conversation_id
      const session = typeof id === 'string' && id.length <= 128 ? id : undefined
      return step({ ...state, is_handling: true }, { type: 'handle', text: read.data.text, session })
    }
    default:
      return step(state)
  }
}

function begun(state: DialogueState, data: unknown): DialogueStep {
  const read = format.safeParse(data)
  if (!read.success) return malformed(state, 'audio-start', read.error)
  if (state.detect !== undefined) {
    const before: DialogueEffect[] = state.watching === undefined ? [] : [{ type: 'drop-watch' }]
    const watch: DialogueEffect = { type: 'watch', sample_rate: read.data.rate, names: state.detect }
    return step(
      { ...state, watching: { format: read.data, detected: false, ended: false } },
      ...before,
      watch,
    )
  }
  if (state.is_reading) return busy(state, 'The recording before is being read')
  const dropped: DialogueEffect[] = state.recording === undefined ? [] : [{ type: 'drop-recording' }]
  const recording = { format: read.data, bytes: 0 }
  return step({ ...state, recording }, ...dropped, { type: 'record', sample_rate: read.data.rate })
}

function chunk(state: DialogueState, payload: Uint8Array): DialogueStep {
  const { recording, watching } = state
  if (watching?.ended === true) return step(state)
  if (watching !== undefined) {
    const mono = watching.format.channels === 2 ? left(payload) : whole(payload)
    return step(state, { type: 'audio', pcm: mono })
  }
  // Sound between recordings: satellites send on for a moment after they heard the answer.
  if (recording === undefined) return step(state)
  const bytes = recording.bytes + payload.length
  const { rate, width, channels } = recording.format
  const lasts_ms = (bytes / (rate * width * channels)) * 1000
  if (lasts_ms > MAX_RECORDING_MS) {
    const message = `The recording is longer than ${MAX_RECORDING_MS / 1000} seconds`
    return step(
      { ...state, recording: undefined },
      { type: 'drop-recording' },
      error({ code: 'too-long', message }),
    )
  }
  return step(
    { ...state, recording: { ...recording, bytes } },
    { type: 'audio', pcm: channels === 2 ? left(payload) : whole(payload) },
  )
}

/** Two microphones of one satellite hear the same; one is enough. */
function left(stereo: Uint8Array): Uint8Array {
  const frames = Math.floor(stereo.length / 4)
  const mono = new Uint8Array(frames * 2)
  for (let i = 0; i < frames; i += 1) {
    mono[2 * i] = stereo[4 * i]!
    mono[2 * i + 1] = stereo[4 * i + 1]!
  }
  return mono
}

const whole = (pcm: Uint8Array): Uint8Array => (pcm.length % 2 === 0 ? pcm : pcm.subarray(0, -1))

function spoken(state: DialogueState, pcm: Uint8Array, sample_rate: number): DialogueStep {
  if (!state.is_speaking) return step(state)
  const speech: AudioFormat = state.speech ?? { rate: sample_rate, width: 2, channels: 1 }
  const begin = state.speech === undefined ? [event('audio-start', { ...speech })] : []
  return step({ ...state, speech }, ...begin, event('audio-chunk', { ...speech }, pcm))
}

function malformed(state: DialogueState, type: string, { issues }: z.ZodError): DialogueStep {
  const [issue] = issues
  const at = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`
  const message = `The event ${type} is wrong${at}: ${issue?.message ?? 'unreadable'}`
  return step(state, error({ code: 'invalid-input', message }))
}

const busy = (state: DialogueState, message: string): DialogueStep =>
  step(state, error({ code: 'busy', message: `${message}; open another connection` }))
