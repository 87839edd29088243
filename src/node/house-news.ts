/**
 * Tells the skills of this node about the household: who is in use, where each can be heard, and whether this node has caught up with
 * what changed while it was away. That is all they need to know whose turn it is to ring a timer (`skills/ringing.ts`).
 */
import { placedAddress, type Runtime } from '../actors/index.ts'
import type { Cluster } from '../cluster/index.ts'
import type { Cancel, Clock, Monotonic, NodeId } from '../host/index.ts'
import { HOUSE_WANTED, type House, type HouseNode, type SkillMessage } from '../skills/index.ts'
import type { ReplicationView } from '../store/index.ts'
import type { Loudspeakers } from '../voice/index.ts'
import type { Clustering } from './clustering.ts'

/** A node that starts has been told what changed while it was away, so long after it met the first of the others. */
export const CAUGHT_UP_MS = 2_000
/** What it was told of and is not there yet is looked at again after this. */
export const MISSING_MS = 200
/** And it waits no longer for that; nor when it meets none: on a slow machine nodes are together after four seconds. */
export const UNMET_MS = 10_000
/** What a node tells that has been in use for so long is news; before, it may be what was missed. */
export const STEADY_MS = 5_000
/** Whether this process stood still is looked at so often, and a look that comes so much late says that it did. */
const BEAT_MS = 1_000
const ASLEEP_MS = 500
/** A skill with no room for the news gets it again. */
const AGAIN_AFTER_MS = 100

export interface HouseNewsParts {
  readonly self: NodeId
  readonly clock: Clock
  readonly runtime: Pick<Runtime, 'tell' | 'find' | 'subscribe'>
  /** Names of the skills there are now. */
  readonly skills: () => readonly string[]
  readonly store: { replication(): Pick<ReplicationView, 'peers'> | undefined }
  readonly clustering: Pick<Clustering, 'listen' | 'speakersAre' | 'expectsOthers'> & {
    readonly cluster: Pick<Cluster, 'members' | 'linkTo' | 'sheets'> | undefined
  }
}

export interface Telling {
  /** This node is about to go: what falls due from now on is rung by others, or when it is back. */
  leave(): void
  stop(): void
}

/** To be called before the skills start. */
export function tellSkills(parts: HouseNewsParts): Telling {
  const news = new HouseNews(parts)
  const look = (): void => news.look()
  const { runtime, clustering } = parts
  const ends = [
    runtime.subscribe(HOUSE_WANTED, () => news.tell()),
    runtime.subscribe('loudspeakers', (message) => news.heardIn((message as Loudspeakers).rooms)),
  ]
  clustering.listen({ linked: look, unlinked: look, member: look, sheet: look })
  return {
    leave: () => news.leave(),
    stop() {
      for (const end of ends) end()
      news.stop()
    },
  }
}

class HouseNews {
  readonly #parts: HouseNewsParts
  #speakers: readonly string[] = []
  #caught_up: boolean
  #leaving = false
  #unmet: Cancel = () => undefined
  #met: Cancel = () => undefined
  #steady: Cancel = () => undefined
  #again: Cancel = () => undefined
  #beat: Cancel = () => undefined
  /** Since when each node is in use. */
  #since = new Map<NodeId, Monotonic>()
  #house: House
  #told = ''

  constructor(parts: HouseNewsParts) {
    this.#parts = parts
    this.#caught_up = !parts.clustering.expectsOthers()
    if (!this.#caught_up) this.#unmet = parts.clock.after(UNMET_MS, () => this.#caughtUp())
    this.#house = this.#seen()
    this.#beatOn()
  }

  heardIn(rooms: readonly string[]): void {
    this.#speakers = rooms
    this.#parts.clustering.speakersAre(rooms)
    this.look()
  }

  /** Something may have changed. */
  look(): void {
    this.#house = this.#seen()
    const written = JSON.stringify(this.#house)
    if (written === this.#told) return
    this.#told = written
    this.tell()
  }

  tell(): void {
    const { runtime, skills, clock } = this.#parts
    const message: SkillMessage = { type: 'house', ...this.#house }
    const addresses = skills().map((name) => placedAddress('skill', name))
    const missed = addresses.filter(
      (address) => runtime.find(address) !== undefined && !runtime.tell(address, message),
    )
    this.#again()
    if (missed.length > 0) this.#again = clock.after(AGAIN_AFTER_MS, () => this.tell())
  }

  leave(): void {
    this.#leaving = true
    this.look()
  }

  stop(): void {
    for (const cancel of [this.#unmet, this.#met, this.#steady, this.#again, this.#beat]) cancel()
  }

  /** What others tell a node that was asleep may be what it missed: nobody is steady to it for a while. */
  #beatOn(): void {
    const { clock } = this.#parts
    const due = clock.monotonic() + BEAT_MS
    this.#beat = clock.after(BEAT_MS, () => {
      if (clock.monotonic() - due > ASLEEP_MS) {
        this.#since.clear()
        this.look()
      }
      this.#beatOn()
    })
  }

  /** It has met others since then. */
  #awaitMissing(met: Monotonic): void {
    const { clock, store } = this.#parts
    const isMissing = store.replication()?.peers.some(({ ahead }) => ahead > 0) ?? false
    if (!isMissing || clock.monotonic() - met >= UNMET_MS) this.#caughtUp()
    else this.#met = clock.after(MISSING_MS, () => this.#awaitMissing(met))
  }

  #caughtUp(): void {
    this.#unmet()
    this.#met()
    this.#caught_up = true
    this.look()
  }

  #seen(): House {
    const { self, clock, clustering } = this.#parts
    const { cluster } = clustering
    const inUse = (cluster?.members() ?? [])
      .filter(({ id, standing }) => standing.status === 'alive' && cluster?.linkTo(id) !== undefined)
      .map(({ id }) => id)
    const now = clock.monotonic()
    if (inUse.length > 0 && !this.#caught_up && this.#since.size === 0) {
      this.#unmet()
      this.#met()
      this.#met = clock.after(CAUGHT_UP_MS, () => this.#awaitMissing(now))
    }
    this.#since = new Map(inUse.map((id) => [id, this.#since.get(id) ?? now]))
    const others = inUse.map((id): HouseNode => {
      const speakers = cluster?.sheets().get(id)?.sheet.speakers ?? []
      return { node: id, speakers, steady: now - this.#since.get(id)! >= STEADY_MS }
    })
    this.#lookWhenSteady(now)
    const own: HouseNode = { node: self, speakers: this.#speakers, steady: true }
    const nodes = [own, ...others].sort((a, b) => (a.node < b.node ? -1 : 1))
    return { nodes, caught_up: this.#caught_up && !this.#leaving }
  }

  /** The next one of which that will be true is looked at then. */
  #lookWhenSteady(now: Monotonic): void {
    const spans = [...this.#since.values()].map((since) => since + STEADY_MS - now).filter((left) => left > 0)
    this.#steady()
    if (spans.length > 0) this.#steady = this.#parts.clock.after(Math.min(...spans), () => this.look())
  }
}
