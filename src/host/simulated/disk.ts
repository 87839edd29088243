/**
 * A disk in memory that fails as real ones do: it can be full, slow, refuse writes, flip bits, and lose whatever was
 * not yet durable when `powerCut` is called. `write` is durable when it returns; `append` only after `sync`.
 */
import { posix } from 'node:path'
import { DiskError } from '../disk-error.ts'
import type { Disk, FileInfo } from '../host.ts'
import type { SimulatedClock } from './clock.ts'
import type { SimulatedRandom } from './random.ts'

interface File {
  bytes: Uint8Array
  /** What would be found after a power cut. */
  durable: Uint8Array | undefined
  modified: number
  mode: number
}

export interface DiskFaults {
  /** Bytes the disk holds in all. */
  readonly capacity: number
  /** Chance per read that one bit of the answer is flipped. */
  readonly corruption: number
  /** Chance per operation that it fails with `io`. */
  readonly failure: number
  readonly delay_ms: number
}

const HEALTHY: DiskFaults = { capacity: Number.POSITIVE_INFINITY, corruption: 0, failure: 0, delay_ms: 0 }

export class SimulatedDisk implements Disk {
  readonly #clock: SimulatedClock
  readonly #random: SimulatedRandom
  readonly #files = new Map<string, File>()
  readonly #directories = new Set<string>(['/'])
  faults: DiskFaults = HEALTHY
  readonly counts = { flipped: 0, failed: 0, full: 0, lost_bytes: 0 }

  constructor(clock: SimulatedClock, random: SimulatedRandom) {
    this.#clock = clock
    this.#random = random
  }

  /** Everything not durable is gone, as after pulling the plug. */
  powerCut(): void {
    for (const [path, file] of this.#files) {
      this.counts.lost_bytes += Math.max(0, file.bytes.length - (file.durable?.length ?? 0))
      if (file.durable === undefined) this.#files.delete(path)
      else file.bytes = file.durable
    }
  }

  async read(path: string): Promise<Uint8Array> {
    await this.#begin(path)
    const bytes = this.#file(path).bytes.slice()
    if (bytes.length > 0 && this.#random.float() < this.faults.corruption) {
      bytes[this.#random.below(bytes.length)]! ^= 1 << this.#random.below(8)
      this.counts.flipped += 1
    }
    return bytes
  }

  async readAt(path: string, offset: number, length: number): Promise<Uint8Array> {
    return (await this.read(path)).slice(offset, offset + length)
  }

  async write(path: string, bytes: Uint8Array, options?: { mode?: number }): Promise<void> {
    await this.#begin(path)
    this.#reserve(path, bytes.length - (this.#files.get(path)?.bytes.length ?? 0))
    const copy = bytes.slice()
    this.#files.set(path, {
      bytes: copy,
      durable: copy,
      modified: this.#clock.wall(),
      mode: options?.mode ?? 0o600,
    })
  }

  async append(path: string, bytes: Uint8Array): Promise<void> {
    await this.#begin(path)
    this.#reserve(path, bytes.length)
    const file = this.#files.get(path) ?? {
      bytes: new Uint8Array(),
      durable: undefined,
      modified: 0,
      mode: 0o600,
    }
    const grown = new Uint8Array(file.bytes.length + bytes.length)
    grown.set(file.bytes)
    grown.set(bytes, file.bytes.length)
    file.bytes = grown
    file.modified = this.#clock.wall()
    this.#files.set(path, file)
  }

  async sync(path: string): Promise<void> {
    await this.#begin(path)
    if (this.#directories.has(path)) return
    const file = this.#file(path)
    file.durable = file.bytes
  }

  async overwrite(path: string, bytes: Uint8Array): Promise<void> {
    await this.#begin(path)
    const file = this.#file(path)
    const whole = new Uint8Array(Math.max(file.bytes.length, bytes.length))
    whole.set(file.bytes)
    whole.set(bytes)
    file.bytes = whole
    file.durable = whole
  }

  async remove(path: string): Promise<void> {
    await this.#begin(path)
    this.#files.delete(path)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#begin(from)
    const file = this.#file(from)
    this.#files.delete(from)
    this.#files.set(to, file)
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#begin(path)
    for (let at = path; at !== '/' && at !== '.'; at = posix.dirname(at)) this.#directories.add(at)
  }

  async list(path: string): Promise<string[]> {
    await this.#begin(path)
    if (!this.#directories.has(path)) throw new DiskError('missing', path)
    const inside = [...this.#files.keys(), ...this.#directories].filter(
      (name) => name !== '/' && posix.dirname(name) === path,
    )
    return inside.map((name) => posix.basename(name)).sort()
  }

  async info(path: string): Promise<FileInfo | undefined> {
    await this.#begin(path)
    const file = this.#files.get(path)
    if (file)
      return {
        size: file.bytes.length,
        modified: file.modified as FileInfo['modified'],
        kind: 'file',
        mode: file.mode,
      }
    return this.#directories.has(path)
      ? { size: 0, modified: this.#clock.wall(), kind: 'directory', mode: 0o700 }
      : undefined
  }

  #file(path: string): File {
    const file = this.#files.get(path)
    if (!file) throw new DiskError('missing', path)
    return file
  }

  async free(path: string): Promise<number | undefined> {
    await this.#begin(path)
    if (!this.#directories.has(path)) throw new DiskError('missing', path)
    return Math.max(0, this.faults.capacity - this.#used())
  }

  #used(): number {
    return [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  async #begin(path: string): Promise<void> {
    if (this.faults.delay_ms > 0) {
      await new Promise<void>((done) => this.#clock.after(this.faults.delay_ms, done))
    }
    if (this.#random.float() < this.faults.failure) {
      this.counts.failed += 1
      throw new DiskError('io', path)
    }
  }

  #reserve(path: string, more: number): void {
    if (!this.#directories.has(posix.dirname(path))) throw new DiskError('missing', posix.dirname(path))
    if (this.#used() + more > this.faults.capacity) {
      this.counts.full += 1
      throw new DiskError('full', path)
    }
  }
}
