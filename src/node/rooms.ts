/**
 * The rooms of the house, from one of its nodes: a conversation goes on in another room, and what is said there a moment later belongs to
 * it. Where it lives then is where that room's satellite is. What a conversation does about it is in `voice/away.ts`, who is meant in
 * `voice/neighbours.ts`; here it is carried out: ask it to leave, move it, and see to it that somebody takes it.
 */
import { type Address, fixedAddress, type Message, type Runtime } from '../actors/index.ts'
import type { Cluster, Moved, Moving, Placing } from '../cluster/index.ts'
import { type Clock, LoqaError, type NodeId, type SessionId, sessionId } from '../host/index.ts'
import {
  ANNOUNCER,
  type AnnouncementFar,
  type AnnouncementGiven,
  commonTalk,
  FOLLOWED_MS,
  leftFromAfar,
  type NeighbourKnown,
  nearestTalk,
  noSpeakerIn,
  PHRASES,
  type RoomRefused,
  type RoomWanted,
  type SessionLeave,
  sessionAddress,
  TALKS_ASKED,
  type TalkRows,
  type TalkSought,
  type TalkWanted,
  type Transcribed,
  talksFromAfar,
  type Voice,
} from '../voice/index.ts'

/** A node that is there answers in milliseconds; nobody waits for one that is not, while somebody speaks. */
const TALKS_MS = 250
/** Somebody said that one is to come, and it is somewhere: a node that is busy is waited for. Within what they wait (`moving_ms`). */
const TALKS_WANTED_MS = 1_000
/** For a session to leave its satellite: it waits for the loudspeaker's word, which is there at once. */
const LEAVE_MS = 1_000
/** A conversation in the middle of a turn is asked again after so long. */
const AGAIN_MS = 25
/** For another node to take an announcement: it waits no longer where a timer is to ring. */
const GIVEN_MS = 500
/** Somebody has just spoken, and waits. */
const SPOKEN_PATIENCE_MS = 1_000
/** Somebody typed it: the longest turn anybody waits for. */
const TYPED_PATIENCE_MS = 8_000

export interface RoomsParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly runtime: Pick<Runtime, 'ask' | 'tell' | 'subscribe'>
  readonly voice: Pick<Voice, 'rooms' | 'sessions'>
  readonly moving: Pick<Moving, 'move'>
  readonly placing: Pick<Placing, 'livesOn'>
  readonly cluster: () => Pick<Cluster, 'sheets' | 'members' | 'linkTo'> | undefined
  /** One came to another room. */
  readonly moved: (session: SessionId, room: string, moved: Moved) => void
}

interface Destination {
  readonly room: string
  readonly node: NodeId
  readonly satellite?: string
  readonly heard?: Transcribed
}

export class Rooms {
  readonly #parts: RoomsParts
  readonly #ends: (() => void)[] = []
  #elsewhere = '[]'
  /** What other nodes are just asked to say. */
  readonly #giving = new Set<{ readonly node: NodeId; readonly lost: AbortController }>()

  constructor(parts: RoomsParts) {
    this.#parts = parts
  }

