/**
 * What this node last knew of the household's skills, beside their packages. Only read after everything was wiped: skills stay then, and
 * so does what was revoked.
 */
import { z } from 'zod'
import type { Entry } from '../actors/index.ts'
import type { Disk } from '../host/index.ts'
import { registry } from '../skills/index.ts'
import type { Store } from '../store/index.ts'

/** Records of 256 skills and as many revocations are 200 KB. */
const MAX_BYTES = 1024 * 1024

const COLLECTIONS = [registry.INSTALLED, registry.REVOKED, registry.PUBLISHERS] as const
type Known = Readonly<Record<string, readonly Entry[]>>

const knownSchema = z.record(z.string(), z.array(z.object({ key: z.string(), value: z.unknown() })))

export class KeptRecords {
  readonly #disk: Disk
  readonly #file: string
  readonly #store: Pick<Store, 'list' | 'apply'>
  #written = ''

  constructor(disk: Disk, file: string, store: Pick<Store, 'list' | 'apply'>) {
    this.#disk = disk
    this.#file = file
    this.#store = store
  }

  /** Errors: `DiskError`. */
  async note(known: Known): Promise<void> {
    const text = JSON.stringify(known)
    // Nothing was ever added here: no file for that.
    if (text === this.#written || Object.values(known).every((entries) => entries.length === 0)) return
    await this.#disk.makeDirectory(this.#file.slice(0, this.#file.lastIndexOf('/')), { mode: 0o700 })
    await this.#disk.write(this.#file, Buffer.from(text), { mode: 0o600 })
    this.#written = text
  }

  /** Into a store that knows nothing of skills; whether anything was put there. Errors: `store-*`, `DiskError`. */
  async restore(): Promise<boolean> {
    const lists = await Promise.all(COLLECTIONS.map((collection) => this.#store.list(collection)))
    if (lists.some((entries) => entries.length > 0)) return false
    const known = await this.#read()
    for (const collection of COLLECTIONS) {
      for (const { key, value } of known[collection] ?? []) {
        await this.#store.apply(collection, [{ change: 'put', key, value }])
      }
    }
    return Object.keys(known).length > 0
  }

  async #read(): Promise<Known> {
    const info = await this.#disk.info(this.#file)
    if (info === undefined || info.size > MAX_BYTES) return {}
    try {
      const read = knownSchema.parse(
        JSON.parse(Buffer.from(await this.#disk.read(this.#file)).toString('utf8')),
      )
      return Object.fromEntries(
        Object.entries(read).map(([name, entries]) => [
          name,
          entries.map(({ key, value }) => ({ key, value })),
        ]),
      )
    } catch {
      // Damaged: what is in it was only for this one case.
      return {}
    }
  }
}
