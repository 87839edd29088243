/**
 * Where people are heard, across the household: what a conversation of this node says of it is told to the other nodes, which keep it in
 * memory for minutes (`voice/presence/presence.ts`); in which rooms a person usually is is learned here, and kept in the store, of those
 * who agreed that anything is (`voice/presence/habit.ts`).
 */
import { type Followed, fixedAddress, type Message, type Runtime } from '../actors/index.ts'
import type { Cluster } from '../cluster/index.ts'
import { type Cancel, type Clock, errorShape, type NodeId } from '../host/index.ts'
import type { Store } from '../store/index.ts'
import {
  ANNOUNCER,
  HABITS,
  type Habit,
  habitFrom,
  habitKey,
  learned,
  type PresenceHeard,
  type PresenceTold,
  type RoomsUsual,
  usualRooms,
} from '../voice/index.ts'
import { following } from './following.ts'

/** Who talks a while is written down once. */
const WRITE_MS = 30_000
/** Of one transaction. */
const MOST_CHANGES = 256

export interface PresenceParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly runtime: Pick<Runtime, 'subscribe' | 'tell'>
  readonly store: Pick<Store, 'apply' | 'follow'>
  readonly cluster: () => Pick<Cluster, 'members' | 'linkTo'> | undefined
  readonly log: (message: string, values: Readonly<Record<string, unknown>>) => void
}

export class PresenceDesk {
  readonly #parts: PresenceParts
  readonly #ends: Cancel[] = []
  /** As the store has them: by key, with whose they are. */
  readonly #habits = new Map<string, { readonly person: string; readonly habit: Habit }>()
  /** Learned here and not written yet, by person. */
  readonly #fresh = new Map<string, Habit>()
  #timer: Cancel | undefined

  constructor(parts: PresenceParts) {
    this.#parts = parts
  }

  /** Before the first conversation. */
  start(): void {
    const heard = (message: unknown): void => this.#heard(message as PresenceHeard)
    this.#ends.push(
      this.#parts.runtime.subscribe('presence.heard', heard),
      following(this.#parts, HABITS, (followed) => this.#follow(followed)),
    )
  }

  stop(): void {
    for (const end of this.#ends) end()
    this.#timer?.()
  }

  /** In which rooms a person usually is, the usual one first. */
  usual(person: string): readonly string[] {
    const own = [...this.#habits.values()].filter((row) => row.person === person)
    return usualRooms(
      own.map(({ habit }) => habit),
      this.#parts.clock.wall(),
    )
  }

  /** What was learned of a person is erased, whichever node learned it. Errors: `store-*`. */
  async forget(which: { readonly person: string } | { readonly all: true }): Promise<void> {
    const isMeant = (person: string): boolean => 'all' in which || which.person === person
    for (const person of this.#fresh.keys()) if (isMeant(person)) this.#fresh.delete(person)
    const keys = [...this.#habits].filter(([, { person }]) => isMeant(person)).map(([key]) => key)
    for (let i = 0; i < keys.length; i += MOST_CHANGES) {
      const gone = keys.slice(i, i + MOST_CHANGES).map((key) => ({ change: 'delete', key }) as const)
      await this.#parts.store.apply(HABITS, gone)
    }
  }

  #heard({ session, room, person, level_db, kept }: PresenceHeard): void {
    const { self, clock, runtime, cluster } = this.#parts
    const told: PresenceTold = {
      ...{ type: 'presence.told', session, room, level_db },
      ...(person === undefined ? {} : { person }),
    }
    const here = cluster()
    for (const { id } of here?.members() ?? []) {
      if (here?.linkTo(id) !== undefined) runtime.tell(fixedAddress(id, 'herald'), told)
    }
    if (!kept || person === undefined) return
    const known = this.#fresh.get(person) ?? this.#habits.get(habitKey(person, self))?.habit
    this.#fresh.set(person, learned(known, room, clock.wall()))
    this.#timer ??= clock.after(WRITE_MS, () => void this.#write())
  }

  async #write(): Promise<void> {
    const { self, store, log } = this.#parts
    this.#timer = undefined
    const written = [...this.#fresh].slice(0, MOST_CHANGES)
    for (const [person] of written) this.#fresh.delete(person)
    const changes = written.map(
      ([person, habit]) => ({ change: 'put', key: habitKey(person, self), value: habit }) as const,
    )
    try {
      if (changes.length > 0) await store.apply(HABITS, changes)
    } catch (thrown) {
      // Half a minute of a habit: the next utterance teaches it again.
      const { code, message } = errorShape(thrown)
      log('In which rooms a person usually is could not be written down', { code, message })
    }
  }

  #follow({ whole, changes }: Followed): void {
    if (whole) this.#habits.clear()
    for (const change of changes) {
      const found = change.change === 'put' ? habitFrom(change.key, change.value) : undefined
      if (found === undefined) this.#habits.delete(change.key)
      else this.#habits.set(change.key, found)
      // Erased elsewhere: what was learned since the last write goes too.
      if (change.change === 'delete') this.#fresh.delete(change.key.slice(0, change.key.lastIndexOf('@')))
    }
    this.#tell()
  }

  #tell(): void {
    const { runtime } = this.#parts
    const persons = new Set([...this.#habits.values()].map(({ person }) => person))
    const usual = Object.fromEntries([...persons].map((person) => [person, this.usual(person)]))
    const message: RoomsUsual = { type: 'rooms.usual', usual }
    runtime.tell(ANNOUNCER, message as Message)
  }
}
