/**
 * What the actors of two nodes say to each other, on the data class of a link. A frame is a version byte and then rows, each a
 * MessagePack array whose first entry says which. Rows are small because what repeats is named once: `name` and `label` put an
 * address or a label into a numbered place, and later rows of the same link give the number. Links are ordered, so both sides
 * agree on what a number means; a new link begins with empty places.
 *
 * A row that is whole but wrong is dropped and counted; one whose end cannot be found ends the frame. Nothing throws.
 *
 * Versions, append only:
 * 1 — hello, name, label, tell, ask, answer, failed, give-up, watch, unwatch, gone, undelivered, work-open, work-op, work-end, outcome,
 *     placements.
 * 2 — move, moved. A frame is as in 1; who speaks 1 is told neither.
 */
import { z } from 'zod'
import { DEAD_LETTER_REASONS, type DeadLetterReason, type Message } from '../../actors/index.ts'
import { ValueSequence } from '../../host/index.ts'
import { nodeSchema } from '../migration/bundle.ts'
import { moveSchema } from '../migration/messages.ts'
import { placementsSchema } from '../placement/placements.ts'
import {
  MAX_ADDRESS,
  MAX_DEADLINE_MS,
  MAX_FRAME,
  MAX_ITEMS,
  MAX_LABELS,
  MAX_NAMES,
  MAX_ROWS,
  MAX_TYPE,
} from './bounds.ts'

/** Rows this node knows. The hello says so. */
export const VERSION = 2
export const OLDEST_UNDERSTOOD = 1
/** How a frame is laid out: its first byte. Rows that are not known are dropped, so new ones leave it as it is. */
export const LAYOUT = 1
/** From here on nodes know how actors move. */
export const MOVES_SINCE = 2

/** Append only. */
export const ROW = {
  hello: 0,
  name: 1,
  label: 2,
  tell: 3,
  ask: 4,
  answer: 5,
  failed: 6,
  giveUp: 7,
  watch: 8,
  unwatch: 9,
  gone: 10,
  undelivered: 11,
  workOpen: 12,
  workOp: 13,
  workEnd: 14,
  outcome: 15,
  placements: 16,
  move: 17,
  moved: 18,
} as const

const boot = z.int().min(0).max(0xffff_ffff)
const id = z.int().min(1).max(Number.MAX_SAFE_INTEGER)
const incarnation = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const address = z.string().min(7).max(MAX_ADDRESS).startsWith('loqa:/')
/** A place filled by `name`. */
const named = z.int().min(1).max(MAX_NAMES)
/** The same; 0 for nobody. */
const maybeNamed = z.int().min(0).max(MAX_NAMES)
/** A place filled by `label`; 0 is the default label. */
const labelled = z.int().min(0).max(MAX_LABELS)
const ms = z.number().min(0).max(MAX_DEADLINE_MS)
const word = z.string().min(1).max(MAX_TYPE)
/** Its content is the business of who receives it. */
const message = z.custom<Message>(isMessage)
const error = z.strictObject({
  code: z.string().regex(/^[a-z][a-z-]{0,63}$/),
  message: z.string().max(1_000),
  retryable: z.boolean(),
  hint: z.string().max(1_000).exactOptional(),
})
const exitReason = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stopped'), reason: z.string().max(1_000).exactOptional() }),
  z.strictObject({ kind: z.literal('failed'), error }),
  z.strictObject({ kind: z.literal('killed') }),
  z.strictObject({ kind: z.literal('unknown-actor') }),
  z.strictObject({ kind: z.literal('node-gone') }),
])
const deadLetterReason = z.enum(DEAD_LETTER_REASONS as [DeadLetterReason, ...DeadLetterReason[]])
const port = z.enum(['infer', 'invoke', 'play', 'read', 'write'])
const body = z.unknown()

