/** What was opened, closed in reverse; one part that fails to close does not keep the others open. */
export class Undo {
  readonly #steps: (() => unknown)[] = []

  later(step: () => unknown): void {
    this.#steps.push(step)
  }

  async all(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (thrown) {
        process.stderr.write(`While stopping: ${String(thrown)}\n`)
      }
    }
  }
}
