/**
 * Skills under development: brought over HTTP by `loqa skill dev`, used at once in place of what is installed under the same
 * name, gone when development ends or the node stops. Never more trusted than a skill of unknown origin, whatever it says.
 */
import { InvalidInputError, NotFoundError } from '../host/index.ts'
import {
  type CallRecord,
  readManifest,
  type Skill,
  SkillError,
  type SkillManifest,
  type Skills,
  skillOf,
} from '../skills/index.ts'

/** Lines of a reader that is slow or gone; the oldest go first. */
const MAX_UNREAD_LINES = 256
/** Skills under development at once: whoever has more forgot some. */
const MAX_ON_BENCH = 8

export interface SkillBenchParts {
  readonly skills: Pick<Skills, 'catalogue' | 'swap' | 'remove' | 'watch'>
  /** Errors: `TrustError` when this node's policy takes nothing that nobody signed, or forbids what it asks for. */
  permits(manifest: SkillManifest): void
  /** What the household added under that name, as far as it may run now. */
  added(name: string): Skill | undefined
  /** For the audit log. */
  noted(what: string, object: string, outcome: string): Promise<void>
}

export interface SkillFiles {
  /** The text of skill.yaml. */
  readonly manifest: string
  readonly module: Uint8Array
  /** The folder it lies in at its developer's: for messages only. */
  readonly folder: string
}

export interface OnBench {
  readonly name: string
  readonly version: string
  readonly permissions: readonly string[]
  /** There was one of that name before. */
  readonly replaced: boolean
}

export class SkillBench {
  readonly #parts: SkillBenchParts
  /** What was installed under the name before development began. */
  readonly #before = new Map<string, Skill | undefined>()

  constructor(parts: SkillBenchParts) {
    this.#parts = parts
  }

  /** Errors: `ManifestError`, `SkillError`, `GrammarError`: whatever was in use before answers on. */
  async put({ manifest: text, module, folder }: SkillFiles): Promise<OnBench> {
    const { manifest, source } = readManifest(text, `${folder}/skill.yaml`)
    const { name, version } = manifest
    if (manifest.runtime !== 'wasm' && manifest.runtime !== 'typescript') {
      throw new InvalidInputError(`A skill with the runtime ${manifest.runtime} is not developed this way`)
    }
    this.#parts.permits(manifest)
    const skill = skillOf({ manifest: { ...manifest, zone: 3 }, source, module, folder })
    const installed = this.#parts.skills.catalogue.skills.find((one) => one.manifest.name === name)
    if (!this.#before.has(name)) {
      if (installed?.manifest.zone === 1) {
        throw new InvalidInputError(
          `${name} is a skill that ships with the node`,
          'Give yours another name in skill.yaml.',
        )
      }
      if (this.#before.size >= MAX_ON_BENCH) {
        throw new InvalidInputError(`${MAX_ON_BENCH} skills are under development on this node already`)
      }
    }
    try {
      await this.#parts.skills.swap(skill)
    } catch (thrown) {
      await this.#parts.noted('skill.dev', name, thrown instanceof SkillError ? thrown.fault : 'refused')
      throw thrown
    }
    if (!this.#before.has(name)) this.#before.set(name, installed)
    await this.#parts.noted('skill.dev', name, 'ok')
    return { name, version, permissions: skill.permissions, replaced: installed !== undefined }
  }

  /** What was installed before is used again, or nothing of that name. Errors: `not-found`. */
  async end(name: string): Promise<void> {
    if (!this.#before.has(name)) throw new NotFoundError(`A skill ${name} under development`)
    const wasAdded = this.#before.get(name)?.folder.endsWith('.loqa') === true
    // What was revoked or removed meanwhile does not come back by this way.
    const before = wasAdded ? this.#parts.added(name) : this.#before.get(name)
    this.#before.delete(name)
    const isThere = this.#parts.skills.catalogue.skills.some(({ manifest }) => manifest.name === name)
    if (before !== undefined) await this.#parts.skills.swap(before)
    else if (isThere) await this.#parts.skills.remove(name)
    await this.#parts.noted('skill.dev', name, 'ended')
  }

  /** Every call of the skill from now on. Errors: `not-found` for one that is not under development: calls hold what people said. */
  watch(name: string): AsyncIterable<CallRecord> {
    if (!this.#before.has(name)) throw new NotFoundError(`A skill ${name} under development`)
    return watched(this.#parts.skills, name)
  }
}

async function* watched(skills: Pick<Skills, 'watch'>, name: string): AsyncGenerator<CallRecord> {
  const unread: CallRecord[] = []
  let more = Promise.withResolvers<void>()
  const end = skills.watch((record) => {
    if (record.skill !== name) return
    unread.push(record)
    if (unread.length > MAX_UNREAD_LINES) unread.shift()
    more.resolve()
  })
  try {
    for (;;) {
      for (let record = unread.shift(); record !== undefined; record = unread.shift()) yield record
      await more.promise
      more = Promise.withResolvers<void>()
    }
  } finally {
    end()
  }
}
