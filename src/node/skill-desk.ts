/**
 * What a person may do with skills, on any node of the household: each call judges, tries the skill here, and then writes what every
 * other node will find. The rules are `skills/registry/changing.ts`.
 */
import type { RevokedRow, SkillDetail, SkillReview, SkillsView, TrustedRow } from '../api/index.ts'
import { type Clock, errorShape, LoqaError, type NodeId, NotFoundError } from '../host/index.ts'
import { readPackage, registry, type SkillPackage, type Skills, trust } from '../skills/index.ts'
import type { Store } from '../store/index.ts'
import { nameTaken, type SkillRegistry } from './skill-registry.ts'
import { detailOf, detailOfPackage, rowsOf } from './skill-rows.ts'
import type { SkillShelf } from './skill-shelf.ts'

const { INSTALLED, PUBLISHERS, REVOKED, publishersIn, publisherKey, recordsIn, revocationsIn } = registry

export interface DeskParts {
  readonly clock: Clock
  readonly self: NodeId
  /** Of this node: what its person adds as their own work is signed with it. */
  readonly signer: trust.Signer
  readonly store: Pick<Store, 'list' | 'apply'>
  readonly shelf: SkillShelf
  readonly registry: SkillRegistry
  readonly skills: Skills
  readonly policy: trust.Policy
  readonly shipped: ReadonlySet<string>
  /** Folders whose skills are this node's alone: the one that is configured. */
  readonly audit: (what: string, object: string, outcome: string) => unknown
}

const DAY_MS = 86_400_000

export function skillDesk(parts: DeskParts): SkillsView {
  const desk = new SkillDesk(parts)
  return {
    list: () => rowsOf(parts),
    show: (name) => desk.show(name),
    add: (request) =>
      parts.registry.inTurn(() => desk.add(request).catch((thrown) => refusedIn(parts, thrown))),
    rm: ({ skill }) => desk.rm(skill),
    pin: ({ skill, on }) => desk.pin(skill, on),
    grant: ({ skill, dry_run }) => parts.registry.inTurn(() => desk.grant(skill, dry_run)),
    enable({ skill }) {
      parts.skills.enable(desk.show(skill).name)
      return desk.show(skill)
    },
    revoke: (request) => desk.revoke(request),
    revoked: () => desk.revoked(),
    trust: (request) => desk.trust(request),
    trusted: () => desk.trusted(),
  }
}

/** Whose name it bears is not known before it was judged. */
async function refusedIn({ audit }: DeskParts, thrown: unknown): Promise<never> {
  await audit('skill.refused', 'a package that was to be added', errorShape(thrown).code)
  throw thrown
}

type AddRequest = Parameters<SkillsView['add']>[0]

class SkillDesk {
  readonly #parts: DeskParts

  constructor(parts: DeskParts) {
    this.#parts = parts
  }

