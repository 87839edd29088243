/**
 * Where the packages of added skills lie: in the household's store, so that every node gets them, and as files of this node,
 * `<data>/skills/<name>.loqa`, so that a start needs not read them out of it. Neither is believed: whoever takes a package checks it.
 */
import { join } from 'node:path'
import { type Disk, LoqaError } from '../host/index.ts'
import { MAX_PACKAGE_BYTES, registry } from '../skills/index.ts'
import type { Store } from '../store/index.ts'

const { PACKAGES, forget, joined, MAX_ALL_PACKAGES_BYTES, piecesOf, prefixOf } = registry

export interface ShelfParts {
  readonly disk: Disk
  readonly store: Pick<Store, 'list' | 'apply'>
  readonly directory: string
}

export class SkillShelf {
  readonly #parts: ShelfParts

  constructor(parts: ShelfParts) {
    this.#parts = parts
  }

  fileOf(name: string): string {
    return join(this.#parts.directory, `${name}.loqa`)
  }

  /** This node's copy, as it lies there. Errors: `DiskError`. */
  async read(name: string): Promise<Uint8Array | undefined> {
    const file = this.fileOf(name)
    const info = await this.#parts.disk.info(file)
    if (info === undefined || info.size > MAX_PACKAGE_BYTES) return undefined
    return this.#parts.disk.read(file)
  }

  /** The household's, or undefined while not all of it has arrived. Errors: `store-*`. */
  async fetch({ digest, bytes }: registry.AddedVersion): Promise<Uint8Array | undefined> {
    return joined(digest, bytes, await this.#parts.store.list(PACKAGES, prefixOf(digest)))
  }

  /** Errors: `DiskError`. */
  async keep(name: string, bytes: Uint8Array): Promise<void> {
    await this.#parts.disk.makeDirectory(this.#parts.directory, { mode: 0o700 })
    await this.#parts.disk.write(this.fileOf(name), bytes, { mode: 0o600 })
  }

  drop(name: string): Promise<void> {
    return this.#parts.disk.remove(this.fileOf(name))
  }

  /** `others`: bytes of the packages the household has beside it. Errors: `skills-full`, `store-*`. */
  async publish(digest: string, bytes: Uint8Array, others: number): Promise<void> {
    if (others + bytes.length > MAX_ALL_PACKAGES_BYTES)
      throw new LoqaError(
        'skills-full',
        `All skills of a household together have at most ${MAX_ALL_PACKAGES_BYTES / 1024 / 1024} MiB`,
        { hint: 'Remove one that is not needed: loqa skill rm NAME' },
      )
    for (const changes of piecesOf(digest, bytes)) await this.#parts.store.apply(PACKAGES, changes)
  }

  /** Of packages that no record names any more. Errors: `store-*`. */
  async withdraw(digests: readonly string[]): Promise<void> {
    for (const digest of digests) {
      const pieces = await this.#parts.store.list(PACKAGES, prefixOf(digest))
      for (const changes of forget(pieces)) await this.#parts.store.apply(PACKAGES, changes)
    }
  }
}
