/**
 * What the node says about itself: logs, metrics, the audit log.
 *
 * Promises: no personal content in a log unless `observe.log_pii` is on (`redact.ts`); memory for metrics is
 * bounded whatever behaviours report (`metrics.ts`); an audit record that was changed, removed or moved is found and
 * named, a tail that was cut off too, by checkpoints that others hold (`audit-keeper.ts`); spans of turns go nowhere unless
 * `observe.otlp_url` names a collector, and hold no word (`spans.ts`).
 *
 * Behaviours do not call these: they return `log`, `metric` and `audit` effects, and the runtime calls. Imports the
 * host only. Read `log.ts` first.
 */
export { type Audit, type AuditQuery, openAudit } from './audit.ts'
export {
  type Checkpoint,
  type KnownCheckpoint,
  LOCAL_HOLDER,
} from './audit-checkpoint.ts'
export { AuditKeeper, type AuditReport, type Shelf } from './audit-keeper.ts'
export type { AuditEntry, AuditRecord } from './audit-record.ts'
export { type AuditFault, type AuditVerdict, verifyAudit } from './audit-verify.ts'
export { AuditWatch } from './audit-watch.ts'
export { type LoopLag, type LoopWatch, reportEventLoop, watchEventLoop } from './event-loop.ts'
export {
  createLog,
  LOG_FORMATS,
  LOG_LEVELS,
  type Log,
  type LogFormat,
  type LogLevel,
  type LogOptions,
  type LogOutput,
} from './log.ts'
export { CATALOGUE, createMetrics, type Labels, type Metrics } from './metrics.ts'
export { redact, type Values } from './redact.ts'
export { SpanSender } from './span-sender.ts'
export type { StepSeen } from './spans.ts'
