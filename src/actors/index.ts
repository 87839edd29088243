/**
 * Actors: pure behaviours, effects as data, supervised.
 *
 * An actor is `receive(state, message, context) → { state, effects }` and nothing else; the runtime keeps its mailbox,
 * carries out its effects and restarts it when it fails. The very same behaviours run in virtual time in the simulated
 * runtime. Read `behavior.ts` first (the page of promises), then `effects.ts`, then `address.ts`.
 */
export type { Address, ParsedAddress, Ref } from './address.ts'
export { addressOf, fixedAddress, keyOf, parseAddress, placedAddress } from './address.ts'
export type { Behavior, Context, MailboxPolicy, Next } from './behavior.ts'
export { NO_EFFECTS, next, same } from './behavior.ts'
export type { AllowedFromAfar, Gone, Moved, Settle } from './cell.ts'
export {
  type Entry,
  type EntryChange,
  type Followed,
  followEntries,
  readEntries,
  readEntry,
  writeEntries,
} from './collections.ts'
export {
  DEAD_LETTER_REASONS,
  type DeadLetter,
  type DeadLetterReason,
  type DeadLetterReport,
} from './dead-letters.ts'
export type {
  Effect,
  ExitReason,
  Message,
  Outcome,
  OutsideEffect,
  OutsidePort,
  ReplyTo,
  RestartKind,
  SystemMessage,
  Target,
} from './effects.ts'
export {
  ActorFailedError,
  errorOf,
  IntensityExceededError,
  PrivateError,
  StoppedError,
  UnreachableError,
} from './errors.ts'
export type { AskedBy, Frozen, Installed, Moving, MovingMessage, MovingState, NotFrozen } from './moving.ts'
export type { LogLevel, Observe } from './observation.ts'
export type { Outside, Port } from './outside.ts'
export type { Behaviors, Registration } from './registry.ts'
export {
  type AskAfar,
  type FromAfar,
  INCARNATIONS_PER_BOOT,
  MAX_BOOT,
  type RemotePort,
  type Spawned,
  type SpawnRequest,
  spawnAddress,
} from './remote.ts'
export {
  type ActorRow,
  createRuntime,
  type Runtime,
  type RuntimeOptions,
  type SpawnOptions,
} from './runtime.ts'
export type { ActorSpec, Backoff, Limits, TreeSpec } from './supervisor.ts'
