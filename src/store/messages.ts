/** What the store and its thread say to each other. Values travel as JSON text. */
import type { ErrorShape } from '../host/index.ts'

export interface StoredEntry {
  readonly key: string
  readonly value: string
}

/** No value: delete. */
export interface StoredChange {
  readonly collection: string
  readonly key: string
  readonly value: string | undefined
}

export type StoreRequest =
  | {
      readonly id: number
      readonly op: 'list'
      readonly collection: string
      readonly prefix: string
      readonly limit: number
    }
  | { readonly id: number; readonly op: 'get'; readonly collection: string; readonly key: string }
  | { readonly id: number; readonly op: 'apply'; readonly changes: readonly StoredChange[] }
  | { readonly id: number; readonly op: 'close' }

export type StoreReply =
  /** The first word of the thread: the file is open, or cannot be. */
  | { readonly reply: 'opened' }
  | { readonly reply: 'not-opened'; readonly error: ErrorShape }
  | { readonly reply: 'done'; readonly id: number; readonly entries: readonly StoredEntry[] }
  | { readonly reply: 'failed'; readonly id: number; readonly error: ErrorShape }

/** What the thread is started with. */
export interface StoreThreadData {
  readonly file: string
  readonly max_pages: number | undefined
}
