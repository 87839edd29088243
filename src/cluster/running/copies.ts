/** Copies of a node's data directory: which of two lives of one id goes on, and what each of them is told. */
import type { NodeId } from '../../host/index.ts'
import { aloneWith, ClonedError, type CloneState, heardOf, isNewer, type Life } from '../household/clones.ts'

export interface CopiesOptions {
  readonly self: Life
  /** For people: once per pair of lives. */
  readonly named: (error: ClonedError) => void
  /** This node gave way: from now on it writes nothing. */
  readonly gaveWay: (error: ClonedError) => void
}

export class Copies {
  readonly #options: CopiesOptions
  #state: CloneState

  constructor(options: CopiesOptions) {
    this.#options = options
    this.#state = aloneWith(options.self)
  }

  /** Set once this node has given way to a copy of itself. */
  get refusing(): ClonedError | undefined {
    return this.#state.refusing
  }

  newestOf(node: NodeId): Life | undefined {
    return this.#state.lives.get(node)
  }

  /** A life was heard of, of this node or another. */
  heard(life: Life): void {
    const before = this.#state.refusing
    const { state, error } = heardOf(this.#state, life)
    this.#state = state
    if (error !== undefined) this.#options.named(error)
    if (before === undefined && state.refusing !== undefined) this.#options.gaveWay(state.refusing)
  }

  /**
   * Somebody greets with this life. The error when a newer one lives under the same id; `alive` says whether that newer one is
   * still there: if it is not, this is no copy but a directory that was put back from a backup.
   */
  greeted(life: Life, alive: boolean): ClonedError | undefined {
    const newest = this.#state.lives.get(life.node)
    const older = newest !== undefined && newest.boot !== life.boot && isNewer(newest, life)
    if (older && !alive) {
      const lives = new Map(this.#state.lives)
      lives.delete(life.node)
      this.#state = { ...this.#state, lives }
    }
    this.heard(life)
    return older && alive ? new ClonedError(life, newest) : undefined
  }
}
