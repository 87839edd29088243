/**
 * Keeps the added skills of this node what the household's records say (`skills/registry`), whoever wrote them and whenever they arrive.
 *
 * G1 A package runs here only after this node itself judged it, at each load; a copy on disk that was changed is replaced by the household's.
 * G2 What was revoked, removed or lost its grant is stopped as soon as this node hears of it, calls under way included.
 * G3 One skill that may not run keeps no other from running; why stands in `problem`, in the log and in the audit log, once.
 * G4 After everything was wiped, what was added is put back from the files, since skills stay.
 */
import { join } from 'node:path'
import { type Cancel, type Clock, type Disk, type ErrorShape, errorShape } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import { registry, type Skill, type Skills, trust } from '../skills/index.ts'
import type { Store } from '../store/index.ts'
import { following } from './following.ts'
import { KeptRecords } from './skill-records.ts'
import type { SkillShelf } from './skill-shelf.ts'

const { INSTALLED, judged, load, PUBLISHERS, publishersIn, REVOKED, recordsIn, revocationsIn } = registry

/** A package of which pieces are missing is looked for again after this: they are on their way. */
const INCOMPLETE_AGAIN_MS = 250
/** What it needs of this machine may have been installed meanwhile, ms. */
const MISSING_AGAIN_MS = 30_000
/** What failed otherwise, ms. */
const AGAIN_MS = 2_000

export interface RegistryParts {
  readonly disk: Disk
  readonly clock: Clock
  readonly store: Pick<Store, 'list' | 'apply' | 'follow'>
  readonly shelf: SkillShelf
  /** Of this node's data: where what is known is kept for a start after a wipe. */
  readonly directory: string
  readonly policy: trust.Policy
  /** Names that belong to the program. */
  readonly shipped: ReadonlySet<string>
  /** Keys of the nodes that belong to the household now. */
  readonly members: () => ReadonlySet<string>
  readonly log: Log
  readonly audit: (what: string, object: string, outcome: string) => unknown
}

export interface Standing {
  readonly record: registry.SkillRecord
  readonly loaded: registry.Loaded | undefined
  readonly problem: ErrorShape | undefined
}

type Running = Pick<Skills, 'swap' | 'stopNow'>

export class SkillRegistry {
  readonly #parts: RegistryParts
  readonly #kept: KeptRecords
  readonly #standings = new Map<string, Standing>()
  readonly #following: Cancel[] = []
  #skills: Running | undefined
  #now: trust.Trusted
  #turn: Promise<unknown> = Promise.resolve()
  #again: Cancel = () => undefined
  #isOpen = true

  constructor(parts: RegistryParts) {
    this.#parts = parts
    this.#kept = new KeptRecords(parts.disk, join(parts.directory, 'records.json'), parts.store)
    this.#now = { policy: parts.policy, members: parts.members(), publishers: [], revoked: new Map() }
  }

