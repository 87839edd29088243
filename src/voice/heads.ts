/**
 * The head of a conversation: what another node needs to go on with it when its own node died. Entries of the replicated collection
 * `heads`, sealed as all that is stored; written when a turn began, when a sentence of a reply was rendered, when a turn ended, and
 * deleted when the conversation ended. An `ephemeral` one has none: it leaves the memory of no node.
 *
 * H1  One entry for each node that had it, under `<session>/<node>`: what an older owner still writes replaces nothing of a newer one.
 * H2  Of several the one with the highest epoch counts, of equal ones that of the smaller node, as for claims.
 * H3  Whoever goes on claims the conversation first, under a higher epoch; its own entry then counts.
 * Pure.
 */
import { z } from 'zod'
import { carriedSchema } from './carried-shape.ts'

export const HEADS = 'heads'

const headSchema = z.strictObject({
  version: z.literal(1),
  /** Who wrote it, and under which claim. */
  node: z.string().min(1).max(128),
  epoch: z
    .int()
    .min(1)
    .max(2 ** 50),
  /** Milliseconds since 1970, by that node's clock. */
  at: z.number().min(0).max(8.64e15),
  /** What is remembered, and the turn under way. */
  talk: carriedSchema,
})
export type Head = Readonly<z.infer<typeof headSchema>>

export const headKey = (session: string, node: string): string => `${session}/${node}`

/** Whose head lies under a key; undefined: it is none. */
export function headOf(key: string): { readonly session: string; readonly node: string } | undefined {
  const cut = key.lastIndexOf('/')
  return cut <= 0 ? undefined : { session: key.slice(0, cut), node: key.slice(cut + 1) }
}

/** Undefined: no node wrote that, or under another's key. */
export function headFrom(key: string, value: unknown): Head | undefined {
  const named = headOf(key)
  const checked = headSchema.safeParse(value)
  if (named === undefined || !checked.success) return undefined
  const { node, talk } = checked.data
  return node === named.node && talk.session === named.session ? checked.data : undefined
}

/** Whether `a` counts, not `b`. */
export const isLater = (a: Pick<Head, 'epoch' | 'node'>, b: Pick<Head, 'epoch' | 'node'>): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.node < b.node)
