/** What the node remembers of conversations and persons, put together, and as the API sees it. */
import type { MemoryView, PersonRow, TimelineRow } from '../api/index.ts'
import type { Config } from '../config.ts'
import { type Host, NotFoundError } from '../host/index.ts'
import type { Audit, Log, Metrics } from '../observe/index.ts'
import type { SkillRow } from '../skills/index.ts'
import {
  type Erased,
  type KeptTimeline,
  type Keys,
  openTimeline,
  type Store,
  type Timeline,
} from '../store/index.ts'
import type { Voice } from '../voice/index.ts'
import type { Heads } from './heads.ts'
import { People, type Person } from './people.ts'
import type { PresenceDesk } from './presence.ts'
import { Recorder, type RecorderParts } from './recording.ts'

/** How often conversations are looked for that are gone and did not say so, ms. */
const SWEEP_EVERY_MS = 30_000

export interface Memory {
  readonly timeline: Timeline
  readonly people: People
  readonly recorder: Recorder
  /** In the audit log: ids and counts, never words. */
  noted(what: string, object: string, outcome: string): Promise<void>
  close(): Promise<void>
}

export interface MemoryParts {
  readonly host: Host
  readonly config: Config
  readonly keys: Pick<Keys, 'for'>
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  readonly audit: Pick<Audit, 'append'>
  /** The quality tier in force. */
  readonly tier: () => string
  readonly skills: () => readonly Pick<SkillRow, 'name' | 'permissions'>[]
  /** As of `RecorderParts`. */
  readonly traced?: RecorderParts['traced']
}

/** Errors: `store-key-wrong`, `store-damaged`, `store-too-new`, `store-io`, `DiskError`. */
export async function openMemory(parts: MemoryParts): Promise<Memory> {
  const { host, config, keys, store, log, metrics } = parts
  const { keep, keep_days: days } = config.timeline
  const timeline = await openTimeline({
    ...{ host, keep, days },
    directory: config.node.data_dir,
    key: keys.for('timeline'),
    lost(events, why) {
      metrics.add('loqa_timeline_events_lost_total', events, { why })
      log.warn('Steps of a conversation were not kept', { events, why })
    },
  })
  const people = new People({
    ...{ store, timeline },
    clock: host.clock,
    random: host.random,
    scope: config.privacy.scope,
    keepsDays: keep === 'days',
    skills: () => parts.skills().map(({ name }) => name),
    failed: (error) => log.warn('What was ordered to be erased could not be looked for', { error }),
  })
  await people.start()
  const recorder = new Recorder({
    timeline,
    clock: host.clock,
    random: host.random,
    tier: parts.tier,
    allowed: (agreed) => people.allowed(agreed),
    permissions: (skill) => parts.skills().find(({ name }) => name === skill)?.permissions,
    traced: parts.traced,
  })
  return {
    ...{ timeline, people, recorder },
    async noted(what, object, outcome) {
      await parts.audit.append({ actor: 'node', who: '-', what, object, outcome })
    },
    async close() {
      people.stop()
      await timeline.close()
    },
  }
}

/** Once conversations can be looked up. */
export function keepSweeping(
  { clock }: Pick<Host, 'clock'>,
  { recorder }: Pick<Memory, 'recorder'>,
  lives: (session: string) => boolean,
): () => void {
  let next = (): void => undefined
  const sweep = (): void => {
    next = clock.after(SWEEP_EVERY_MS, () => {
      recorder.sweep(lives)
      sweep()
    })
  }
  sweep()
  return () => next()
}

export function memoryView(
  { timeline, people, noted }: Pick<Memory, 'timeline' | 'people' | 'noted'>,
  voice: Pick<Voice, 'replay'>,
  heads: Pick<Heads, 'forget'>,
  presence: Pick<PresenceDesk, 'forget' | 'usual'>,
): MemoryView {
  const eventsOf = async (session: string) => {
    const events = await timeline.read(session)
    if (events.length > 0) return events
    throw new NotFoundError(
      'A timeline of this conversation',
      'It lies on the node that had the conversation (loqa sessions), and only as long as its scope allows: loqa sessions show.',
    )
  }
  return {
    timelines: async () => (await timeline.list()).map(timelineRow),
    timeline: async (session) => ({ session, events: await eventsOf(session) }),
    replay: async (session) => voice.replay(await eventsOf(session)),
    async erase(which, dry_run) {
      const found = await timeline.wouldErase(which)
      if ('session' in which && found.timelines === 0) await eventsOf(which.session)
      if (dry_run) return found
      const erased = await timeline.erase(which)
      await heads.forget(which)
      if (!('session' in which)) await presence.forget(which)
      await noted('timeline.erased', 'all' in which ? 'all' : 'one', countText(erased))
      return erased
    },
    async persons() {
      await people.look()
      return people.list().map(personRow)
    },
    addPerson: async (name) => personRow(await people.add(name)),
    async consent(wanted, given) {
      const person = await people.consent(wanted, given)
      if (!given) await presence.forget({ person: person.id })
      await noted(given ? 'consent.given' : 'consent.withdrawn', person.id, 'ok')
      return personRow(person)
    },
    async exportPerson(wanted) {
      await people.look()
      const person = people.known(wanted)
      const own = (await timeline.list()).filter((row) => row.person === person.id)
      const sessions = [...new Set(own.map(({ session }) => session))]
      const timelines = await Promise.all(
        sessions.map(async (session) => ({ session, events: await timeline.read(session) })),
      )
      return { person: personRow(person), timelines, usual_rooms: presence.usual(person.id) }
    },
    async erasePerson(wanted, dry_run) {
      const { person, erased } = await people.erase(wanted, dry_run)
      if (!dry_run) {
        await heads.forget({ person: person.id })
        await presence.forget({ person: person.id })
      }
      if (!dry_run) await noted('person.erased', person.id, countText(erased))
      return { person: personRow(person), ...erased }
    },
  }
}

const countText = ({ timelines, events }: Erased): string => `${timelines} timelines, ${events} steps`

const iso = (wall: number): string => new Date(wall).toISOString()

const timelineRow = (kept: KeptTimeline): TimelineRow => ({
  session: kept.session,
  scope: kept.scope,
  room: kept.room,
  person: kept.person ?? null,
  started_at: iso(kept.started_at),
  ended_at: kept.ended_at === undefined ? null : iso(kept.ended_at),
  events: kept.events,
  bytes: kept.bytes,
})

const personRow = ({ id, name, since, consent }: Person): PersonRow => ({
  id,
  name,
  since,
  consent: consent ?? null,
})