  get trusted(): trust.Trusted {
    return { ...this.#now, members: this.#parts.members() }
  }

  get standings(): ReadonlyMap<string, Standing> {
    return this.#standings
  }

  /** At the start, before any skill runs: those that may. Errors: `store-*`, `DiskError`. */
  async open(): Promise<readonly Skill[]> {
    if (await this.#kept.restore()) await this.#publishAgain()
    const skills: Skill[] = []
    await this.#look(async ({ skill }) => void skills.push(skill))
    return skills
  }

  /** From now on skills come, change and go. */
  start(skills: Running): void {
    this.#skills = skills
    for (const collection of [INSTALLED, REVOKED, PUBLISHERS]) {
      this.#following.push(following(this.#parts, collection, () => void this.#heard(collection)))
    }
  }

  stop(): void {
    this.#isOpen = false
    this.#again()
    for (const end of this.#following) end()
  }

  /** Looks at the records and makes it so. One look after the other. Errors: `store-*`. */
  look(): Promise<void> {
    return this.inTurn(() => this.#look((loaded) => this.#skills?.swap(loaded.skill)))
  }

  /** Nothing else changes meanwhile. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(change)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** What was just taken into use here, so that the next look finds it done. */
  holds(name: string, record: registry.SkillRecord, loaded: registry.Loaded): void {
    this.#standings.set(name, { record, loaded, problem: undefined })
  }

  /** After a wipe the household has the records and nobody the packages, but for these files. */
  async #publishAgain(): Promise<void> {
    const { store, shelf } = this.#parts
    for (const [name, { state, digest }] of recordsIn(await store.list(INSTALLED))) {
      const bytes = state === 'installed' ? await shelf.read(name) : undefined
      if (bytes !== undefined) await shelf.publish(digest, bytes, 0)
    }
  }

  /** The household, or what is known of it, changed. */
  changed(): void {
    if (this.#skills !== undefined) void this.#lookCalmly()
  }

  /** What may not run is stopped before anything else, even while a new version of another skill is being tried. */
  async #heard(collection: string): Promise<void> {
    if (collection === REVOKED) await this.#stopRevoked().catch(() => undefined)
    await this.#lookCalmly()
  }

  async #stopRevoked(): Promise<void> {
    const revoked = revocationsIn(await this.#parts.store.list(REVOKED))
    for (const [name, { record, loaded }] of this.#standings) {
      if (loaded === undefined) continue
      try {
        judged(record, loaded.content, { ...this.trusted, revoked })
      } catch {
        // Why is found out and written down by the look that follows.
        this.#skills?.stopNow(name)
      }
    }
  }

  async #lookCalmly(): Promise<void> {
    try {
      await this.look()
    } catch (thrown) {
      if (!this.#isOpen) return
      this.#parts.log.warn('The skills of the household could not be looked at', { error: thrown })
      this.#lookAfter(AGAIN_MS)
    }
  }

  #lookAfter(ms: number): void {
    this.#again()
    if (this.#isOpen) this.#again = this.#parts.clock.after(ms, () => void this.#lookCalmly())
  }

  async #look(use: (loaded: registry.Loaded) => Promise<void> | undefined): Promise<void> {
    const { store, policy, members } = this.#parts
    const [entries, revocations, publishers] = await Promise.all([
      store.list(INSTALLED),
      store.list(REVOKED),
      store.list(PUBLISHERS),
    ])
    const records = recordsIn(entries)
    this.#now = {
      policy,
      members: members(),
      publishers: publishersIn(publishers),
      revoked: revocationsIn(revocations),
    }
    await this.#kept.note({ [INSTALLED]: entries, [REVOKED]: revocations, [PUBLISHERS]: publishers })
    // First what must end: a skill that is revoked does not wait for another to load.
    for (const [name, { loaded }] of this.#standings) {
      const record = records.get(name)
      if (record?.state !== 'installed') await this.#gone(name)
      else if (loaded?.content.digest === record.digest) await this.#judgeAgain(name, record, loaded)
    }
    let [incomplete, missing] = [false, false]
    for (const [name, record] of records) {
      if (record.state !== 'installed') continue
      const standing = this.#standings.get(name)
      if (standing?.loaded?.content.digest === record.digest) continue
      const brought = await this.#bring(name, record, use)
      incomplete ||= brought === 'incomplete'
      missing ||= brought === 'missing'
    }
    if (incomplete) this.#lookAfter(INCOMPLETE_AGAIN_MS)
    else if (missing) this.#lookAfter(MISSING_AGAIN_MS)
  }

  async #bring(
    name: string,
    record: registry.SkillRecord,
    use: (loaded: registry.Loaded) => Promise<void> | undefined,
  ): Promise<'incomplete' | 'missing' | 'settled'> {
    const before = this.#standings.get(name)?.loaded
    try {
      if (this.#parts.shipped.has(name)) throw nameTaken(name)
      const found = await this.#loaded(name, record)
      if (found === undefined) return 'incomplete'
      await use(found)
      this.#standings.set(name, { record, loaded: found, problem: undefined })
    } catch (thrown) {
      // Of two versions the one that worked goes on, if it still may.
      await this.#refuse(name, record, before, thrown)
      return errorShape(thrown).code === 'skill-runtime' ? 'missing' : 'settled'
    }
    return 'settled'
  }

  /** From this node's file, or from the household when that is another or none. */
  async #loaded(name: string, record: registry.SkillRecord): Promise<registry.Loaded | undefined> {
    const { shelf } = this.#parts
    const file = shelf.fileOf(name)
    const own = await shelf.read(name)
    if (own !== undefined) {
      try {
        return await load(name, record, own, this.#now, file)
      } catch {
        // Whatever is wrong with it: the household's copy is asked, and what that one is called counts.
      }
    }
    const bytes = await shelf.fetch(record)
    if (bytes === undefined) return undefined
    const loaded = await load(name, record, bytes, this.#now, file)
    await shelf.keep(name, bytes)
    return loaded
  }

  async #judgeAgain(name: string, record: registry.SkillRecord, loaded: registry.Loaded): Promise<void> {
    try {
      judged(record, loaded.content, this.#now)
      this.#standings.set(name, { record, loaded, problem: undefined })
    } catch (thrown) {
      await this.#refuse(name, record, undefined, thrown)
    }
  }

  async #refuse(
    name: string,
    record: registry.SkillRecord,
    goesOn: registry.Loaded | undefined,
    thrown: unknown,
  ): Promise<void> {
    const problem = errorShape(thrown)
    const known = this.#standings.get(name)?.problem
    const mayGoOn = goesOn !== undefined && this.#isTrusted(goesOn)
    this.#standings.set(name, { record, loaded: mayGoOn ? goesOn : undefined, problem })
    if (!mayGoOn) await this.#skills?.stopNow(name)
    if (known?.code === problem.code && known.message === problem.message) return
    const { log, audit } = this.#parts
    log.warn('A skill may not run', { skill: name, code: problem.code, problem: problem.message })
    await audit('skill.refused', `${name} ${record.version}`, problem.code)
  }

  #isTrusted({ content }: registry.Loaded): boolean {
    try {
      trust.judge(content, this.#now, new Date(this.#parts.clock.wall()).toISOString().slice(0, 10))
      return true
    } catch {
      return false
    }
  }

  async #gone(name: string): Promise<void> {
    const { shelf, audit } = this.#parts
    const version = this.#standings.get(name)?.record.version ?? ''
    this.#standings.delete(name)
    await this.#skills?.stopNow(name)
    await shelf.drop(name)
    await audit('skill.gone', `${name} ${version}`, 'removed')
  }
}

export const nameTaken = (name: string): trust.TrustError =>
  new trust.TrustError('skill-forbidden', `${name} is the name of a skill that comes with the node`)
