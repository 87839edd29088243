/**
 * The persons of the household and what they consented to: entries of replicated collections, so that every node knows them.
 *
 *   persons    id → { name, since }
 *   consents   id → { given, at }        to keep the steps of their conversations
 *   erasures   order → { person, at }    every node carries it out when it hears of it, also one that was away; once
 *
 * E1 What a person withdraws or has erased is gone from this node's timelines when the call returns, and from every other node's when that
 *    hears of it. E2 An order to erase stays, so that a node that returns with old entries erases them again.
 */
import { z } from 'zod'
import type { Entry, EntryChange } from '../actors/index.ts'
import {
  type Cancel,
  type Clock,
  InvalidInputError,
  LoqaError,
  NotFoundError,
  type PrivacyScope,
  type Random,
} from '../host/index.ts'
import { personPrefix, skillCollection } from '../skills/index.ts'
import type { Erased, Selection, Store } from '../store/index.ts'
import type { Privacy, PrivacyWanted } from '../voice/index.ts'
import { following } from './following.ts'

const COLLECTIONS = ['persons', 'consents', 'erasures'] as const
/** What failed is tried again after so long, ms. */
const AGAIN_MS = 2_000
/** A household, its guests, and room to spare. */
const MAX_PERSONS = 256
const ID_BYTES = 8

const time = z.string().max(64)
const personSchema = z.object({ name: z.string().min(1).max(64), since: time })
const consentSchema = z.object({ given: z.boolean(), at: time })
const erasureSchema = z.object({ person: z.string().min(1).max(64), at: time })

export interface Person {
  readonly id: string
  readonly name: string
  readonly since: string
  /** Undefined: they never said. */
  readonly consent: { readonly given: boolean; readonly at: string } | undefined
}

/** The part of the timelines used here. */
export interface Erasing {
  erase(which: Selection, erasure?: string): Promise<Erased>
  wouldErase(which: Selection): Promise<Erased>
  hasErased(erasure: string): boolean
}

export interface PeopleParts {
  readonly store: Pick<Store, 'list' | 'apply' | 'follow'>
  readonly timeline: Erasing
  readonly clock: Clock
  readonly random: Random
  /** What a conversation gets that asks for nothing. */
  readonly scope: PrivacyScope
  /** Whether anything is kept longer than its conversation, consent or not. */
  readonly keepsDays: boolean
  /** Those that may keep something of a person. */
  readonly skills?: () => readonly string[]
  /** Looking or erasing failed; it is tried again. */
  readonly failed: (error: unknown) => void
}

export class People {
  readonly #parts: PeopleParts
  #persons: readonly Person[] = []
  readonly #following: Cancel[] = []
  #again: Cancel | undefined
  #looking: Promise<void> = Promise.resolve()
  #failing = false
  #state: 'open' | 'closed' = 'open'

  constructor(parts: PeopleParts) {
    this.#parts = parts
  }

  /** Resolves when it was looked once; looks again whenever anybody wrote. */
  async start(): Promise<void> {
    for (const collection of COLLECTIONS) {
      this.#following.push(following(this.#parts, collection, () => void this.#lookCalmly()))
    }
    await this.#lookCalmly()
  }

