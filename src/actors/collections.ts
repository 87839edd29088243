/**
 * What `read` and `write` effects say to the store. The store owns the port; the words stand here because every folder
 * that keeps something says them and none of them may import the store.
 *
 * A collection is a set of entries by key; a value is plain data that survives JSON. One `write` is one transaction: all
 * of its changes or none, durable when the outcome `done` arrives.
 */
import type { RequestId } from '../host/index.ts'
import type { OutsideEffect } from './effects.ts'

export interface Entry {
  readonly key: string
  readonly value: unknown
}

export type EntryChange =
  | {
      readonly change: 'put'
      readonly key: string
      readonly value: unknown
      /**
       * It counts for a new entry in place of the one before: who deletes that one meanwhile, out of reach, does not delete this. Absent: a
       * deletion wins over what is put at the same time.
       */
      readonly renews?: true
    }
  /** Absent entries are no error. */
  | { readonly change: 'delete'; readonly key: string }

/** `done` brings `readonly Entry[]`, sorted by key, those whose key begins with `prefix`. */
export const readEntries = (id: RequestId, collection: string, prefix = ''): OutsideEffect<'read'> => ({
  type: 'read',
  id,
  to: collection,
  op: 'list',
  body: { prefix },
})

/** `done` brings `Entry | null`. */
export const readEntry = (id: RequestId, collection: string, key: string): OutsideEffect<'read'> => ({
  type: 'read',
  id,
  to: collection,
  op: 'get',
  body: { key },
})

/**
 * Chunks, each `Followed`: first the whole collection, then, whenever entries of it changed durably (by whomever), what these are now;
 * what this actor wrote comes back too, after the `done` of the write. It never ends by itself; `failed` when the store is gone:
 * follow again. `cancel` ends it.
 */
export const followEntries = (id: RequestId, collection: string): OutsideEffect<'read'> => ({
  type: 'read',
  id,
  to: collection,
  op: 'follow',
})

export interface Followed {
  /** The changes are all there is: an entry that is not among them is none. */
  readonly whole: boolean
  readonly changes: readonly EntryChange[]
}

export const writeEntries = (
  id: RequestId,
  collection: string,
  changes: readonly EntryChange[],
): OutsideEffect<'write'> => ({ type: 'write', id, to: collection, op: 'apply', body: changes })
