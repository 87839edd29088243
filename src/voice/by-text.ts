/** Turns by text: in a conversation of this node, or of another one that is asked. */
import type { Message } from '../actors/index.ts'
import { type Clock, InvalidInputError, LoqaError, limits, type SessionId } from '../host/index.ts'
import { turnFromAfar } from './afar.ts'
import type { Conversations } from './conversations.ts'
import type { TurnAnswer, TurnView } from './messages.ts'
import { roomOf, sessionAddress, sessionName } from './names.ts'
import type { Asking, Household, PrivacyWanted, VoiceRuntime } from './voice-options.ts'

/** A turn waits this long for its turn and its answer together. */
const ASK_MS = 15_000
/** The copy that does not count says its last words for so long at most. */
const YIELD_MS = 10_000
const LOOK_AGAIN_MS = 20
/** A text finds a conversation that moves on while it is asked for. */
const MOST_LOOKS = 3

export interface ByTextParts {
  readonly clock: Clock
  /** Of who does not say where they are. */
  readonly room: string
  readonly household: Household | undefined
  readonly conversations: Conversations
  readonly runtime: () => VoiceRuntime
}

export class ByText {
  readonly #parts: ByTextParts

  constructor(parts: ByTextParts) {
    this.#parts = parts
  }

  /** Without a session it continues the conversation by text of its room. */
  async ask(
    request: Asking & { readonly text: string },
    signal: AbortSignal,
  ): Promise<TurnView & { readonly notice?: string }> {
    const { conversations } = this.#parts
    const text = textOf(request.text)
    const room = roomOf(request.room ?? this.#parts.room)
    const wanted = request.session ?? conversations.ofTexts(room, request)
    if (this.#isYielding(sessionName(wanted))) await this.#yielded(sessionName(wanted))
    if (this.isElsewhere(sessionName(wanted))) {
      // A name that was not given says itself what was agreed.
      const agreed = request.session === undefined ? {} : request
      const turn = await this.#askAfar(sessionName(wanted), text, agreed, signal)
      if (turn !== undefined) return turn
    }
    const session = conversations.begin(wanted, room, request)
    const { notice } = conversations.privacy(request)
    const { turn } = (await this.#ask(session, text, signal)) as TurnAnswer
    return notice === undefined ? turn : { ...turn, notice }
  }

  isElsewhere(session: SessionId): boolean {
    if (this.#parts.conversations.lives(session)) return false
    return this.#parts.household?.isElsewhere(sessionAddress(session)) === true
  }

  #ask(session: SessionId, text: string, signal: AbortSignal): Promise<Message> {
    const message = { type: 'turn.ask', text } as Message
    return this.#parts.runtime().ask(sessionAddress(session), message, { deadline_ms: ASK_MS, signal })
  }

  #isYielding(session: SessionId): boolean {
    return this.#parts.household?.isYielding?.(sessionAddress(session)) === true
  }

  /** What is said from now on is for the copy that counts; the one here says its last words. */
  async #yielded(session: SessionId): Promise<void> {
    for (let waited_ms = 0; waited_ms <= YIELD_MS; waited_ms += LOOK_AGAIN_MS) {
      if (!this.#isYielding(session)) return
      await new Promise<void>((go) => this.#parts.clock.after(LOOK_AGAIN_MS, go))
    }
  }

  /** Undefined: it does not live there any more; nobody there has heard the text. */
  async #askAfar(
    session: SessionId,
    text: string,
    { scope, person }: PrivacyWanted,
    signal: AbortSignal,
  ): Promise<TurnView | undefined> {
    if (scope !== undefined || person !== undefined) {
      throw new InvalidInputError(
        'This conversation lives on another machine, and its scope and person were chosen there',
        'Leave them out, or begin another conversation here.',
      )
    }
    let answer: Message | undefined
    for (let looked = 1; answer === undefined; looked += 1) {
      try {
        answer = await this.#ask(session, text, signal)
      } catch (thrown) {
        const code = thrown instanceof LoqaError ? thrown.code : undefined
        if (code === 'not-found') return undefined
        // It was asked where it lived a moment ago; where it lives now was told before that.
        if (code !== 'placed-elsewhere' || looked === MOST_LOOKS) throw thrown
        await this.#yielded(session)
        if (!this.isElsewhere(session)) return undefined
      }
    }
    const turn = turnFromAfar(answer)
    if (turn === undefined) throw new LoqaError('unexpected', 'Another node answered what no session says')
    return turn
  }
}

/** Errors: `invalid-input`. */
function textOf(given: string): string {
  const text = given.trim()
  if (text === '') throw new InvalidInputError('The text is empty', 'Say what you want.')
  if (text.length > limits.MAX_TURN_TEXT) {
    throw new InvalidInputError(
      `The text is longer than ${limits.MAX_TURN_TEXT} characters`,
      'Say it in fewer words.',
    )
  }
  return text
}
