/** The public shapes of what a node is and does: its state, its machine, its engines, actors and conversations. */

export interface StatusView {
  readonly node: {
    readonly id: string
    readonly name: string
    readonly room: string
    readonly version: string
    readonly pid: number
    readonly uptime_s: number
  }
  readonly household: { readonly id: string; readonly members: number; readonly open_until: string | null }
  /** `ok`, or `degraded` with reasons (an engine is down, the disk is full, starter models in use is not one). */
  readonly health: {
    readonly state: 'starting' | 'ok' | 'degraded' | 'stopping'
    readonly reasons: readonly string[]
  }
  readonly capabilities: readonly CapabilityView[]
  readonly quality: QualityView
  /** Null until it was looked at, soon after the start. */
  readonly hardware: HardwareView | null
  readonly sessions: number
  readonly actors: number
  /** Things a person should know, e.g. that starter models know synthesized voices only. */
  readonly notices: readonly string[]
  /** What a microphone may wait for: `hey loqa`; absent where no engine listens for it. */
  readonly wake_words?: readonly string[]
}

/** What the machine is, as its system describes it. */
export interface HardwareView {
  readonly board: string | null
  readonly processor: string
  readonly features: readonly string[]
  readonly cores: number
  readonly memory_mb: number
  readonly battery: { readonly percent: number; readonly charging: boolean } | null
  readonly microphones: readonly string[]
  readonly loudspeakers: readonly string[]
  /** e.g. `stt.sherpa:rt` (keeps up with speech twice over), `mic:kitchen`. */
  readonly tags: readonly string[]
}

export type QualityTier = 'fast' | 'balanced' | 'rich'

/** The quality tier this node answers in, and how it keeps its budget. */
export interface QualityView {
  readonly tier: QualityTier
  /** The best it steps up to. */
  readonly best: QualityTier
  /** It never steps. */
  readonly fixed: boolean
  /** Of a whole turn, from the end of speech to the first sound. */
  readonly budget_ms: number
  /** Of the last turns in this tier, less what people are waited for; null before there was one. */
  readonly p95_ms: number | null
  /** How many those are. */
  readonly turns: number
  /** What is asked for: a kind, or a tag. Null: nothing. */
  readonly engines: {
    readonly stt: string
    readonly llm: string | null
    readonly tts: string
    /** Says what the voice is late with. */
    readonly plain_tts: string | null
  }
  readonly last_step: {
    readonly from: QualityTier
    readonly to: QualityTier
    readonly why: 'slow-turns' | 'spike' | 'recovered'
    /** ISO 8601. */
    readonly at: string
  } | null
}

export interface CapabilityView {
  /** e.g. `stt.sherpa:starter-en:rt`. */
  readonly tag: string
  readonly model: string
  /** `resting`: out of memory because others of the household have the same; the first who asks wakes it. */
  readonly state: 'starting' | 'ready' | 'resting' | 'restarting' | 'failed'
  readonly p95_ms: number | null
  readonly real_time_factor: number | null
  readonly tokens_per_s: number | null
  readonly restarts: number
  readonly rss_mb: number | null
  /** What it computes on beside the processor. Absent: nothing. */
  readonly gpu?: { readonly backend: string; readonly free_mb: number; readonly total_mb: number }
}

export interface ActorView {
  readonly address: string
  readonly node: string
  readonly kind: string
  readonly state: 'starting' | 'running' | 'passive' | 'restarting' | 'stopping'
  /** Messages waiting. */
  readonly mailbox: number
  readonly restarts: number
}

export interface SessionView {
  readonly id: string
  readonly room: string
  readonly node: string
  readonly phase: string
  /** ISO 8601. */
  readonly started_at: string
}

export interface SessionMoved {
  readonly session: string
  /** Ids of nodes. */
  readonly from: string
  readonly to: string
  /** Where it speaks now, when it went to a room. */
  readonly room?: string
  /** How long it handled nothing. */
  readonly away_ms: number
}
