/**
 * The skills of a node, put together: the catalogue's finds in their sandboxes, an actor's arguments for each, the grammar of
 * all their sentences. They come, change and go while the node runs.
 *
 * Promises of a change, each with a test of the same number:
 * 1. A version is used only after its sentences were compiled, its module started in a process of its own, and one call of
 *    each of its intents went well. Otherwise the one before stays as it is, and the error says what was wrong.
 * 2. No call fails because of a change: those under way end where they began, later ones go to the new version.
 * 3. Whoever follows is told of each change once, after it holds; sentences of a new version are understood from then on.
 * 4. Changes happen one after another, in the order they were asked for.
 */
import { placedAddress } from '../actors/index.ts'
import { type ErrorShape, type Host, type NodeId, NotFoundError } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import { type Catalogue, loadCatalogue, type Skill } from './catalogue.ts'
import { Containers } from './containers/index.ts'
import type { HostPorts } from './host-ports.ts'
import {
  compileWithSkills,
  type Grammar,
  type GrammarError,
  type GrammarSource,
  inLanguage,
  sourceIn,
} from './intents/index.ts'
import { zoneOffset } from './local-time.ts'
import { neededExports } from './permissions.ts'
import { type CallRecord, InvokePort } from './port.ts'
import type { Risk } from './risk.ts'
import { runners } from './runners.ts'
import type { Fence } from './sandbox/fence.ts'
import { findFence, processStarter } from './sandbox/process.ts'
import { openScriptEngine } from './script.ts'
import type { SkillArgs } from './skill-state.ts'
import { smokeCalls } from './smoke.ts'
import { reportRefused, type SkillWatch, UNWATCHED, watchSandboxes } from './watching.ts'

export interface SkillsOptions {
  readonly host: Host
  readonly log: Log
  /** This one: timers that are set here say so. */
  readonly node: NodeId
  /** Folders whose subfolders are skills, those of the node first. */
  readonly roots: readonly string[]
  /** Skills that were added as packages and judged; none takes the name of one in the folders. */
  readonly added?: readonly Skill[]
  /** IANA name of the household's time zone. */
  readonly zone: string
  /** Whoever spawns the actors answers when they ask for the household (`HOUSE_WANTED`). Default: nobody does, they are alone. */
  readonly told_of_house?: boolean
  /** Whose sentences of skills are understood, where a skill has them in several languages. Default: English. */
  readonly language?: string
  /** The words of the house, which the sentences of skills use. Default: none. */
  readonly house?: readonly GrammarSource[]
  /** What reaches out of the skills' own state; without one, that is refused in words. */
  readonly ports?: HostPorts
  /** Hears of skills that are stopped or refused. Default: nobody. */
  readonly watch?: SkillWatch
  /** Sockets of container engines, the first that answers is taken. Default: none, no skill runs in a container. */
  readonly container_sockets?: readonly string[]
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

/** What became of a skill: the actor of that name is to run with these arguments, or to end. */
export type SkillChange =
  | { readonly change: 'put'; readonly name: string; readonly args: SkillArgs }
  | { readonly change: 'removed'; readonly name: string }

export interface Skills {
  /** The `invoke` port of the runtime. */
  readonly port: InvokePort
  /** What the operating system puts around sandbox processes here. */
  readonly fence: Fence
  readonly containers: Containers
  readonly catalogue: Catalogue
  /** Spawn one actor of kind `skill` for each, with `key` as its name. */
  readonly actors: readonly { readonly key: string; readonly args: SkillArgs }[]
  /** What the grammar is compiled from: each skill's parsed manifest and the file it stands in. */
  readonly intentSources: readonly { readonly file: string; readonly source: unknown }[]
  /**
   * What is understood now: the house's sentences and those of every skill whose sentences can be compiled. Made when it is
   * first asked for. Errors: `GrammarError` when the house's own sentences cannot be compiled.
   */
  readonly grammar: Grammar
  /** The skill that carries out an intent of the house's own sentences; of several that offer to, the most trusted, then the first. */
  handlerOf(intent: string): Pick<Skill, 'manifest' | 'permissions'> | undefined
  /** The words of the house changed: sentences of skills are read with the new ones from now on. Errors: `GrammarError`; the old ones stay then. */
  houseSays(sources: readonly GrammarSource[]): void
  list(): readonly SkillRow[]
  /** A person switches a skill on again that failed too often. */
  enable(skill: string): void
  /** Takes a skill into use that is new, or a new version of one. Errors: `GrammarError`, `SkillError`; nothing changed then. */
  swap(skill: Skill): Promise<void>
  /** Errors: `not-found`. */
  remove(name: string): Promise<void>
  /** Ends a skill that may not run any more, and what it is doing. One that is not there is no error. */
  stopNow(name: string): void
  /** Returns how to stop being told. */
  follow(listener: (change: SkillChange) => void): () => void
  /** Every call of a skill that ends from now on. Returns how to stop being told. */
  watch(watcher: (record: CallRecord) => void): () => void
  start(): void
  /** Ends all sandboxes; calls under way fail. */
  stop(): void
}

/** Errors: none for a single skill (see `list`), `DiskError` when a folder cannot be read, `RangeError` for an unknown zone. */
export async function loadSkills(options: SkillsOptions): Promise<Skills> {
  const { host, log, roots, zone, ports } = options
  // The first use of a zone loads its tables, 20 to 100 ms: not in the middle of a conversation.
  zoneOffset(host.clock.wall(), zone)
  const { watch = UNWATCHED } = options
  const [catalogue, fence, scripts] = await Promise.all([
    loadCatalogue(host.disk, roots, options.added),
    findFence(),
    openScriptEngine(host.disk),
  ])
  const containers = new Containers({
    ...{ clock: host.clock, node: options.node, sockets: options.container_sockets ?? [] },
  })
  const port = new InvokePort(host.clock, watchSandboxes(log, watch), {
    ...{ start: processStarter(fence), scripts, runnerOf: runners({ containers, fence }) },
    ports: ports ?? {},
  })
  for (const skill of catalogue.skills) port.install(skill)
  for (const { folder, error } of catalogue.unusable) reportRefused(log, watch, folder, error)
  return new LiveSkills(options, port, catalogue, { fence, containers })
}

interface Compiled {
  readonly grammar: Grammar
  readonly refused: readonly GrammarError[]
}

class LiveSkills implements Skills {
  readonly port: InvokePort
  readonly fence: Fence
  readonly containers: Containers
  readonly #options: SkillsOptions
  readonly #listeners = new Set<(change: SkillChange) => void>()
  /** In the order in which their sentences count. */
  #skills: readonly Skill[]
  #unusable: Catalogue['unusable']
  #compiled: Compiled | undefined
  #house: readonly GrammarSource[]
  #changing: Promise<unknown> = Promise.resolve()

