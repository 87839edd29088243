/** The skills of a node, put together: the catalogue's finds in their sandboxes, an actor's arguments for each. */
import { placedAddress } from '../actors/index.ts'
import type { Host, NodeId } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import { type Catalogue, loadCatalogue, type Skill } from './catalogue.ts'
import { zoneOffset } from './local-time.ts'
import { InvokePort } from './port.ts'
import type { SkillArgs } from './skill-state.ts'

export interface SkillsOptions {
  readonly host: Host
  readonly log: Log
  /** This one: timers that are set here say so. */
  readonly node: NodeId
  /** Folders whose subfolders are skills, those of the node first. */
  readonly roots: readonly string[]
  /** IANA name of the household's time zone. */
  readonly zone: string
}

/** One row of `loqa skill ls`. */
export interface SkillRow {
  readonly name: string
  readonly version: string
  readonly publisher: string
  readonly zone: 1 | 2 | 3
  readonly summary: string
  readonly address: string
  readonly state: 'ready' | 'disabled' | 'unusable'
  readonly permissions: readonly string[]
  readonly sha256: string
  /** Why it cannot be used. */
  readonly problem?: string
}

export interface Skills {
  /** The `invoke` port of the runtime. */
  readonly port: InvokePort
  readonly catalogue: Catalogue
  /** Spawn one actor of kind `skill` for each, with `key` as its name. */
  readonly actors: readonly { readonly key: string; readonly args: SkillArgs }[]
  /** What the grammar is compiled from: each skill's parsed manifest and the file it stands in. */
  readonly intentSources: readonly { readonly file: string; readonly source: unknown }[]
  list(): readonly SkillRow[]
  /** A person switches a skill on again that failed too often. */
  enable(skill: string): void
  start(): void
  /** Ends all sandboxes; calls under way fail. */
  stop(): void
}

/** Errors: none for a single skill (see `list`), `DiskError` when a folder cannot be read, `RangeError` for an unknown zone. */
export async function loadSkills({ host, log, node, roots, zone }: SkillsOptions): Promise<Skills> {
  // The first use of a zone loads its tables, 20 to 100 ms: not in the middle of a conversation.
  zoneOffset(host.clock.wall(), zone)
  const catalogue = await loadCatalogue(host.disk, roots)
  const port = new InvokePort(host.clock, {
    charged: (skill, error, stopped) => log.warn('A skill failed', { skill, code: error.code, stopped }),
    ended: (detail) => log.debug('A sandbox process ended', { detail }),
  })
  for (const skill of catalogue.skills) port.install(skill)
  for (const { folder, error } of catalogue.unusable) {
    log.warn('A skill cannot be used', { folder, code: error.code, problem: error.message })
  }
  return {
    port,
    catalogue,
    actors: catalogue.skills.map((skill) => ({ key: skill.manifest.name, args: argsOf(skill, node, zone) })),
    intentSources: catalogue.skills.map(({ folder, source }) => ({ file: `${folder}/skill.yaml`, source })),
    list: () => [
      ...catalogue.skills.map((skill) => rowOf(skill, port)),
      ...catalogue.unusable.map(unusableRow),
    ],
    enable: (skill) => port.sandboxOf(skill)?.enable(skill),
    start: () => port.warm(),
    stop: () => port.stop(),
  }
}

function argsOf({ manifest, permissions }: Skill, node: NodeId, zone: string): SkillArgs {
  const confirm: Record<string, string> = {}
  for (const [intent, declared] of Object.entries(manifest.intents)) {
    if (declared.confirm !== undefined) confirm[intent] = declared.confirm
  }
  return {
    name: manifest.name,
    node,
    confirm,
    intents: Object.keys(manifest.intents),
    may_speak: permissions.includes('speak'),
    zone,
  }
}

function rowOf({ manifest, permissions, sha256 }: Skill, port: InvokePort): SkillRow {
  const { name, version, publisher, zone, summary } = manifest
  const disabled = port.sandboxOf(name)?.state.skills[name]?.stopped !== undefined
  return {
    name,
    version,
    publisher,
    zone,
    summary,
    address: placedAddress('skill', name),
    state: disabled ? 'disabled' : 'ready',
    permissions,
    sha256,
  }
}

const unusableRow = ({ folder, error }: Catalogue['unusable'][number]): SkillRow => ({
  name: folder.split('/').at(-1) ?? folder,
  version: '',
  publisher: '',
  zone: 3,
  summary: '',
  address: '',
  state: 'unusable',
  permissions: [],
  sha256: '',
  problem: error.message,
})
