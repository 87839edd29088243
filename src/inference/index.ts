/**
 * Inference: speech to text, language, speech, each in a process of its own.
 *
 * Promises: an engine that crashes, hangs or leaks never touches the node, is back after a short delay, and its runs fail with
 * the reason, each exactly once; no engine sees a file that is not, byte for byte, the one its manifest names; a process at its
 * limit refuses instead of queueing; engines end when the node does.
 *
 * Read `engine.ts` first (the contract every engine keeps), then `replica-machine.ts` (the life of an engine process, pure),
 * `pool.ts` (who gets a run), `lending.ts` (runs that go to other nodes, and come back when one is lost), `tiers.ts` and `service.ts` (how much quality a turn takes its time for), `catalogue/` (what there is to fetch, and how) and `child/` (what runs inside the process: one file per library). Behaviours use the
 * constructors of `messages.ts`; the composition root calls `openModels`, `chooseModels`, `replicasOf`, `new Pool`,
 * `createInferPort`.
 */

export { rememberAnswers } from './answers.ts'
export { isEngineEvent, isEngineWork } from './asked.ts'
export { ENGINES, enginesDirectory, pulledDirectory } from './catalogue/index.ts'
export { enginesElsewhere, isElsewhere, sentTo, wyomingEngines } from './elsewhere.ts'
export type {
  Engine,
  EngineEvent,
  EngineInput,
  EngineKind,
  EngineRequest,
  EngineStream,
  Measurement,
  ModelFiles,
  Usage,
} from './engine.ts'
export { createLending, type Lender, type LendingOptions } from './lending.ts'
export { feedRun, finishRun, openRun } from './messages.ts'
export { FORMANT_VOICE, type Model, type Models, type ModelsOptions, openModels } from './models.ts'
export { chooseModels, type ModelChoice, plainVoice, replicasOf, wakeReplicas } from './plan.ts'
export {
  type Capability,
  type Kept,
  Pool,
  type PoolOptions,
  type PoolSettings,
  type RunOptions,
} from './pool.ts'
export { createInferPort, type InferPort } from './port.ts'
export type { ReplicaSpec } from './replica.ts'
export {
  REPLICA_TOPIC,
  type ReplicaChanged,
  type ReplicaDescribe,
  type ReplicaMessage,
  replicaActor,
  replicaChanged,
} from './replica-actor.ts'
export {
  type Choice,
  type Choices,
  SERVED,
  type Served,
  type Service,
  serviceOf,
  trialLimit,
  untried,
} from './service.ts'
export { Recent } from './statistics.ts'
export {
  type Budgets,
  beginTier,
  p95Of,
  TIERS,
  type Tier,
  type Tiered,
  type Tiering,
  type TierSettings,
  type TierStep,
  tried,
  triesAt,
  turnTook,
} from './tiers.ts'