  /** Before the first conversation. */
  start(): void {
    const { runtime } = this.#parts
    const hear = <Told>(topic: string, hearing: (message: Told) => Promise<void>): void => {
      // Whoever waits for it does something else when nothing comes.
      this.#ends.push(
        runtime.subscribe(topic, (message) => void hearing(message as Told).catch(() => undefined)),
      )
    }
    hear('talk.sought', (message: TalkSought) => this.#sought(message))
    hear('room.wanted', (message: RoomWanted) => this.#wanted(message))
    hear('talk.wanted', (message: TalkWanted) => this.#along(message))
    hear('announcement.far', (message: AnnouncementFar) => this.#announce(message))
    this.look()
  }

  /** Rooms of other nodes may have changed. */
  look(): void {
    const linked = this.#linked()
    const rooms = [...new Set(linked.flatMap((node) => this.#speakersOf(node)))].sort()
    const told = JSON.stringify(rooms)
    for (const one of this.#giving) if (!linked.includes(one.node)) one.lost.abort()
    if (told === this.#elsewhere) return
    this.#elsewhere = told
    this.#parts.runtime.tell(ANNOUNCER, { type: 'rooms.elsewhere', rooms } as Message)
  }

  stop(): void {
    for (const end of this.#ends) end()
  }

  /** Errors: `not-found`: there is no such conversation, or no satellite in that room; `already-there`; and those of moving. */
  async move(session: SessionId, room: string): Promise<Moved & { readonly room: string }> {
    const owner = this.#ownerOf(session)
    const node = this.#satelliteIn(room, owner)
    if (node === undefined) {
      throw new LoqaError('not-found', noSpeakerIn(room), {
        hint: 'Connect a satellite there: loqa listen mic --room ROOM.',
      })
    }
    return { room, ...(await this.#handOver(session, { room, node }, TYPED_PATIENCE_MS)) }
  }

  /** Somebody begins to speak: perhaps they go on with what was said elsewhere. */
  async #sought({ session }: TalkSought): Promise<void> {
    const talk = commonTalk(this.#asking(session), await this.#talks(session))
    if (talk === undefined) return
    const { heard_ms, last, asks } = talk
    const message: NeighbourKnown = {
      type: 'neighbour.known',
      neighbour: { session: sessionId(talk.session), last, asks, left_ms: FOLLOWED_MS - heard_ms },
    }
    this.#tell(session, message)
  }

  async #wanted({ session, satellite, room, here, heard }: RoomWanted): Promise<void> {
    const { self } = this.#parts
    if (here) {
      const talk = nearestTalk(this.#asking(session), await this.#talks(session, TALKS_WANTED_MS))
      if (talk === undefined) return this.#refuse(session, PHRASES.nothingElsewhere)
      return this.#bring(session, sessionId(talk.session), { room, node: self, satellite, heard })
    }
    const node = this.#satelliteIn(room, self)
    if (node === undefined) return this.#refuse(session, noSpeakerIn(room))
    return this.#bring(session, session, { room, node })
  }

  #along({ session, satellite, room, from, heard }: TalkWanted): Promise<void> {
    return this.#bring(session, from, { room, node: this.#parts.self, satellite, heard })
  }

  /** Said in the wrong room is better than said to nobody. */
  async #announce({ id, announcement }: AnnouncementFar): Promise<void> {
    const { runtime } = this.#parts
    const { session: _here, whose: _theirs, everywhere: _all, ...given } = announcement
    const node = this.#linked().find((one) => this.#speakersOf(one).includes(given.room ?? ''))
    const message: AnnouncementGiven = { type: 'announcement.given', announcement: given }
    try {
      if (node === undefined) throw new LoqaError('not-found', 'No node has a loudspeaker there any more')
      await this.#give(node, message)
      runtime.tell(ANNOUNCER, { type: 'announcement.spoken', id } as Message)
    } catch {
      runtime.tell(ANNOUNCER, { type: 'announcement.here', id } as Message)
    }
  }

  /** Errors: it does not answer, or is suspected meanwhile. */
  async #give(node: NodeId, message: AnnouncementGiven): Promise<void> {
    const giving = { node, lost: new AbortController() }
    this.#giving.add(giving)
    try {
      const how = { deadline_ms: GIVEN_MS, signal: giving.lost.signal }
      await this.#parts.runtime.ask(fixedAddress(node, 'herald'), message, how)
    } finally {
      this.#giving.delete(giving)
    }
  }

  async #bring(asking: SessionId, session: SessionId, to: Destination): Promise<void> {
    try {
      await this.#handOver(session, to, SPOKEN_PATIENCE_MS)
    } catch {
      this.#refuse(asking, PHRASES.nowhere)
    }
  }

  async #handOver(session: SessionId, to: Destination, patience_ms: number): Promise<Moved> {
    const { clock, runtime, moving, moved: told } = this.#parts
    const address = sessionAddress(session)
    const from = this.#ownerOf(session)
    await this.#leave(address, to, from !== to.node, patience_ms)
    const began = clock.monotonic()
    if (from === to.node) {
      runtime.tell(address, { type: 'session.arrive' })
      const moved = { from, to: from, away_ms: clock.monotonic() - began }
      told(session, to.room, moved)
      return moved
    }
    try {
      const moved = await moving.move(address, to.node)
      told(session, to.room, moved)
      return moved
    } catch (thrown) {
      runtime.tell(address, { type: 'session.stay' })
      throw thrown
    }
  }

  /** Errors: `not-moved` with why; those of asking. */
  async #leave(
    address: Address,
    { room, satellite, heard }: Destination,
    far: boolean,
    patience_ms: number,
  ): Promise<void> {
    const { clock, runtime } = this.#parts
    const message: SessionLeave = {
      ...{ type: 'session.leave', room, far },
      ...(satellite === undefined ? {} : { satellite }),
      ...(heard === undefined ? {} : { heard }),
    }
    const until = clock.monotonic() + patience_ms
    for (;;) {
      const answer = leftFromAfar(await runtime.ask(address, message, { deadline_ms: LEAVE_MS }))
      if (answer === undefined)
        throw new LoqaError('unexpected', 'Another node answered what no session says')
      if (answer.why_not === undefined) return
      if (answer.why_not === 'ephemeral') {
        throw new LoqaError(
          'not-moved',
          'The conversation was not moved: it is ephemeral, and leaves no node',
        )
      }
      if (answer.why_not === 'there') {
        throw new LoqaError('already-there', 'It speaks in that room already')
      }
      if (clock.monotonic() >= until) {
        throw new LoqaError('not-moved', 'The conversation was not moved: a turn is under way', {
          retryable: true,
          hint: 'Try again when it has ended.',
        })
      }
      await new Promise<void>((go) => clock.after(AGAIN_MS, go))
    }
  }

  #ownerOf(session: SessionId): NodeId {
    const owner = this.#parts.placing.livesOn(sessionAddress(session))
    if (owner !== undefined) return owner
    throw new LoqaError('not-found', 'There is no such conversation in this household', {
      hint: 'loqa sessions lists them.',
    })
  }

  /** A node with a satellite in that room; the one that is asked for first, if it has one, then this one. */
  #satelliteIn(room: string, first: NodeId): NodeId | undefined {
    const { self, voice } = this.#parts
    const own = voice.rooms().includes(room) ? [self] : []
    const having = [...own, ...this.#linked().filter((node) => this.#speakersOf(node).includes(room))]
    return having.includes(first) ? first : having[0]
  }

  #speakersOf(node: NodeId): readonly string[] {
    return this.#parts.cluster()?.sheets().get(node)?.sheet.speakers ?? []
  }

  #linked(): readonly NodeId[] {
    const cluster = this.#parts.cluster()
    // A cable that was pulled is no link any more long before it is closed: nobody waits for who is suspected.
    return (cluster?.members() ?? [])
      .filter(({ id, standing }) => standing.status === 'alive' && cluster?.linkTo(id) !== undefined)
      .map(({ id }) => id)
  }

  #asking(session: SessionId): { readonly session: string; readonly person?: string | undefined } {
    const row = this.#parts.voice.sessions().find(({ id }) => id === session)
    return { session, person: row?.privacy.person }
  }

  /** None for a conversation that is nobody else's business. */
  async #talks(session: SessionId, wait_ms = TALKS_MS): Promise<TalkRows['talks']> {
    const { self, voice } = this.#parts
    if (voice.sessions().find(({ id }) => id === session)?.privacy.scope === 'ephemeral') return []
    const told = await Promise.all([self, ...this.#linked()].map((node) => this.#talksOn(node, wait_ms)))
    return told.flat()
  }

  async #talksOn(node: NodeId, deadline_ms: number): Promise<TalkRows['talks']> {
    try {
      const address = fixedAddress(node, 'registrar')
      return talksFromAfar(await this.#parts.runtime.ask(address, TALKS_ASKED, { deadline_ms })) ?? []
    } catch {
      return []
    }
  }

  #refuse(session: SessionId, speech: string): void {
    const message: RoomRefused = { type: 'room.refused', speech }
    this.#tell(session, message)
  }

  #tell(session: SessionId, message: Message): void {
    this.#parts.runtime.tell(sessionAddress(session), message)
  }
}
