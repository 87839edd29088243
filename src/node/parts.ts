/** The parts of a running node, for those that show or examine them. */
import type { Runtime } from '../actors/index.ts'
import type { SkillsView } from '../api/index.ts'
import type { Moving } from '../cluster/index.ts'
import type { Config, ConfigRow } from '../config.ts'
import type { DeviceHouse } from '../devices/index.ts'
import type { Host, MachineFacts, Monotonic } from '../host/index.ts'
import type { InferPort, Model, Pool } from '../inference/index.ts'
import type { Metrics } from '../observe/index.ts'
import type { Skills } from '../skills/index.ts'
import type { HouseholdStore } from '../store/index.ts'
import type { Voice } from '../voice/index.ts'
import type { AddedCapacity } from './added-capacity.ts'
import type { Auditing } from './auditing.ts'
import type { Clustering } from './clustering.ts'
import type { Heads } from './heads.ts'
import type { HttpsIdentity } from './https.ts'
import type { Identity } from './identity.ts'
import type { Memory } from './memory.ts'
import type { OwnSound } from './own-sound.ts'
import type { PresenceDesk } from './presence.ts'
import type { Quality } from './quality.ts'
import type { Relocating } from './relocating.ts'
import type { Rooms } from './rooms.ts'
import type { SkillBench } from './skill-bench.ts'
import type { SettingsOfSkills } from './skill-settings.ts'
import type { Wiping } from './wiping.ts'

export interface NodeParts {
  readonly host: Host
  readonly config: Config
  readonly rows: readonly ConfigRow[]
  /** What it shows who asks for https; undefined: there is none. */
  readonly https: HttpsIdentity | undefined
  readonly identity: Identity
  readonly clustering: Clustering
  readonly runtime: Runtime
  /** This node's own engines. */
  readonly pool: Pool
  /** Those of the whole household, as one. */
  readonly engines: InferPort
  /** The models in use. */
  readonly models: readonly Model[]
  /** What can be listened for. */
  readonly wakeWords: readonly { readonly model: string; readonly phrase: string }[]
  /** Whether its files are still what they were; reads them again where they changed. Errors: `LoqaError` `model-invalid`. */
  readonly checkModel: (model: Model) => Promise<unknown>
  readonly skills: Skills
  readonly skillSettings: SettingsOfSkills
  /** What a person may do with them. */
  readonly skillDesk: SkillsView
  readonly devices: Pick<DeviceHouse, 'list' | 'status'>
  readonly store: HouseholdStore
  /** Skills under development. */
  readonly bench: SkillBench
  readonly memory: Pick<Memory, 'timeline' | 'people' | 'noted'>
  readonly wiping: Wiping
  readonly voice: Voice
  readonly heads: Heads
  readonly presence: PresenceDesk
  readonly relocating: Relocating
  readonly moving: Pick<Moving, 'move'>
  readonly rooms: Pick<Rooms, 'move'>
  readonly capacity: Pick<AddedCapacity, 'of'>
  /** Of this machine, as it is now. */
  readonly machine: () => Promise<MachineFacts>
  /** As it was soon after the start. */
  readonly hardware: () => MachineFacts | undefined
  readonly quality: Pick<Quality, 'view'>
  readonly ownSound: Pick<OwnSound, 'findings'>
  readonly metrics: Metrics
  readonly auditing: Auditing
  readonly started: Monotonic
}