  stop(): void {
    this.#state = 'closed'
    for (const unfollow of this.#following) unfollow()
    this.#again?.()
  }

  /** What fails is tried again, and said once. */
  async #lookCalmly(): Promise<void> {
    try {
      await this.look()
      this.#failing = false
    } catch (thrown) {
      if (this.#state === 'closed') return
      if (!this.#failing) this.#parts.failed(thrown)
      this.#failing = true
      this.#again?.()
      this.#again = this.#parts.clock.after(AGAIN_MS, () => void this.#lookCalmly())
    }
  }

  /** Reads what is there now and carries out what was ordered. One after the other. Errors: `store-*`. */
  look(): Promise<void> {
    const looked = this.#looking.catch(() => undefined).then(() => this.#look())
    this.#looking = looked
    return looked
  }

  list(): readonly Person[] {
    return this.#persons
  }

  /** By id or name. Errors: `not-found`, `ambiguous`. */
  known(wanted: string): Person {
    const found = this.#find(wanted)
    if (found.length > 1) {
      throw new LoqaError('ambiguous', `${found.length} persons are called so`, {
        hint: 'Use the id: loqa persons ls.',
      })
    }
    if (found[0] === undefined) {
      throw new NotFoundError(
        'This person',
        'loqa persons ls shows all; loqa persons add NAME makes one known.',
      )
    }
    return found[0]
  }

  /** What a conversation gets of what it asked for. */
  privacy({ scope: asked, person: wanted }: PrivacyWanted): Privacy {
    const scope = asked ?? this.#parts.scope
    const found = wanted === undefined ? [] : this.#find(wanted)
    const person = found.length === 1 ? found[0] : undefined
    const whose = person === undefined ? {} : { person: person.id }
    const stranger =
      wanted !== undefined && person === undefined
        ? { notice: 'This household knows nobody of that name: loqa persons add NAME' }
        : {}
    if (scope !== 'persistent') return { scope, ...whose, ...stranger }
    const why = this.#parts.keepsDays ? lacking(person) : 'timeline.keep allows nothing longer'
    if (why === undefined) return { scope, ...whose }
    // Nobody asked for it here and now: it is the house's rule, and not met.
    if (asked === undefined && wanted === undefined) return { scope: 'session' }
    return {
      scope: 'session',
      ...whose,
      notice: `The steps of this conversation are kept until it ends only: ${why}`,
    }
  }

  /** What is left of a privacy agreed on earlier: less, when the person withdrew their consent or was erased. */
  allowed({ scope, person }: Pick<Privacy, 'scope'> & { readonly person?: string | undefined }): {
    readonly scope: PrivacyScope
    readonly person?: string
  } {
    const known = this.#persons.find(({ id }) => id === person)
    if (known === undefined) return { scope: scope === 'persistent' ? 'session' : scope }
    const consents = known.consent?.given === true && this.#parts.keepsDays
    return { scope: scope === 'persistent' && !consents ? 'session' : scope, person: known.id }
  }

  /** Errors: `invalid-input`, `store-*`. */
  async add(name: string): Promise<Person> {
    const called = name.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
    await this.look()
    if (this.#find(called).length > 0) {
      throw new InvalidInputError('There is a person of that name already', 'loqa persons ls shows all.')
    }
    if (this.#persons.length >= MAX_PERSONS) {
      throw new InvalidInputError(`A household has at most ${MAX_PERSONS} persons`)
    }
    const id = Buffer.from(this.#parts.random.bytes(ID_BYTES)).toString('hex')
    await this.#parts.store.apply('persons', [
      { change: 'put', key: id, value: { name: called, since: this.#now() } },
    ])
    await this.look()
    return this.known(id)
  }

  /** Errors: `not-found`, `ambiguous`, `store-*`. */
  async consent(wanted: string, given: boolean): Promise<Person> {
    await this.look()
    const { id } = this.known(wanted)
    await this.#parts.store.apply('consents', [{ change: 'put', key: id, value: { given, at: this.#now() } }])
    await this.look()
    return this.known(id)
  }

  /** Returns who it was and what of theirs was kept here. Errors: `not-found`, `ambiguous`, `store-*`. */
  async erase(wanted: string, dry_run: boolean): Promise<{ person: Person; erased: Erased }> {
    await this.look()
    const person = this.known(wanted)
    const erased = await this.#parts.timeline.wouldErase({ person: person.id })
    if (dry_run) return { person, erased }
    const order = Buffer.from(this.#parts.random.bytes(ID_BYTES)).toString('hex')
    // First of all, so that it is carried out whatever happens to this process.
    await this.#parts.store.apply('erasures', [
      { change: 'put', key: order, value: { person: person.id, at: this.#now() } },
    ])
    await this.look()
    return { person, erased }
  }

  async #look(): Promise<void> {
    const { store } = this.#parts
    const [persons, consents, erasures] = await Promise.all([
      store.list('persons'),
      store.list('consents'),
      store.list('erasures'),
    ])
    const said = new Map(valid(consents, consentSchema))
    const orders = valid(erasures, erasureSchema)
    const erased = new Set(orders.map(([, { person }]) => person))
    this.#persons = valid(persons, personSchema)
      .filter(([id]) => !erased.has(id))
      .map(([id, { name, since }]) => ({ id, name, since, consent: said.get(id) }))
    await this.#carryOut(orders, [persons, consents])
    for (const { id, consent } of this.#persons) {
      if (consent?.given === false) await this.#withdrawn(id, consent.at)
    }
  }

  async #carryOut(
    orders: readonly (readonly [string, { readonly person: string }])[],
    [persons, consents]: readonly [readonly Entry[], readonly Entry[]],
  ): Promise<void> {
    const { store, timeline } = this.#parts
    for (const [order, { person }] of orders) {
      if (persons.some(({ key }) => key === person)) {
        await store.apply('persons', [{ change: 'delete', key: person }])
      }
      if (consents.some(({ key }) => key === person)) {
        await store.apply('consents', [{ change: 'delete', key: person }])
      }
      for (const skill of this.#parts.skills?.() ?? []) {
        const kept = await store.list(skillCollection(skill), personPrefix(person))
        const gone = kept.map(({ key }): EntryChange => ({ change: 'delete', key }))
        if (gone.length > 0) await store.apply(skillCollection(skill), gone)
      }
      if (!timeline.hasErased(order)) await timeline.erase({ person }, order)
    }
  }

  /** What was kept with a consent that is withdrawn goes; once for each time they withdraw it. */
  async #withdrawn(person: string, at: string): Promise<void> {
    const order = `withdrawn ${person} ${at}`
    if (!this.#parts.timeline.hasErased(order)) await this.#parts.timeline.erase({ person }, order)
  }

  #find(wanted: string): readonly Person[] {
    const byId = this.#persons.filter(({ id }) => id === wanted)
    if (byId.length > 0) return byId
    const name = wanted.normalize('NFC').trim().toLowerCase()
    return this.#persons.filter((person) => person.name.toLowerCase() === name)
  }

  #now(): string {
    return new Date(this.#parts.clock.wall()).toISOString()
  }
}

function lacking(person: Person | undefined): string | undefined {
  if (person === undefined) return 'nobody was named whose consent it would need (--person NAME)'
  if (person.consent?.given === true) return undefined
  return 'that person has not consented: loqa persons consent NAME --give'
}

/** What another version, or another node, wrote and nobody understands is left alone. */
const valid = <T>(entries: readonly Entry[], schema: z.ZodType<T>): readonly (readonly [string, T])[] =>
  entries.flatMap(({ key, value }) => {
    const read = schema.safeParse(value)
    return read.success ? [[key, read.data] as const] : []
  })
