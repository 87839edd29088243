/**
 * The doors to the world and the words every folder shares.
 *
 * Clock, Random, Network and Disk (`host.ts`) are the only ways out; `real.ts` opens them onto the machine,
 * `simulated.ts` onto a world in memory that runs from a seed. Beside them live what crosses every boundary:
 * errors with stable codes, branded ids, stated limits, and the frame codec of the wire.
 *
 * Imports nothing of ours. Read `host.ts` first, then `limits.ts`.
 */

export { authority } from './authority.ts'
export {
  decodeFrame,
  type Envelope,
  encodeFrame,
  envelopeSchema,
  FrameError,
  type FrameFault,
  FrameReader,
  OLDEST_UNDERSTOOD_VERSION,
  PROTOCOL_VERSION,
} from './codec.ts'
export { DiskError, type DiskReason } from './disk-error.ts'
export type { ErrorShape } from './errors.ts'
export {
  assert,
  assertNever,
  CancelledError,
  errorShape,
  InvalidInputError,
  InvariantError,
  LoqaError,
  NotFoundError,
  OverloadedError,
  TimeoutError,
  unexpected,
} from './errors.ts'
export type {
  Cancel,
  Clock,
  Connection,
  Disk,
  FileInfo,
  Host,
  Listener,
  Monotonic,
  Network,
  Random,
  Wall,
} from './host.ts'
export { monotonic, wall } from './host.ts'
export type { HttpDoor, HttpOrder, HttpResponse } from './http.ts'
export type { NodeId, RequestId, SessionId, TraceId } from './ids.ts'
export { newSessionId, newTraceId, nodeId, requestId, sessionId } from './ids.ts'
export { excluding, including, withEntry, withoutEntry } from './immutable.ts'
export { PACKAGE, PAGE_FOLDER, PROGRAMS, SCRIPT_FOLDERS, SKILLS_FOLDER } from './layout.ts'
export * as limits from './limits.ts'
export type { MachineFacts } from './machine.ts'
export { nearest } from './nearest.ts'
export { keyOf, NODE_ID_PATTERN, nodeIdOf } from './node-key.ts'
export type { PortHolder } from './port-holder.ts'
export { PRIVACY_SCOPES, type PrivacyScope } from './privacy.ts'
export type { Processors, ProcessorTimes } from './processors.ts'
export { encodeValue, UnwritableError } from './value-writer.ts'
export { type ValueFault, ValueSequence } from './values.ts'
export { VERSION } from './version.ts'
export { EventCutter, encodeEvent, type WireFault, type WyomingEvent } from './wyoming.ts'
