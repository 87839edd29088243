/**
 * All that HTTP, WebSocket and the command line may know of a node, and all they may ask it. The composition root
 * implements it; tests drive the API against a real node or a scripted view. JSON shapes are public: scripts rely on them.
 */
import type { ApprovalRow } from './approval-shapes.ts'
import type { AuditQuery, AuditRow, AuditVerification } from './audit-shapes.ts'
import type { DevicesView } from './device-shapes.ts'
import type { HouseholdChange, HouseholdView } from './household-shapes.ts'
import type {
  ErasedView,
  PersonErased,
  PersonExport,
  PersonRow,
  ReplayView,
  TimelineRow,
  TimelineView,
} from './memory-shapes.ts'
import type { NodeRow } from './shapes.ts'
import type { OnBench, SkillCallLine } from './skill-bench-shapes.ts'
import type { SkillSettingsView } from './skill-settings-shapes.ts'
import type { SkillsView } from './skills-shapes.ts'
import type { ActorView, SessionMoved, SessionView, StatusView } from './status-shapes.ts'
import type { BackupView, StoreView } from './store-shapes.ts'
import type {
  Dictation,
  DictationListener,
  TurnView,
  VoiceChannel,
  VoiceListener,
  VoiceRequest,
  WakeWordListener,
  WakeWordWatch,
} from './voice-shapes.ts'
import type { WipePlan } from './wipe-shapes.ts'

/** An engine that work may be sent to by its tag. */
export interface EngineRow {
  /** e.g. `llm.llama:intent-starter`. */
  readonly tag: string
  readonly kind: 'stt' | 'llm' | 'tts'
  readonly model: string
}

export interface WriteRequest {
  readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }[]
  /** JSON schema the answer obeys, unless it is cut off. */
  readonly schema?: Readonly<Record<string, unknown>>
  readonly max_tokens?: number
  readonly temperature?: number
  readonly top_p?: number
  readonly seed?: number
  /** The answer ends before the first of these. */
  readonly stop?: readonly string[]
  /** The tag of an engine; any language model by default. */
  readonly engine?: string
}

export type Written =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'end'
      readonly reason: 'stop' | 'length'
      readonly input_tokens: number
      readonly output_tokens: number
    }

export interface EmbeddedText {
  /** Of unit length. */
  readonly vector: Float32Array
  readonly tokens: number
}

/** What was done on this node. */
export interface AuditView {
  /** The newest that fit, oldest of them first. */
  list(query: AuditQuery): Promise<readonly AuditRow[]>
  /** Reads the whole log, in pieces. */
  verify(): Promise<AuditVerification>
  /** Errors: `audit-unbroken` when there is nothing to acknowledge. */
  acknowledge(): Promise<AuditVerification>
  /** Lines of JSON, in pieces of whole lines. */
  export(): AsyncIterable<string>
}

/** What is remembered of conversations and persons. Errors: `not-found`, `ambiguous`, `not-ready`, `store-*`. */
export interface MemoryView {
  timelines(): Promise<readonly TimelineRow[]>
  timeline(session: string): Promise<TimelineView>
  replay(session: string): Promise<ReplayView>
  erase(which: { session: string } | { all: true }, dry_run: boolean): Promise<ErasedView>
  persons(): Promise<readonly PersonRow[]>
  addPerson(name: string): Promise<PersonRow>
  consent(person: string, given: boolean): Promise<PersonRow>
  exportPerson(person: string): Promise<PersonExport>
  erasePerson(person: string, dry_run: boolean): Promise<PersonErased>
}

/** Skills under development. */
export interface SkillBenchView {
  /** Errors: whatever is wrong with it; the one before answers on. */
  put(files: { manifest: string; module: Uint8Array; folder: string }): Promise<OnBench>
  /** Errors: `not-found`. */
  end(name: string): Promise<void>
  /** Errors: `not-found`. */
  watch(name: string): AsyncIterable<SkillCallLine>
}

/** What the household chose for its skills. */
export interface SettingsView {
  /** Errors: `not-found`. */
  show(skill: string): SkillSettingsView
  /** Undefined goes back to the default. Errors: `not-found`, `invalid-input`, `store-*`. */
  choose(skill: string, key: string, value: string | number | boolean | undefined): Promise<SkillSettingsView>
  /** Undefined takes it back. Errors: `not-found`, `invalid-input`, `store-*`. */
  give(skill: string, key: string, secret: string | undefined): Promise<SkillSettingsView>
}

