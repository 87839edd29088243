/**
 * What the household chose for its skills: settings and secrets, in the collection `skill-settings`, on every node. A secret goes in and is
 * put into requests; nothing gives it out again.
 */
import { z } from 'zod'
import type { Followed } from '../actors/index.ts'
import type { SettingsView, SkillSettingsView } from '../api/index.ts'
import { type Cancel, type Clock, InvalidInputError, NotFoundError } from '../host/index.ts'
import type { SettingsPort, Skill, SkillSettings, Skills } from '../skills/index.ts'
import type { Store } from '../store/index.ts'
import { following } from './following.ts'

const COLLECTION = 'skill-settings'
/** A key to a service; a certificate does not belong here. */
const MAX_SECRET_CHARS = 1_000
/** Of all skills together. */
const MOST_ENTRIES = 2_048

const value = z.union([z.string().max(1_000), z.number(), z.boolean()])
type Value = z.infer<typeof value>
const NOTHING: SkillSettings = { config: {}, secrets: {} }

export interface SkillSettingsParts {
  readonly store: Pick<Store, 'follow' | 'apply'>
  readonly clock: Clock
}

export class SettingsOfSkills implements SettingsPort {
  readonly #parts: SkillSettingsParts
  /** By `config/<skill>/<key>` and `secret/<skill>/<key>`. */
  readonly #entries = new Map<string, Value>()
  #made = new Map<string, SkillSettings>()
  readonly #ends: Cancel

  constructor(parts: SkillSettingsParts) {
    this.#parts = parts
    this.#ends = following(parts, COLLECTION, (followed) => this.#hear(followed))
  }

  of(skill: string): SkillSettings {
    const known = this.#made.get(skill)
    if (known !== undefined) return known
    const made = {
      config: this.#under(`config/${skill}/`),
      secrets: this.#under(`secret/${skill}/`) as Record<string, string>,
    }
    this.#made.set(skill, made)
    return made
  }

  stop(): void {
    this.#ends()
  }

  show(skill: Skill | undefined, name: string): SkillSettingsView {
    const { manifest } = found(skill, name)
    const { config, secrets } = this.of(name)
    return {
      skill: name,
      config: Object.entries(manifest.config ?? {}).map(([key, { type, summary, default: byDefault }]) => ({
        ...{ key, type, summary },
        value: config[key] ?? byDefault ?? null,
        chosen: config[key] !== undefined,
      })),
      secrets: (manifest.secrets ?? []).map((key) => ({ key, given: Object.hasOwn(secrets, key) })),
    }
  }

  /** `undefined` goes back to the default. Errors: `not-found`, `invalid-input`, `store-*`. */
  async choose(
    skill: Skill | undefined,
    name: string,
    key: string,
    chosen: Value | undefined,
  ): Promise<void> {
    const declared = found(skill, name).manifest.config
    const setting = declared !== undefined && Object.hasOwn(declared, key) ? declared[key] : undefined
    if (setting === undefined) {
      const names = Object.keys(declared ?? {})
      const hint = names.length === 0 ? `${name} has none.` : `It has ${names.join(', ')}.`
      throw new NotFoundError(`The setting ${key} of ${name}`, hint)
    }
    if (chosen !== undefined && typeof chosen !== setting.type) {
      throw new InvalidInputError(`${key} of ${name} takes a ${setting.type}`, setting.summary)
    }
    await this.#write(`config/${name}/${key}`, chosen)
  }

  /** `undefined` takes it back. Errors: `not-found`, `invalid-input`, `store-*`. */
  async give(skill: Skill | undefined, name: string, key: string, secret: string | undefined): Promise<void> {
    const names = found(skill, name).manifest.secrets ?? []
    if (!names.includes(key)) {
      const hint = names.length === 0 ? `${name} wants none.` : `It wants ${names.join(', ')}.`
      throw new NotFoundError(`The secret ${key} of ${name}`, hint)
    }
    if (secret !== undefined && (secret === '' || secret.length > MAX_SECRET_CHARS)) {
      throw new InvalidInputError(`A secret has 1 to ${MAX_SECRET_CHARS} characters`)
    }
    await this.#write(`secret/${name}/${key}`, secret)
  }

  async #write(key: string, written: Value | undefined): Promise<void> {
    await this.#parts.store.apply(COLLECTION, [
      written === undefined ? { change: 'delete', key } : { change: 'put', key, value: written },
    ])
    // Told of it a moment later too; whoever wrote it finds it at once.
    this.#take(key, written)
  }

  #hear({ whole, changes }: Followed): void {
    if (whole) this.#entries.clear()
    for (const change of changes) {
      this.#take(change.key, change.change === 'put' ? value.safeParse(change.value).data : undefined)
    }
  }

  #take(key: string, taken: Value | undefined): void {
    this.#made = new Map()
    if (taken === undefined) this.#entries.delete(key)
    else if (this.#entries.has(key) || this.#entries.size < MOST_ENTRIES) this.#entries.set(key, taken)
  }

  #under(prefix: string): Record<string, Value> {
    const under = [...this.#entries].filter(([key]) => key.startsWith(prefix))
    if (under.length === 0) return NOTHING.config as Record<string, Value>
    return Object.fromEntries(under.map(([key, one]) => [key.slice(prefix.length), one]))
  }
}

/** For those who show it and choose for a person. */
export function settingsView({
  skills,
  skillSettings,
}: {
  readonly skills: Pick<Skills, 'catalogue'>
  readonly skillSettings: SettingsOfSkills
}): SettingsView {
  const skill = (name: string): Skill | undefined =>
    skills.catalogue.skills.find(({ manifest }) => manifest.name === name)
  const show = (name: string): SkillSettingsView => skillSettings.show(skill(name), name)
  return {
    show,
    async choose(name, key, chosen) {
      await skillSettings.choose(skill(name), name, key, chosen)
      return show(name)
    },
    async give(name, key, secret) {
      await skillSettings.give(skill(name), name, key, secret)
      return show(name)
    },
  }
}

function found(skill: Skill | undefined, name: string): Skill {
  if (skill === undefined)
    throw new NotFoundError(`The skill ${name}`, 'loqa skill ls shows those there are.')
  return skill
}