/** By number of the row: what each carries after it, who sends it and what the receiver does. */
export const rowSchemas = {
  /** First on every link, from both sides: versions spoken, and which life of the node this is. Another life than before: its actors are gone. */
  [ROW.hello]: z.tuple([z.literal(ROW.hello), z.int().min(1).max(255), z.int().min(1).max(255), boot]),
  /** An address, or with an incarnation a ref, for later rows. */
  [ROW.name]: z.tuple([z.literal(ROW.name), named, address, incarnation.nullable()]),
  /** trace_id, session_id, capability_tier, privacy_scope. Ephemeral content is never sent, so that is no scope here. */
  [ROW.label]: z.tuple([
    z.literal(ROW.label),
    z.int().min(1).max(MAX_LABELS),
    z.string().min(1).max(64),
    z.string().min(1).max(64).nullable(),
    z.enum(['fast', 'balanced', 'rich']),
    z.enum(['session', 'persistent']),
  ]),
  /** to, from, label, message. Goes into the mailbox, or `undelivered` goes back. */
  [ROW.tell]: z.tuple([z.literal(ROW.tell), named, maybeNamed, labelled, message]),
  /** id, to, from, label, ms the asker still waits, message. One `answer` or `failed` goes back, unless `give-up` comes before. */
  [ROW.ask]: z.tuple([z.literal(ROW.ask), id, named, maybeNamed, labelled, ms, message]),
  /** id, by whom, label, message. */
  [ROW.answer]: z.tuple([z.literal(ROW.answer), id, maybeNamed, labelled, message]),
  [ROW.failed]: z.tuple([z.literal(ROW.failed), id, error]),
  /** From the asker: nobody waits any more. */
  [ROW.giveUp]: z.tuple([z.literal(ROW.giveUp), id]),
  /** One `gone` goes back when that actor has ended, at once when it is not there. Again on every new link. */
  [ROW.watch]: z.tuple([z.literal(ROW.watch), named]),
  [ROW.unwatch]: z.tuple([z.literal(ROW.unwatch), named]),
  /** What was watched, its incarnation (0: never was), how it ended. */
  [ROW.gone]: z.tuple([z.literal(ROW.gone), named, incarnation, exitReason]),
  /** Reason, to, from, type of message, how many: tells of this link that reached nobody. */
  [ROW.undelivered]: z.tuple([
    z.literal(ROW.undelivered),
    deadLetterReason,
    named,
    maybeNamed,
    word,
    z.int().min(1).max(MAX_ROWS),
  ]),
  /** id, label, port, to, op, body, deadline. `outcome` rows come back until one ends it, unless `work-end` comes before. */
  [ROW.workOpen]: z.tuple([z.literal(ROW.workOpen), id, labelled, port, word, word, body, ms.nullable()]),
  /** id, op, body: goes on with that work. */
  [ROW.workOp]: z.tuple([z.literal(ROW.workOp), id, word, body]),
  /** id: given up by who asked for it. */
  [ROW.workEnd]: z.tuple([z.literal(ROW.workEnd), id]),
  /** id, event, body or error. In order; the last is `done` or `failed`. */
  [ROW.outcome]: z.union([
    z.tuple([z.literal(ROW.outcome), id, z.enum(['chunk', 'done']), body]),
    z.tuple([z.literal(ROW.outcome), id, z.literal('failed'), error]),
  ]),
  /** Where placed actors live: whole to a new link, then what is new. Take over what is newer and pass it on. */
  [ROW.placements]: z.tuple([z.literal(ROW.placements), placementsSchema.shape.entries]),
  /** One word of a move, in order with what is told. */
  [ROW.move]: z.tuple([z.literal(ROW.move), moveSchema]),
  /** What was watched lives on that node now: watch it there. */
  [ROW.moved]: z.tuple([z.literal(ROW.moved), named, nodeSchema]),
} as const

type Schemas = typeof rowSchemas
export type RowOf<Kind extends keyof Schemas> = Readonly<z.infer<Schemas[Kind]>>
export type Row = { [Kind in keyof Schemas]: RowOf<Kind> }[keyof Schemas]

export interface Bad {
  /** Rows that were whole and wrong, and of kinds this version does not know. */
  readonly dropped: number
  /** Why the rest of the frame could not be read, if so. */
  readonly broken: 'oversized' | 'version' | 'truncated' | 'too-many-rows' | undefined
}

const FINE: Bad = Object.freeze({ dropped: 0, broken: undefined })

/** Calls `each` for the good rows, in order. What else is in the bytes is told in return; never throws by itself. */
export function readFrame(bytes: Uint8Array, each: (row: Row) => void): Bad {
  if (bytes.length > MAX_FRAME) return { dropped: 0, broken: 'oversized' }
  const version = bytes[0]
  if (version !== LAYOUT) {
    return { dropped: 0, broken: 'version' }
  }
  const values = new ValueSequence(bytes, 1, MAX_ITEMS)
  let dropped = 0
  let rows = 0
  while (!values.atEnd) {
    if (rows === MAX_ROWS) return { dropped, broken: 'too-many-rows' }
    rows += 1
    const read = values.next()
    if (read === 'broken') return { dropped, broken: 'truncated' }
    const row = read === 'unacceptable' ? undefined : checkRow(read.value)
    if (row === undefined) dropped += 1
    else each(row)
  }
  return dropped === 0 ? FINE : { dropped, broken: undefined }
}

export function checkRow(value: unknown): Row | undefined {
  if (!Array.isArray(value)) return undefined
  // By far the commonest, checked by hand to the letter of its schema.
  if (value[0] === ROW.tell) return isTell(value) ? (value as unknown as RowOf<typeof ROW.tell>) : undefined
  const schema = rowSchemas[value[0] as keyof Schemas]
  if (schema === undefined) return undefined
  const checked = schema.safeParse(value)
  return checked.success ? checked.data : undefined
}

const isTell = (row: readonly unknown[]): boolean =>
  row.length === 5 &&
  isPlace(row[1], 1, MAX_NAMES) &&
  isPlace(row[2], 0, MAX_NAMES) &&
  isPlace(row[3], 0, MAX_LABELS) &&
  isMessage(row[4])

const isPlace = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false
  const { type } = value as { type?: unknown }
  return typeof type === 'string' && type.length >= 1 && type.length <= MAX_TYPE
}
