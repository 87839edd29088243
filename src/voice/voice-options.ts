/** What the node gives `Voice`, and what it shows: options, privacy, conversations beyond this node. */
import type { Address, Runtime } from '../actors/index.ts'
import type { Clock, PrivacyScope, Random, SessionId, Wall } from '../host/index.ts'
import type { Service } from '../inference/index.ts'
import type { Carried } from './carried-shape.ts'
import type { EndpointTimes } from './endpointing.ts'
import type { InferPort } from './speech.ts'
import type { Waits } from './turn-state.ts'
import type { Understanding } from './understanding.ts'
import type { VoiceDetector } from './vad.ts'
import type { WakeOptions } from './wake/wakefulness.ts'

/** The part of the actor runtime used here. */
export type VoiceRuntime = Pick<Runtime, 'spawn' | 'find' | 'tell' | 'ask' | 'subscribe' | 'publish'>

export interface VoiceOptions {
  readonly clock: Clock
  readonly random: Random
  readonly understanding: Understanding
  /** The engines' own port; `ports.infer` is put around it. */
  readonly engines: InferPort
  readonly capabilities: { readonly stt: string; readonly llm: string; readonly tts: string }
  readonly detectors: () => VoiceDetector
  readonly voice: string | undefined
  /** Where a satellite that does not say so is. */
  readonly room: string
  readonly endpointing: EndpointTimes
  readonly waits?: Partial<Waits>
  /** Which engines to use now, and how much to say. Absent: always all. */
  readonly service?: () => Service
  readonly play_ahead_ms: number
  readonly reply_cache_bytes: number
  readonly session_idle_ms: number
  /** Frames of a satellite were lost because it sends faster than it can be heard. */
  readonly dropped: (frames: number) => void
  /** Absent: this node is the only one. */
  readonly household?: Household
  /** Absent: there is no wake word. */
  readonly wake?: WakeOptions
  /** What a conversation gets of what was asked for. Absent: the scope `session` at most, and nobody's. */
  readonly privacy?: (wanted: PrivacyWanted) => Privacy
}

/** What whoever begins a conversation says about its privacy. */
export interface PrivacyWanted {
  readonly scope?: PrivacyScope
  /** Name or id of the person who speaks. */
  readonly person?: string
}

export interface Privacy {
  readonly scope: PrivacyScope
  /** Id of the person. */
  readonly person?: string
  /** Why it is not what was asked for, one sentence. */
  readonly notice?: string
}

/** Who asks, and where. */
export interface Asking extends PrivacyWanted {
  readonly room?: string
  readonly session?: string
  /** Only what follows the wake word is heard; absent: as `voice.wake` says. */
  readonly wake?: boolean
}

/** Conversations beyond this node. */
export interface Household {
  /** Tells this node's own conversation by text in a room from another node's. */
  readonly mark: string
  /** One was begun here: the others are to find it. */
  begun(address: Address): void
  /** Whether one lives on another node that can be asked. */
  isElsewhere(address: Address): boolean
  /** The copy here is about to end, for another node's counts. */
  isYielding?(address: Address): boolean
  /** What is known of a conversation whose node is gone. */
  head?(session: SessionId): Carried | undefined
  /** Has one that lives on another node come here, if that can be. */
  fetch?(session: SessionId): Promise<void>
  /** Addresses at which other nodes serve satellites, the best first. */
  others?(): readonly string[]
}

export interface SessionRow {
  readonly id: string
  readonly room: string
  readonly phase: string
  readonly started_at: Wall
  readonly privacy: Privacy
}