  show(name: string): SkillDetail {
    const detail = detailOf(name, this.#parts)
    if (detail === undefined) throw new NotFoundError(`The skill ${name}`, 'loqa skill ls shows all.')
    return detail
  }

  async add({ package: given, grant, unsigned, dry_run }: AddRequest): Promise<SkillReview> {
    const { bytes, content, verdict, isOwn } = await this.#judged(given, unsigned, dry_run)
    const { name, version } = content.manifest
    if (this.#parts.shipped.has(name)) throw nameTaken(name)
    const records = await this.#records()
    const before = records.get(name)
    const incoming = { content, verdict, bytes: bytes.length }
    const after = registry.added(before, incoming, grant || dry_run, this.#who())
    const loaded = {
      content,
      verdict,
      skill: registry.skillFrom(content, verdict, this.#parts.shelf.fileOf(name)),
    }
    const current = before?.state === 'installed' ? before : undefined
    const more =
      current === undefined ? after.more : after.more.filter((ask) => !current.granted.includes(ask))
    const review = (outcome: SkillReview['outcome']): SkillReview => ({
      outcome,
      skill: detailOfPackage(loaded, after.record, current?.granted ?? []),
      more,
      unsigned: isOwn,
    })
    if (dry_run) return review(after.outcome)
    if (after.outcome === 'unchanged') return review('unchanged')
    await this.#publish(
      name,
      content.digest,
      bytes,
      after.record,
      records,
      loaded,
      after.outcome !== 'waiting',
    )
    await this.#parts.audit('skill.added', `${name} ${version} ${content.digest}`, after.outcome)
    return review(after.outcome)
  }

  async rm(name: string): Promise<SkillDetail> {
    const detail = this.show(name)
    const record = await this.#added(name)
    await this.#put(name, registry.removed(record, this.#who()))
    await this.#parts.registry.look()
    await this.#withdraw(record)
    await this.#parts.audit('skill.removed', `${name} ${record.version}`, 'removed')
    return detail
  }

  async pin(name: string, on: boolean): Promise<SkillDetail> {
    const record = await this.#added(name)
    await this.#put(name, registry.pinned(record, on))
    await this.#parts.registry.look()
    await this.#parts.audit('skill.pinned', `${name} ${record.version}`, on ? 'pinned' : 'free')
    return this.show(name)
  }

  async grant(name: string, dry_run: boolean): Promise<SkillReview> {
    const { registry: live, shelf, skills, audit } = this.#parts
    const record = await this.#added(name)
    const waiting = record.waiting
    const bytes = waiting === undefined ? undefined : await shelf.fetch(waiting)
    if (waiting === undefined) {
      throw new trust.TrustError('skill-ungranted', `No version of ${name} waits to be granted anything`)
    }
    if (bytes === undefined)
      throw new LoqaError('not-ready', `The package of ${name} ${waiting.version} has not arrived here yet`, {
        retryable: true,
      })
    const content = await readPackage(bytes)
    const asks = trust.asksOf(content.manifest)
    const next = registry.grantedTo(name, record, asks, this.#who())
    const loaded = await registry.load(name, next, bytes, live.trusted, shelf.fileOf(name))
    const review: SkillReview = {
      outcome: 'updated',
      skill: detailOfPackage(loaded, next, record.granted),
      more: asks.filter((ask) => !record.granted.includes(ask)),
      unsigned: false,
    }
    if (dry_run) return review
    await skills.swap(loaded.skill)
    await shelf.keep(name, bytes)
    live.holds(name, next, loaded)
    await this.#put(name, next)
    await this.#withdraw(record)
    await audit('skill.granted', `${name} ${next.version} ${next.digest}`, review.more.join(','))
    return review
  }

  async revoke(request: Parameters<SkillsView['revoke']>[0]): Promise<readonly RevokedRow[]> {
    const { kind, what, why, undo } = request
    const key = kind === 'skill' ? `package:${(await this.#added(what)).digest}` : `${kind}:${what}`
    if (key.startsWith('package:') || key.startsWith('key:')) {
      const id = key.slice(key.indexOf(':') + 1)
      if (!/^[0-9a-f]{64}$/.test(id)) throw new LoqaError('invalid-input', `A ${kind} is 64 hex digits`)
    }
    const { by, at } = this.#who()
    await this.#parts.store.apply(REVOKED, [
      undo ? { change: 'delete', key } : { change: 'put', key, value: { why, at, by } },
    ])
    await this.#parts.registry.look()
    await this.#parts.audit(
      'skill.revoked',
      kind === 'skill' ? `${what} ${key}` : key,
      undo ? 'undone' : 'revoked',
    )
    return this.revoked()
  }

  async revoked(): Promise<readonly RevokedRow[]> {
    const revoked = revocationsIn(await this.#parts.store.list(REVOKED))
    return [...revoked].map(([what, { why, at, by }]) => ({ what, why, at, by }))
  }

  async trust(request: Parameters<SkillsView['trust']>[0]): Promise<readonly TrustedRow[]> {
    const { publisher, key, days, undo } = request
    const { store, signer, clock, audit } = this.#parts
    const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
    const now = clock.wall()
    const from = day(now)
    const until = day(now + days * DAY_MS)
    const delegation = trust.delegate({ publisher, key, level: 'own', from, until }, signer)
    const place = publisherKey(delegation)
    await store.apply(PUBLISHERS, [
      undo ? { change: 'delete', key: place } : { change: 'put', key: place, value: delegation },
    ])
    await this.#parts.registry.look()
    await audit('skill.trusted', place, undo ? 'undone' : `until ${until}`)
    return this.trusted()
  }

  async trusted(): Promise<readonly TrustedRow[]> {
    const known = publishersIn(await this.#parts.store.list(PUBLISHERS))
    return known.map(({ publisher, key, level, from, until }) => ({ publisher, key, level, from, until }))
  }

  /** As it came, or signed here as the household's own when a person says that it is theirs. */
  async #judged(given: Uint8Array, unsigned: boolean, dry_run: boolean) {
    const { registry: live, signer, policy } = this.#parts
    const content = await readPackage(given)
    const today = this.#who().at.slice(0, 10)
    try {
      return { bytes: given, content, verdict: trust.judge(content, live.trusted, today), isOwn: false }
    } catch (thrown) {
      const why = thrown instanceof trust.TrustError ? thrown.fault : undefined
      if (why !== 'skill-unsigned' && why !== 'skill-untrusted') throw thrown
      if (!unsigned && !(dry_run && why === 'skill-unsigned')) throw thrown
    }
    trust.refuseUnsigned(content.manifest, policy)
    const bytes = await trust.signContent(content, signer)
    const signed: SkillPackage = await readPackage(bytes)
    return { bytes, content: signed, verdict: trust.judge(signed, live.trusted, today), isOwn: true }
  }

  /** Tried here first; what does not work here is told nobody. */
  async #publish(
    name: string,
    digest: string,
    bytes: Uint8Array,
    record: registry.SkillRecord,
    records: registry.Records,
    loaded: registry.Loaded,
    inUse: boolean,
  ): Promise<void> {
    const { shelf, skills, registry: live } = this.#parts
    const before = records.get(name)
    const others = [...records].filter(([other, { state }]) => other !== name && state === 'installed')
    const taken = others.reduce((sum, [, { bytes: one, waiting }]) => sum + one + (waiting?.bytes ?? 0), 0)
    if (inUse) await skills.swap(loaded.skill)
    await shelf.publish(digest, bytes, taken + (inUse ? 0 : (before?.bytes ?? 0)))
    if (inUse) {
      await shelf.keep(name, bytes)
      live.holds(name, record, loaded)
    }
    await this.#put(name, record)
    if (before !== undefined) await this.#withdraw(before)
  }

  #put(name: string, record: registry.SkillRecord): Promise<void> {
    return this.#parts.store.apply(INSTALLED, [{ change: 'put', key: name, value: record }])
  }

  /** The packages of a record that is no more, unless another has the same. */
  async #withdraw(record: registry.SkillRecord): Promise<void> {
    const named = new Set(
      [...(await this.#records()).values()]
        .filter(({ state }) => state === 'installed')
        .flatMap(({ digest, waiting }) => [digest, ...(waiting === undefined ? [] : [waiting.digest])]),
    )
    const digests = [record.digest, ...(record.waiting === undefined ? [] : [record.waiting.digest])]
    await this.#parts.shelf.withdraw(digests.filter((digest) => !named.has(digest)))
  }

  async #records(): Promise<registry.Records> {
    return recordsIn(await this.#parts.store.list(INSTALLED))
  }

  /** Errors: `not-found`. */
  async #added(name: string): Promise<registry.SkillRecord> {
    const record = (await this.#records()).get(name)
    if (record?.state === 'installed') return record
    const known = this.#parts.shipped.has(name)
    throw new NotFoundError(
      `An added skill ${name}`,
      known ? 'It came with the node and stays as it is.' : 'loqa skill ls shows all.',
    )
  }

  #who(): registry.Who {
    return { by: this.#parts.self, at: new Date(this.#parts.clock.wall()).toISOString() }
  }
}
