/** Runs one after the other, for engines that can only do one at a time. */
export interface TurnTaken {
  /** Gives the turn up. Resolves when its work has ended; at once when it has not begun, and then it never does. */
  drop(): Promise<void>
}

interface Waiting {
  readonly work: () => Promise<void>
  phase: 'waiting' | 'running' | 'ended' | 'dropped'
  ended: Promise<void>
}

export class Turns {
  readonly #queue: Waiting[] = []
  #running = false

  /** Starts `work` when all before it have ended, never at once; it must not reject. */
  take(work: () => Promise<void>): TurnTaken {
    const turn: Waiting = { work, phase: 'waiting', ended: Promise.resolve() }
    this.#queue.push(turn)
    queueMicrotask(() => this.#next())
    return {
      drop: () => {
        if (turn.phase === 'waiting') turn.phase = 'dropped'
        return turn.ended
      },
    }
  }

  #next(): void {
    if (this.#running) return
    const turn = this.#queue.shift()
    if (turn === undefined) return
    if (turn.phase === 'dropped') {
      this.#next()
      return
    }
    this.#running = true
    turn.phase = 'running'
    turn.ended = turn.work().finally(() => {
      turn.phase = 'ended'
      this.#running = false
      this.#next()
    })
  }
}
