/**
 * The node's face to programs: HTTP, WebSocket, OpenAPI; the command line and every page are its callers.
 *
 * It knows the node through one `NodeView` (`view.ts`) and nothing else, so it runs against a real node or a scripted
 * one alike. Every operation is a row of `operations.ts`; routes, documentation and tests are made from that table.
 * Sound goes through `voice-socket.ts`. Who may call is decided in `guard.ts`, by a pure function. The page at `/` (`src/web`) is files
 * that `page.ts` hands out; it uses the same operations as everybody.
 *
 * Promises: nothing of another web site gets in; beyond loopback nothing without a token; every bound refuses with a
 * reason (`{ error: { code, message, hint } }`, or a close code); `/healthz` says only whether the node is alive.
 *
 * Read `view.ts` first, then `operations.ts`.
 */
export type { ApprovalRow } from './approval-shapes.ts'
export type { AuditQuery, AuditRow, AuditVerification } from './audit-shapes.ts'
export type { DevicesView } from './device-shapes.ts'
export type { NodeEvent } from './events.ts'
export type { HouseholdChange, HouseholdView } from './household-shapes.ts'
export type {
  ErasedView,
  PersonErased,
  PersonExport,
  PersonRow,
  ReplayView,
  TimelineEventView,
  TimelineRow,
  TimelineView,
} from './memory-shapes.ts'
export type { PageReader } from './page.ts'
export { PAGE_FILES } from './page-files.ts'
export type { ApiParts, ApiSettings } from './server.ts'
export type { NodeRow } from './shapes.ts'
export type { OnBench, SkillCallLine } from './skill-bench-shapes.ts'
export type { SkillSettingsView } from './skill-settings-shapes.ts'
export type {
  RevokedRow,
  SkillDetail,
  SkillReview,
  SkillsView,
  SkillView,
  TrustedRow,
} from './skills-shapes.ts'
export { type RunningApi, startApi, tokenFrom } from './start.ts'
export type {
  ActorView,
  CapabilityView,
  HardwareView,
  QualityView,
  SessionMoved,
  SessionView,
  StatusView,
} from './status-shapes.ts'
export type { BackupView, StoreView } from './store-shapes.ts'
export type {
  AuditView,
  EmbeddedText,
  EngineRow,
  MemoryView,
  NodeView,
  SettingsView,
  WriteRequest,
  Written,
} from './view.ts'
export type {
  Dictation,
  DictationListener,
  Latency,
  TurnView,
  VoiceChannel,
  VoiceEvent,
  VoiceListener,
  VoiceRequest,
  WakeWordListener,
  WakeWordWatch,
} from './voice-shapes.ts'
export type { WipePlan } from './wipe-shapes.ts'
export { type RunningWyoming, startWyoming, type WyomingOffer, type WyomingParts } from './wyoming/index.ts'
