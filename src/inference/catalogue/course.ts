/** What a download knows, may be told and may ask for, and the bounds of each way of going on. Data only; `download.ts` decides. */
import { assert } from '../../host/index.ts'
import type { Refusal } from './refusals.ts'
import type { Journal } from './wanted.ts'

/** Connections in a row that brought nothing, per source: with the pauses between them 15 s, longer than a router restarts a line. */
export const MAX_FRUITLESS = 5
/** Times one run begins at the first byte again: a server without ranges that always breaks off would be asked for ever. */
export const MAX_ANEW = 3
/** Connections of one run: 5 GB over a line that breaks every 10 MB still arrive. */
export const MAX_CONNECTIONS = 1_000
/** Pause after a fruitless connection, doubled each time. */
export const PAUSE_MS = 500
/** A server that says "later" is believed up to here; a person waits in front of it. */
export const MAX_PAUSE_MS = 60_000
/** A source that needs longer for one MiB is left where there is another: 17 kB/s, a day and a half for 2 GB. */
export const SLOW_MIB_MS = 60_000
export const MIB = 1024 * 1024
/** Left free beside the file, so that the node can go on keeping what it keeps. */
export const SPARE_BYTES = 64 * MIB
/** How often the free space is looked at while bytes come. */
export const SPACE_EVERY_BYTES = 32 * MIB

assert(SPACE_EVERY_BYTES < SPARE_BYTES, 'the space is looked at before what was spared can be used up')

/** What is remembered from one connection to the next. */
export interface Course {
  /** Index of the source being asked. */
  readonly source: number
  /** Sources that gave something wrong, and what. */
  readonly struck: readonly { readonly source: number; readonly why: Refusal }[]
  readonly slow: readonly number[]
  readonly fruitless: number
  readonly connections: number
  readonly anew: number
  /** Connections the part on disk was made of; what an earlier run left counts as two, nobody counted them. */
  readonly pieces: number
  /** What the part on disk is a part of. */
  readonly journal: Journal | undefined
  /** Why the last connection ended. */
  readonly last: string
}

export type Download = { readonly course: Course } & (
  | { readonly phase: 'looking' }
  | { readonly phase: 'asking'; readonly from: number }
  | {
      readonly phase: 'receiving'
      readonly at: number
      readonly begun_at: number
      readonly total: number | undefined
      /** Where the current MiB began. */
      readonly mark: { readonly at: number; readonly now: number }
      readonly space_seen_at: number
    }
  | { readonly phase: 'pausing'; readonly from: number }
  | { readonly phase: 'checking'; readonly size: number }
  | { readonly phase: 'placing'; readonly size: number; readonly sha256: string }
  | { readonly phase: 'done'; readonly size: number; readonly sha256: string }
  | { readonly phase: 'refused'; readonly why: Refusal }
)

/** What a server said before the first byte. */
export interface Answer {
  readonly type: 'answered'
  readonly status: number
  /** Bytes that follow, when it said so. */
  readonly length?: number
  /** Strong ones only. */
  readonly etag?: string
  /** Of a 206. */
  readonly range?: { readonly from: number; readonly total?: number }
  readonly retry_after_ms?: number
  /** Free bytes on the disk. */
  readonly space: number
}

export type Input =
  | { readonly type: 'found'; readonly size: number; readonly journal?: Journal }
  | Answer
  /** `lasting`: asking again would end the same way. */
  | { readonly type: 'unreachable'; readonly why: string; readonly lasting: boolean }
  | { readonly type: 'chunk'; readonly bytes: number; readonly head: Uint8Array; readonly space?: number }
  | { readonly type: 'ended' }
  | { readonly type: 'broke'; readonly why: string }
  | { readonly type: 'paused' }
  | { readonly type: 'hashed'; readonly sha256: string; readonly size: number; readonly head: Uint8Array }
  | { readonly type: 'placed' }
  | { readonly type: 'disk-full' }

export type Effect =
  /** The chunk read last, to the end of the part. */
  | { readonly type: 'append' }
  /** The part and its journal. */
  | { readonly type: 'discard' }
  | { readonly type: 'journal'; readonly journal: Journal }
  /** The connection. */
  | { readonly type: 'close' }
  | { readonly type: 'tell'; readonly event: DownloadEvent }

/** The one thing whose result is the next input. */
export type Ask =
  | { readonly type: 'look' }
  | { readonly type: 'open'; readonly url: string; readonly from: number; readonly if_range?: string }
  | { readonly type: 'read'; readonly space: boolean }
  | { readonly type: 'pause'; readonly ms: number }
  | { readonly type: 'hash' }
  | { readonly type: 'place' }
  | { readonly type: 'end' }

/** For the person and for scripts. */
export type DownloadEvent =
  | { readonly event: 'source'; readonly url: string; readonly from: number }
  | { readonly event: 'progress'; readonly bytes: number; readonly total: number | null }
  | { readonly event: 'broken'; readonly why: string; readonly bytes: number }
  | { readonly event: 'anew'; readonly why: string }
  | { readonly event: 'struck'; readonly code: string; readonly why: string }
  | { readonly event: 'checking'; readonly bytes: number }

export interface Step {
  readonly state: Download
  readonly effects: readonly Effect[]
  readonly ask: Ask
}
