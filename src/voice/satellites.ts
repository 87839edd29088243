/** The `play` port: from a session's effects to the satellite it speaks through. */
import type { Outcome, OutsideEffect, Ref } from '../actors/index.ts'
import { type Clock, type ErrorShape, NotFoundError, type RequestId } from '../host/index.ts'
import type { VoiceEvent } from './messages.ts'
import { Player, type VoiceListener } from './player.ts'

type Deliver = (outcome: Outcome) => void
type Play = OutsideEffect<'play'>

/** How the runtime asks for playing. */
export interface PlayPort {
  request(effect: Play, deliver: Deliver, actor: Ref): void
  cancel(id: RequestId, actor: Ref): void
  actorGone(actor: Ref): void
}

interface Reply {
  readonly id: RequestId
  readonly actor: Ref
  readonly satellite: string
  readonly deliver: Deliver
  readonly player: Player
}

export class Satellites implements PlayPort {
  readonly #clock: Clock
  readonly #ahead_ms: number
  readonly #listeners = new Map<string, VoiceListener>()
  /** By satellite: one voice at a time comes out of a loudspeaker. */
  readonly #replies = new Map<string, Reply>()

  constructor(clock: Clock, ahead_ms: number) {
    this.#clock = clock
    this.#ahead_ms = ahead_ms
  }

  add(satellite: string, listener: VoiceListener): void {
    this.#listeners.set(satellite, listener)
  }

  /** Until when it has something to play, monotonic ms; 0: it is silent. */
  soundsUntil(satellite: string): number {
    return this.#replies.get(satellite)?.player.end_at ?? 0
  }

  /** The connection is gone. Its session hears of that as `session.detach` and gives up what it was saying. */
  remove(satellite: string): void {
    this.#listeners.delete(satellite)
    const reply = this.#replies.get(satellite)
    if (reply === undefined) return
    this.#replies.delete(satellite)
    reply.player.stop()
  }

  /** Its session goes on elsewhere, and so will it: what it is told now is said by nobody here. */
  handOver(satellite: string, ahead_ms: number): void {
    this.#listeners.delete(satellite)
    const reply = this.#replies.get(satellite)
    this.#replies.delete(satellite)
    reply?.player.handOver(ahead_ms)
  }

  request(effect: Play, deliver: Deliver, actor: Ref): void {
    const listener = this.#listeners.get(effect.to)
    if (listener === undefined) {
      deliver(failed(effect.id, gone(effect.to)))
      return
    }
    if (effect.op === 'event') {
      listener.event(effect.body as VoiceEvent)
      deliver({ type: 'outcome', id: effect.id, event: 'done' })
      return
    }
    if (effect.op === 'cut') {
      this.#cut(effect, deliver, actor)
      return
    }
    const { player } = this.#replyFor(effect, deliver, actor, listener)
    if (effect.op === 'audio') player.push(effect.body as Int16Array)
    else player.end()
  }

  cancel(id: RequestId, actor: Ref): void {
    this.#stop((reply) => reply.id === id && isSame(reply.actor, actor))
  }

  actorGone(actor: Ref): void {
    this.#stop((reply) => isSame(reply.actor, actor))
  }

  /** A reply that is over, or never began, was played as far as it was sent: nothing comes after. */
  #cut(effect: Play, deliver: Deliver, actor: Ref): void {
    const reply = this.#replies.get(effect.to)
    if (reply?.id !== effect.id || !isSame(reply.actor, actor)) {
      deliver(failed(effect.id, gone(effect.to)))
      return
    }
    this.#replies.delete(effect.to)
    const cut = reply.player.cut(effect.body as number)
    deliver({ type: 'outcome', id: effect.id, event: 'done', body: cut })
  }

  #replyFor(effect: Play, deliver: Deliver, actor: Ref, listener: VoiceListener): Reply {
    const current = this.#replies.get(effect.to)
    if (current?.id === effect.id && isSame(current.actor, actor)) return current
    // Another reply on the same loudspeaker gives way; its session hears that it was not played.
    if (current !== undefined) {
      current.player.stop()
      current.deliver(failed(current.id, gone(effect.to)))
    }
    const player = new Player(this.#clock, listener, this.#ahead_ms, () => {
      this.#replies.delete(effect.to)
      deliver({ type: 'outcome', id: effect.id, event: 'done' })
    })
    const reply: Reply = { id: effect.id, actor, satellite: effect.to, deliver, player }
    this.#replies.set(effect.to, reply)
    return reply
  }

  #stop(which: (reply: Reply) => boolean): void {
    for (const reply of [...this.#replies.values()]) {
      if (!which(reply)) continue
      this.#replies.delete(reply.satellite)
      reply.player.stop()
    }
  }
}

const isSame = (a: Ref, b: Ref): boolean => a.address === b.address && a.incarnation === b.incarnation

const gone = (satellite: string): ErrorShape => new NotFoundError(`satellite ${satellite}`).toJSON()

const failed = (id: RequestId, error: ErrorShape): Outcome => ({
  type: 'outcome',
  id,
  event: 'failed',
  error,
})