  constructor(
    options: SkillsOptions,
    port: InvokePort,
    { skills, unusable }: Catalogue,
    { fence, containers }: Pick<Skills, 'fence' | 'containers'>,
  ) {
    this.#options = options
    this.#house = options.house ?? []
    this.fence = fence
    this.containers = containers
    this.port = port
    this.#skills = skills
    this.#unusable = unusable
  }

  get catalogue(): Catalogue {
    return { skills: this.#skills, unusable: this.#unusable }
  }

  get actors() {
    return this.#skills.map((skill) => ({ key: skill.manifest.name, args: argsOf(skill, this.#options) }))
  }

  get intentSources() {
    const { language = 'en' } = this.#options
    return this.#skills.map(({ folder, source }) => ({
      file: `${folder}/skill.yaml`,
      source: sourceIn(source, language),
    }))
  }

  get grammar(): Grammar {
    return this.#current().grammar
  }

  handlerOf(intent: string): Skill | undefined {
    const offers = this.#skills.filter(({ manifest }) => manifest.handles?.includes(intent) === true)
    return offers.sort((a, b) => a.manifest.zone - b.manifest.zone)[0]
  }

  houseSays(sources: readonly GrammarSource[]): void {
    const before = this.#house
    this.#house = sources
    try {
      this.#compiled = this.#compile(this.#skills)
    } catch (thrown) {
      this.#house = before
      throw thrown
    }
  }

  list(): readonly SkillRow[] {
    return [...this.#skills.map((skill) => rowOf(skill, this.port)), ...this.#unusable.map(unusableRow)]
  }

  enable(skill: string): void {
    this.port.sandboxOf(skill)?.enable(skill)
  }

  swap(skill: Skill): Promise<void> {
    return this.#inTurn(() => this.#swap(skill))
  }

  remove(name: string): Promise<void> {
    return this.#inTurn(() => {
      if (!this.#skills.some(({ manifest }) => manifest.name === name)) {
        throw new NotFoundError(`The skill ${name}`)
      }
      this.#holds(this.#skills.filter(({ manifest }) => manifest.name !== name))
      this.port.remove(name)
      this.#tell({ change: 'removed', name })
    })
  }

  stopNow(name: string): void {
    if (!this.#skills.some(({ manifest }) => manifest.name === name)) return
    this.#holds(this.#skills.filter(({ manifest }) => manifest.name !== name))
    this.port.kill(name)
    this.#tell({ change: 'removed', name })
  }

  follow(listener: (change: SkillChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  watch(watcher: (record: CallRecord) => void): () => void {
    return this.port.watch(watcher)
  }

  start(): void {
    this.port.warm()
  }

  stop(): void {
    this.port.stop()
  }

  async #swap(skill: Skill): Promise<void> {
    const { name } = skill.manifest
    const skills = withSkill(this.#skills, skill)
    const compiled = this.#compile(skills)
    const before = new Set(this.#current().refused.map(({ file }) => file))
    const lost = compiled.refused.find(({ file }) => file === sourceFile(skill) || !before.has(file))
    // Its own sentences are wrong, or it takes words another skill needs.
    if (lost !== undefined) throw lost
    const { host, zone } = this.#options
    const wall_ms = host.clock.wall()
    const time = { wall_ms, offset_min: zoneOffset(wall_ms, zone) }
    const trial = await this.port.try(skill, smokeCalls(skill.manifest, compiled.grammar, time))
    trial.use()
    this.#holds(skills, compiled)
    this.#tell({ change: 'put', name, args: argsOf(skill, this.#options) })
  }

  #holds(skills: readonly Skill[], compiled?: Compiled): void {
    this.#skills = skills
    this.#compiled = compiled
    const names = new Set(skills.map(({ folder }) => folder))
    this.#unusable = this.#unusable.filter(({ folder }) => !names.has(folder))
  }

  #current(): Compiled {
    if (this.#compiled === undefined) {
      this.#compiled = this.#compile(this.#skills)
      for (const { message } of this.#compiled.refused) {
        this.#options.log.warn('The sentences of a skill are not understood', { problem: message })
      }
    }
    return this.#compiled
  }

  #compile(skills: readonly Skill[]): Compiled {
    const { language = 'en' } = this.#options
    const learned = skills.map((skill) => ({
      file: sourceFile(skill),
      content: sourceIn(skill.source, language),
    }))
    return compileWithSkills(this.#house, learned)
  }

  /** One change at a time; one that fails is no reason for the next not to begin. */
  #inTurn(change: () => void | Promise<void>): Promise<void> {
    const turn = this.#changing.then(change)
    this.#changing = turn.catch(() => undefined)
    return turn
  }

  #tell(change: SkillChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

const sourceFile = ({ folder }: Skill): string => `${folder}/skill.yaml`

/** A new version takes the place of the one before, a new skill comes last: of two that have a sentence, the first counts. */
function withSkill(skills: readonly Skill[], skill: Skill): readonly Skill[] {
  const at = skills.findIndex(({ manifest }) => manifest.name === skill.manifest.name)
  return at === -1 ? [...skills, skill] : skills.with(at, skill)
}

export function argsOf(
  { manifest, permissions }: Skill,
  {
    node,
    zone,
    told_of_house = false,
    language = 'en',
  }: Pick<SkillsOptions, 'node' | 'zone' | 'told_of_house' | 'language'>,
): SkillArgs {
  const confirm: Record<string, string> = {}
  const risk: Record<string, Risk> = {}
  for (const [intent, declared] of Object.entries(manifest.intents)) {
    if (declared.confirm !== undefined) confirm[intent] = inLanguage<string>(declared.confirm, language)
    if (declared.risk !== 'low') risk[intent] = declared.risk
  }
  const intents = Object.entries(manifest.intents)
  return {
    name: manifest.name,
    node,
    confirm,
    risk,
    intents: [...Object.keys(manifest.intents), ...(manifest.handles ?? [])],
    idempotent: intents.filter(([, declared]) => declared.idempotent).map(([intent]) => intent),
    may_speak: permissions.includes('speak'),
    vouched: manifest.zone < 3,
    hears: neededExports(permissions).includes('heard'),
    subscribes: permissions.includes('topics') ? (manifest.topics?.subscribe ?? []) : [],
    zone,
    awaits_house: told_of_house,
  }
}

function rowOf({ manifest, permissions, sha256 }: Skill, port: InvokePort): SkillRow {
  const { name, version, publisher, zone, summary } = manifest
  const disabled = port.sandboxOf(name)?.state.skills[name]?.stopped !== undefined
  const missing = port.problemOf(name)
  return {
    name,
    version,
    publisher,
    zone,
    summary,
    address: placedAddress('skill', name),
    state: disabled ? 'disabled' : missing === undefined ? 'ready' : 'unusable',
    permissions,
    sha256,
    ...(missing === undefined ? {} : { problem: wordsOf(missing) }),
  }
}

const wordsOf = ({ message, hint }: ErrorShape): string =>
  hint === undefined ? message : `${message}. ${hint}`

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
