/**
 * Dials whom discovery names, and finds out who answers under another key: a member whose household changed its key while this
 * node was away, or, at an address given by hand, a household to ask for a place in.
 */
import { type Clock, LoqaError, type NodeId } from '../../host/index.ts'
import type { DialOutcome } from '../discovery/discovery.ts'
import { MAX_MEMBERS } from '../household/bounds.ts'
import type { Link, Place } from '../transport/mesh.ts'
import { ENROLMENT_PORT_AFTER, KNOCK_EVERY_MS, RETURN_AFTER_MS, RETURN_EVERY_MS } from './bounds.ts'

/** Addresses given by hand are few; what is remembered of them is bounded all the same. */
const MAX_KNOCKED = 64

export interface DiallingOutOptions {
  readonly clock: Clock
  readonly dial: (place: Place, expected: NodeId | undefined) => Promise<Link>
  readonly dialled: (attempt: number, outcome: DialOutcome) => void
  readonly opened: (link: Link) => void
  readonly isMember: (node: NodeId) => boolean
  /** Ask that member for what was missed. */
  readonly comeBack: (node: NodeId) => void
  readonly knock: (place: Place) => void
}

export class DiallingOut {
  readonly #options: DiallingOutOptions
  /** Where strangers that were looked at enrol others: those given by hand announce nothing. */
  readonly #doors = new Map<NodeId, Place>()
  readonly #knocks = new Map<string, number>()
  /** Since when a member answers with another key. One that was just let in has the new key a moment later. */
  readonly #strangers = new Map<NodeId, number>()
  #came_back = Number.NEGATIVE_INFINITY

  constructor(options: DiallingOutOptions) {
    this.#options = options
  }

  async dial(attempt: number, place: Place, expected: NodeId | undefined): Promise<void> {
    const { dial, dialled, opened } = this.#options
    try {
      const link = await dial(place, expected)
      this.#strangers.delete(link.peer)
      dialled(attempt, { node: link.peer })
      opened(link)
    } catch (thrown) {
      // Whatever the network throws is one failed attempt of many, never the end of the process.
      const error =
        thrown instanceof LoqaError
          ? thrown
          : new LoqaError('handshake-failed', 'the handshake failed', { retryable: true, cause: thrown })
      if (error.code !== 'wrong-key') dialled(attempt, { error })
      else this.#strange(attempt, place, expected, error)
    }
  }

  /** A look showed who enrols others there. */
  found(node: NodeId, door: Place): void {
    if (this.#doors.size >= MAX_KNOCKED) this.#doors.clear()
    this.#doors.set(node, door)
  }

  doorOf(node: NodeId): Place | undefined {
    return this.#doors.get(node)
  }

  #strange(attempt: number, place: Place, expected: NodeId | undefined, error: LoqaError): void {
    const { dialled } = this.#options
    if (expected === undefined) {
      dialled(attempt, { error })
      this.#look(place)
    } else if (this.#isTurning(expected)) {
      // Dialled again soon, as what is only not ready yet; another key for good would be tried rarely.
      const message = 'it does not hold the key of the household yet'
      dialled(attempt, {
        error: new LoqaError('handshake-failed', message, { retryable: true, cause: error }),
      })
    } else {
      dialled(attempt, { error })
      this.#comeBack(expected)
    }
  }

  /** A member that was let in, or lost us, a moment ago is about to take up the key. */
  #isTurning(member: NodeId): boolean {
    const now = this.#options.clock.monotonic()
    const since = this.#strangers.get(member) ?? now
    if (!this.#options.isMember(member)) return false
    if (this.#strangers.size >= MAX_MEMBERS) this.#strangers.clear()
    this.#strangers.set(member, since)
    return now - since < RETURN_AFTER_MS
  }

  #comeBack(member: NodeId): void {
    const { clock, isMember, comeBack } = this.#options
    const now = clock.monotonic()
    if (!isMember(member) || now - this.#came_back < RETURN_EVERY_MS) return
    this.#came_back = now
    comeBack(member)
  }

  #look(place: Place): void {
    const now = this.#options.clock.monotonic()
    const written = `${place.host} ${place.port}`
    if (now - (this.#knocks.get(written) ?? Number.NEGATIVE_INFINITY) < KNOCK_EVERY_MS) return
    if (this.#knocks.size >= MAX_KNOCKED) this.#knocks.clear()
    this.#knocks.set(written, now)
    this.#options.knock({ host: place.host, port: place.port + ENROLMENT_PORT_AFTER })
  }
}
