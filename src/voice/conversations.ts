/**
 * The conversations of this node: which there are, in which phase, and what was agreed about each when it began. One that is named and
 * does not live yet begins here, from its head when its node is gone.
 */
import {
  type Clock,
  InvalidInputError,
  newSessionId,
  OverloadedError,
  type SessionId,
  sessionId,
} from '../host/index.ts'
import { MOST_SESSIONS } from './afar.ts'
import type { Carried } from './carried-shape.ts'
import type { SessionPhase } from './messages.ts'
import { sessionAddress, sessionName, slug } from './names.ts'
import type { SessionArgs } from './session.ts'
import type {
  Asking,
  Privacy,
  PrivacyWanted,
  SessionRow,
  VoiceOptions,
  VoiceRuntime,
} from './voice-options.ts'

export interface ConversationsParts {
  readonly options: Pick<VoiceOptions, 'clock' | 'random' | 'household' | 'privacy'>
  /** Errors: `starting`. */
  readonly runtime: () => Pick<VoiceRuntime, 'find'>
  readonly spawn: (args: SessionArgs, snapshot: { readonly of: Carried } | undefined) => void
}

export class Conversations {
  readonly #parts: ConversationsParts
  readonly #rows = new Map<string, SessionRow>()
  readonly #watching = new Set<() => void>()

  constructor(parts: ConversationsParts) {
    this.#parts = parts
  }

  get #clock(): Clock {
    return this.#parts.options.clock
  }

  /** What one of them says about itself. Whether it is still here. */
  phase(message: SessionPhase): boolean {
    const { session, room, phase, started_at } = message
    const stays = phase !== 'ended' && phase !== 'moved'
    if (stays) {
      const privacy = this.#rows.get(session)?.privacy ?? message.privacy ?? this.privacy({})
      this.#rows.set(session, { id: session, room, phase, started_at, privacy })
    } else this.#rows.delete(session)
    for (const look of [...this.#watching]) look()
    return stays
  }

  row(id: SessionId): SessionRow | undefined {
    return this.#rows.get(id)
  }

  lives(id: SessionId): boolean {
    return this.#parts.runtime().find(sessionAddress(id)) !== undefined
  }

  rows(): readonly SessionRow[] {
    return [...this.#rows.values()].filter(({ id }) => this.lives(sessionId(id)))
  }

  /** Looks whenever a phase changes, for `within_ms` at most. Whether it came to hold. */
  until(holds: () => boolean, within_ms: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (held: boolean): void => {
        this.#watching.delete(look)
        late()
        resolve(held)
      }
      const look = (): void => {
        if (holds()) settle(true)
      }
      const late = this.#clock.after(within_ms, () => settle(holds()))
      this.#watching.add(look)
    })
  }

  privacy(wanted: PrivacyWanted): Privacy {
    const { privacy } = this.#parts.options
    if (privacy !== undefined) return privacy(wanted)
    return { scope: wanted.scope === 'ephemeral' ? 'ephemeral' : 'session' }
  }

  /** The conversation by text that is had on this node, without a name, in one room. */
  ofTexts(room: string, asked: PrivacyWanted): string {
    const { household } = this.#parts.options
    const mark = household === undefined ? '' : `-${household.mark}`
    if (asked.scope === undefined && asked.person === undefined) return `text-${slug(room)}${mark}`
    // What is said under another scope, or by a person, is another conversation.
    const { scope, person } = this.privacy(asked)
    const whose = person === undefined ? '' : `-${person.slice(0, 8)}`
    return `text-${slug(room).slice(0, 24)}${mark}-${scope}${whose}`
  }

  /** Goes on with that one, or begins one. Errors: `overloaded`, `invalid-input`: the name, or what was agreed. */
  begin(wanted: string | undefined, room: string, asked: Asking): SessionId {
    const { options, spawn } = this.#parts
    const id = wanted === undefined ? newSessionId(options.random) : sessionName(wanted)
    // One that was killed, or failed too often, has not said that it ended.
    const lives = this.lives(id)
    const known = this.#rows.has(id)
    const talk = lives ? undefined : options.household?.head?.(id)
    const agreed = talk === undefined ? undefined : agreedIn(talk)
    if (agreed !== undefined) assertSame(agreed, asked, this.privacy(asked))
    const privacy = agreed ?? this.privacy(asked)
    if (lives && known) {
      assertSame(this.#rows.get(id)?.privacy, asked, privacy)
      return id
    }
    if (!known && this.#rows.size >= MOST_SESSIONS) {
      throw new OverloadedError('Voice', `${MOST_SESSIONS} conversations`)
    }
    const { scope, person } = privacy
    const args: SessionArgs = { id, room, scope, ...(person === undefined ? {} : { person }) }
    if (!lives) spawn(args, talk === undefined ? undefined : { of: talk })
    options.household?.begun(sessionAddress(id))
    this.#rows.set(id, { id, room, phase: 'idle', started_at: this.#clock.wall(), privacy })
    return id
  }
}

/** What was agreed on the node where it was before. */
const agreedIn = ({ scope, person }: Carried): Privacy => ({
  scope,
  ...(person === undefined ? {} : { person }),
})

/** Errors: `invalid-input`: what was said so far was said under other conditions. */
function assertSame(has: Privacy | undefined, asked: PrivacyWanted, { scope, person }: Privacy): void {
  if (has === undefined) return
  const other =
    (asked.scope !== undefined && has.scope !== scope) ||
    (asked.person !== undefined && has.person !== person)
  if (!other) return
  throw new InvalidInputError(
    `This conversation began with the scope ${has.scope}${has.person === undefined ? '' : ', as that of a person'}`,
    'Scope and person are chosen when a conversation begins: begin another, with another --session or none.',
  )
}
