/** Runs one after the other, for engines that can only do one at a time. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Starts `work` when all before it have ended. Resolves when it has ended; it must not reject. */
  take(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work)
    return this.#last
  }
}