export interface NodeView {
  readonly skillSettings: SettingsView
  readonly memory: MemoryView
  readonly skills: SkillsView
  status(): StatusView
  /** This node, the members of its household, and everybody else who was seen. */
  nodes(): readonly NodeRow[]
  household(): HouseholdView
  /** Returns what the household is then. Errors: `LoqaError`, e.g. `code-wrong`, `not-found`, `not-entitled`. */
  changeHousehold(change: HouseholdChange): Promise<HouseholdView>
  actors(): readonly ActorView[]
  devices(): DevicesView
  /** What skills of the household may not do without a person, decided ones too; the newest first. */
  approvals(): Promise<readonly ApprovalRow[]>
  /** Errors: `not-found`, `approval-over` when it was decided before or its time is over. */
  decideApproval(id: string, allow: boolean, by: string): Promise<ApprovalRow>
  /** Of the whole household, as far as its nodes answer. */
  sessions(): Promise<readonly SessionView[]>
  /**
   * To a room it speaks there from now on, and goes on with what it is saying; to a node only where nobody speaks in it. `node`: its id, the
   * end of one, or a name. Errors: `not-found`, `ambiguous`, `already-there`, `unreachable`, `not-moved`.
   */
  moveSession(id: string, to: { readonly node: string } | { readonly room: string }): Promise<SessionMoved>
  /** Errors: `LoqaError` with a stable code. */
  ask(request: VoiceRequest & { readonly text: string }, signal: AbortSignal): Promise<TurnView>
  /** Speech for a text: s16le mono chunks at `sample_rate`. `speed` 0.5 to 2. */
  say(
    request: { text: string; voice?: string; speed?: number; engine?: string },
    signal: AbortSignal,
  ): AsyncIterable<{ pcm: Uint8Array; sample_rate: number }>
  /** Has a conversation come to this node, where it can; to be awaited before `openVoice` with `heard`. Never rejects. */
  bring(session: string): Promise<void>
  openVoice(request: VoiceRequest, listener: VoiceListener): VoiceChannel
  /** Words of a recording, at 4 to 384 kHz, outside any conversation. Exactly one of `final` and `failed` follows, unless cancelled. */
  dictate(sample_rate: number, listener: DictationListener, engine?: string): Dictation
  /** Those of the household that would be used now, each tag once. */
  engines(): readonly EngineRow[]
  /** An answer of the language model, outside any conversation of the house. The last item is `end`. Errors: `LoqaError`. */
  write(request: WriteRequest, signal: AbortSignal): AsyncIterable<Written>
  /** What a text means as a vector. Errors: `LoqaError`, `invalid-input` from an engine that gives none. */
  embed(request: { text: string; engine?: string }, signal: AbortSignal): Promise<EmbeddedText>
  /** The wake words that can be listened for: their model and what is said. */
  wakeWords(): readonly { readonly model: string; readonly phrase: string }[]
  /** Listens for them in a sound at 4 to 384 kHz. Errors: `engine-unavailable`. */
  watchWakeWord(sample_rate: number, listener: WakeWordListener): WakeWordWatch
  /** Prometheus text format. */
  metrics(): Promise<string>
  /** True when a spoken command would be answered now; otherwise the reasons. */
  ready(): { readonly ready: boolean; readonly reasons: readonly string[] }
  /** What `loqa doctor` prints: each check with its result and a fix. */
  doctor(): Promise<
    readonly {
      readonly check: string
      readonly ok: boolean
      readonly detail: string
      readonly fix?: string
    }[]
  >
  /** Errors: `LoqaError`, e.g. `store-closed`. */
  store(): Promise<StoreView>
  /** Destroys what is kept, here and on every other node; a dry run only says where. */
  wipe(dry_run: boolean): Promise<WipePlan>
  /** Makes a copy of what is kept. Errors: `store-full`, `store-io`. */
  backup(): Promise<BackupView>
  readonly audit: AuditView
  readonly bench: SkillBenchView
  /** Every key, its value and where it came from. Secrets are masked. */
  config(): readonly {
    readonly key: string
    readonly value: unknown
    readonly origin: string
    readonly about: string
  }[]
}
