/** A model one may fetch, as data. What nobody published is left out and called `unpinned`, never guessed. */
import type { EngineKind } from '../engine.ts'
import type { Format } from './formats.ts'

export interface EntryFile {
  /** What the file is to its engine: `model`, `tokens`, `encoder` … */
  readonly role: string
  /** What it is called on this machine, after the id of its model. */
  readonly name: string
  readonly format: Format
  /** Absent: unpinned; recorded when it is fetched the first time. */
  readonly bytes?: number
  readonly sha256?: string
  /** The preferred one first. */
  readonly sources: readonly string[]
}

export interface Entry {
  readonly id: string
  readonly kind: EngineKind
  /** The adapter it runs on. */
  readonly engine: string
  /** BCP 47; `multi` for those that know dozens. */
  readonly languages: readonly string[]
  readonly licence: string
  /** Memory the engine process takes with it, in MB: estimated from size and context, else the files and half again. */
  readonly memory_mb: number
  /** One line: what it is good for. */
  readonly about: string
  readonly files: readonly EntryFile[]
  readonly parameters: Readonly<Record<string, unknown>>
  /** Why this version makes nothing good of it; absent when it does. */
  readonly not_yet?: string
}

/** Bytes of all files; undefined when one is unpinned. */
export const sizeOf = ({ files }: Pick<Entry, 'files'>): number | undefined =>
  files.reduce<number | undefined>(
    (sum, { bytes }) => (sum === undefined || bytes === undefined ? undefined : sum + bytes),
    0,
  )

export const isPinned = ({ files }: Pick<Entry, 'files'>): boolean =>
  files.every(({ sha256 }) => sha256 !== undefined)
