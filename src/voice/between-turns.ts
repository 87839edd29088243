/** When a conversation can leave its node: between two turns, or while its reply is being said, which goes on elsewhere. */
import { type Clock, LoqaError, type SessionId } from '../host/index.ts'
import type { Channels } from './channels.ts'
import type { Conversations } from './conversations.ts'

/** A conversation that is to move is waited for so long: the longest turn anybody waits for. */
const BETWEEN_TURNS_MS = 10_000
/** What it was told a moment ago has begun by then. */
const BEGUN_MS = 20

/** Phases of a turn that end within moments, and are better ended where they began. */
const IN_THE_MIDDLE: ReadonlySet<string> = new Set([
  'listening',
  'recovering',
  'transcribing',
  'interpreting',
  'acting',
  'moving',
])

export interface HandingOver {
  /** On the monotonic clock: what has not come so far by then goes as it is. */
  readonly until: number
  /** Where those who speak in it go on, the best first. */
  readonly nodes: readonly string[]
  readonly move: () => Promise<unknown>
}

export class BetweenTurns {
  readonly #clock: Clock
  readonly #conversations: Conversations
  readonly #channels: Channels

  constructor(clock: Clock, conversations: Conversations, channels: Channels) {
    this.#clock = clock
    this.#conversations = conversations
    this.#channels = channels
  }

  /** Errors: `not-found`; `not-moved` with the reason, also when it is as busy as that for too long. */
  async movable(id: SessionId): Promise<void> {
    const phase = (): string | undefined =>
      this.#conversations.lives(id) ? this.#conversations.row(id)?.phase : undefined
    const decided = (): boolean => {
      const now = phase()
      return now === undefined || now === 'idle' || now === 'moving' || this.#channels.speakIn(id)
    }
    if (this.#conversations.row(id)?.privacy.scope === 'ephemeral') {
      throw refused('it is ephemeral, and leaves no node', 'Begin another one, with --scope session.')
    }
    const came = await this.#conversations.until(decided, BETWEEN_TURNS_MS)
    const now = phase()
    if (now === undefined) {
      throw new LoqaError('not-found', 'There is no such conversation on this node', {
        hint: 'loqa sessions lists them.',
      })
    }
    if (now === 'moving') return
    if (this.#channels.speakIn(id)) {
      throw refused('a microphone of its node speaks in it', 'Move it when that one is closed.')
    }
    if (!came) throw refused('a turn is under way', 'Try again when it has ended.')
  }

  /** Resolves when nothing is under way in it, or it did not come to that. */
  async quiet(id: SessionId): Promise<void> {
    await new Promise<void>((go) => this.#clock.after(BEGUN_MS, go))
    const isQuiet = (): boolean => (this.#conversations.row(id)?.phase ?? 'idle') === 'idle'
    await this.#conversations.until(isQuiet, BETWEEN_TURNS_MS)
  }

  /** This node goes: it is moved by `move`. Errors: those of `move`. */
  async handOver(id: SessionId, { until, nodes, move }: HandingOver): Promise<void> {
    const isCalm = (): boolean => !IN_THE_MIDDLE.has(this.#conversations.row(id)?.phase ?? 'idle')
    await this.#conversations.until(isCalm, Math.max(0, until - this.#clock.monotonic()))
    const tell = this.#channels.handOver(id)
    try {
      await move()
    } finally {
      // Where it did not come, its head is.
      tell(nodes)
    }
  }
}

const refused = (why: string, hint: string): LoqaError =>
  new LoqaError('not-moved', `The conversation was not moved: ${why}`, { hint })
