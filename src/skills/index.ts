/**
 * Skills: what the assistant can do, each in a sandbox.
 *
 * A skill is a manifest and a WebAssembly module with Extism's interface. Its actor (`skill.ts`) keeps its state and
 * takes asks; its code runs in a process that has no environment, no files and no budget to spare (`sandbox/`). A call
 * is a pure function: the state goes in, an answer and changes come out, and the changes count only when the node has
 * checked them and made them durable. A skill that loops, bombs memory or traps loses its process and its call; after
 * five failures in ten minutes it is switched off. The voice path waits for a skill no longer than its budget.
 *
 * Every node runs its own actor of each skill on entries that all nodes share, so what was said in one room is known in every
 * other; which of them rings a timer stands in `ringing.ts`.
 *
 * Modules and manifests are judged before anything runs (`wasm.ts`, `manifest/`). What sentences mean is the business
 * of `intents/`. Imports host, observe and actors. Read `call.ts` first, then `skill.ts`, then `sandbox/machine.ts`.
 */
export { isInvokeFromAfar } from './afar.ts'
export {
  APPROVALS_DESK,
  type Approval,
  type ApprovalsAnswer,
  type ApprovalsMessage,
  approvals,
} from './approvals/index.ts'
export type { Invocation, SkillCall } from './call.ts'
export { type Catalogue, loadCatalogue, loadSkill, type Skill, skillOf } from './catalogue.ts'
export { type EngineState, usualSockets } from './containers/index.ts'
export { SkillError, type SkillFault } from './errors.ts'
export type {
  Device,
  DeviceKind,
  DevicePort,
  DeviceValue,
  HostPorts,
  HttpPort,
  LanguageAnswer,
  LanguagePort,
  SettingsPort,
  SkillSettings,
} from './host-ports.ts'
export { DEVICE_KINDS, MAX_DEVICES } from './host-ports.ts'
export { createHttpPort } from './http/index.ts'
export {
  answerSchema,
  compileGrammar,
  compileWithSkills,
  type Extension,
  type Grammar,
  GrammarError,
  type GrammarSource,
  type GrammarStatistics,
  type Intent,
  type IntentDefinition,
  interpretAnswer,
  isFragment,
  type LanguagePrompt,
  type LanguageSide,
  languagePrompt,
  languageSide,
  missingSlots,
  NO_INTENT,
  normalise,
  OFFERED_SCORE,
  parseTemplate,
  type Reading,
  type ReadingContext,
  read,
  readAll,
  readDurations,
  readNumbers,
  type SlotValue,
  sayDuration,
  sayIntent,
  sayNumber,
  sayUnhandled,
  sourceIn,
  TemplateError,
} from './intents/index.ts'
export {
  ManifestError,
  type ManifestProblem,
  manifestJsonSchema,
  type ReadManifest,
  readManifest,
  type SkillManifest,
  type SkillRuntime,
  sayProblem,
} from './manifest/index.ts'
export type { Announce, CardUpdate, SkillInvoke, SkillResult } from './messages.ts'
export {
  fileOf,
  MAX_PACKAGE_BYTES,
  PackageError,
  type PackageFile,
  packSkill,
  readFolder,
  readPackage,
  type SkillPackage,
} from './package/index.ts'
export type { CallRecord, InvokePort } from './port.ts'
export * as registry from './registry/index.ts'
export type { HouseNode } from './ringing.ts'
export { describeFence } from './sandbox/fence.ts'
export { HOUSE_WANTED, skill } from './skill.ts'
export { personPrefix, skillCollection } from './skill-kept.ts'
export { CARDS, isPutUnasked } from './skill-reach.ts'
export type { House, SkillArgs, SkillMessage, SkillState } from './skill-state.ts'
export { loadSkills, type SkillChange, type SkillRow, type Skills, type SkillsOptions } from './skills.ts'
export * as trust from './trust/index.ts'
export { inspectPackage, signPackage } from './trust/index.ts'
export type { SkillWatch } from './watching.ts'
