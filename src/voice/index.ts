/**
 * Voice: frames in, speech out.
 *
 * A satellite's bytes become frames with a verdict (`microphone.ts`, `vad.ts`), frames become a turn (`turn.ts`, the
 * heart, with its promises T1 to T9), a turn becomes speech (`speech.ts`) that is played a little ahead of real time
 * (`player.ts`). Everything between microphone and player is pure and runs in virtual time. When a turn ends is decided
 * by what was understood (`endpointing.ts`); announcements find a loudspeaker by `announcer.ts`.
 *
 * Who says "hey loqa" is heard by `wake/`: read `wake/gate.ts`, then `wake/arbitration.ts`.
 *
 * The composition root makes one `Voice`, gives its behaviours and ports to the runtime, connects it, and opens a
 * channel for every satellite. Read `turn.ts` first, then `session.ts`, then `voice.ts`.
 */

export {
  leftFromAfar,
  SESSIONS_ASKED,
  type SessionRows,
  sessionsFromAfar,
  TALKS_ASKED,
  type TalkRows,
  talksFromAfar,
} from './afar.ts'
export { bytesOf, concat, samplesOf, toFloat32, toInt16 } from './audio.ts'
export { CARRIED_VERSION, type Carried, formerCarried } from './carried-shape.ts'
export type { VoiceChannel } from './channels.ts'
export { ENDPOINT_TIMES, type EndpointTimes } from './endpointing.ts'
export { HEADS, type Head, headFrom, headKey, headOf, isLater } from './heads.ts'
export type {
  AnnouncementFar,
  AnnouncementGiven,
  Latency,
  Loudspeakers,
  NeighbourKnown,
  RoomRefused,
  RoomsUsual,
  RoomWanted,
  SessionHead,
  SessionLeave,
  SessionPhase,
  TalkSought,
  TalkWanted,
  TurnView,
  VoiceEvent,
} from './messages.ts'
export { ANNOUNCER, SESSION_NAME, sessionAddress } from './names.ts'
export { commonTalk, nearestTalk } from './neighbours.ts'
export { type Passage, passagesOf } from './passages.ts'
export { noSpeakerIn, PHRASES } from './phrases.ts'
export type { VoiceListener } from './player.ts'
export { HABITS, type Habit, habitFrom, habitKey, learned, usualRooms } from './presence/habit.ts'
export type { PresenceHeard, PresenceTold } from './presence/telling.ts'
export { FOLLOWED_MS } from './registrar.ts'
export type { RecordedStep, ReplayVerdict } from './replay.ts'
export { Resampler, resample } from './resample.ts'
export type { PlayPort } from './satellites.ts'
export { type OpenActivityRun, withSecondOpinion } from './second-opinion.ts'
export type { InferPort } from './speech.ts'
export type { Transcribed } from './transcribed.ts'
export { WAITS, type Waits } from './turn-state.ts'
export {
  currentUnderstanding,
  type LanguagePrompt,
  type LanguageSide,
  type Understanding,
  understandingOf,
} from './understanding.ts'
export { loadVoiceDetectors, type VoiceDetector } from './vad.ts'
export { Voice } from './voice.ts'
export type {
  Household,
  Privacy,
  PrivacyWanted,
  SessionRow,
  VoiceOptions,
  VoiceRuntime,
} from './voice-options.ts'
export type { WakeDecided } from './wake/arbiter.ts'
export type { Spotter } from './wake/listening.ts'
export type { WakeOptions } from './wake/wakefulness.ts'
export { parseWav, readMono, recordingOf, type Wav, WavError, writeWav } from './wav.ts'
