/**
 * A disk in memory that loses what was not synced, as a power cut does: of each write since the last sync every sector of 512 bytes
 * survives or not by itself; a file that grew has any size between the old and the new, with zeros where nothing arrived; a name that was
 * removed may be back. It can also be full, and refuse to sync.
 */
import { DiskError } from '../../../src/host/index.ts'
import type { Files, OpenFile } from '../../../src/store/crdt/files.ts'

const SECTOR = 512

/** Thrown by the operation at which the power is cut, and by every later one. */
export class PowerCut extends Error {}

type Pending = { readonly offset: number; readonly bytes: Uint8Array } | { readonly size: number }

interface Content {
  now: Uint8Array
  synced: Uint8Array
  pending: Pending[]
}

/** Uniform in [0, 1). */
export type Chance = () => number

export class MortalDisk implements Files {
  readonly contents = new Map<string, Content>()
  /** Removed, but not in the directory's last sync. */
  readonly #removed = new Map<string, Content>()
  /** Operations until the power is cut. */
  left = Number.POSITIVE_INFINITY
  /** Bytes there is space for. */
  capacity = Number.POSITIVE_INFINITY
  refusesToSync = false
  syncs = 0

  open(path: string): OpenFile {
    if (!this.contents.has(path)) {
      this.#operate()
      this.contents.set(path, contentOf(new Uint8Array()))
      this.#removed.clear()
    }
    const content = (): Content => this.contents.get(path) ?? this.#removed.get(path)!
    return {
      size: () => content().now.length,
      read: (offset, length) => content().now.slice(offset, offset + length),
      write: (offset, bytes) => this.#write(path, content(), offset, bytes),
      truncate: (size) => {
        this.#operate()
        change(content(), { size })
      },
      sync: () => this.#sync(path, content()),
      close: () => undefined,
    }
  }

  exists(path: string): boolean {
    return this.contents.has(path)
  }

  replace(path: string, bytes: Uint8Array): void {
    if (this.#used() + bytes.length > this.capacity) throw new DiskError('full', path)
    this.#operate()
    this.contents.set(path, contentOf(bytes))
    this.#removed.clear()
  }

  remove(path: string): void {
    this.#operate()
    const content = this.contents.get(path)
    if (content === undefined) return
    this.contents.delete(path)
    this.#removed.set(path, content)
  }

  /** The disk as it is found after the power came back. */
  afterCut(chance: Chance): MortalDisk {
    const found = new MortalDisk()
    const survivors = [...this.contents, ...[...this.#removed].filter(() => chance() < 0.5)]
    for (const [path, content] of survivors) found.contents.set(path, contentOf(remains(content, chance)))
    return found
  }

  /** A copy with what is there now, as a copied directory. */
  copy(): MortalDisk {
    const copy = new MortalDisk()
    for (const [path, { now }] of this.contents) copy.contents.set(path, contentOf(now.slice()))
    return copy
  }

  #write(path: string, content: Content, offset: number, bytes: Uint8Array): void {
    const fits = this.capacity - this.#used() - Math.max(0, offset + bytes.length - content.now.length)
    if (fits < 0) {
      // What is left is written before the error comes.
      const part = bytes.subarray(0, Math.max(0, bytes.length + fits))
      if (part.length > 0) change(content, { offset, bytes: part.slice() })
      throw new DiskError('full', path)
    }
    try {
      this.#operate()
    } finally {
      change(content, { offset, bytes: bytes.slice() })
    }
  }

  #sync(path: string, content: Content): void {
    this.#operate()
    if (this.refusesToSync) throw new DiskError('io', path)
    this.syncs += 1
    content.synced = content.now.slice()
    content.pending = []
  }

  #used(): number {
    let used = 0
    for (const { now } of this.contents.values()) used += now.length
    return used
  }

  #operate(): void {
    this.left -= 1
    if (this.left < 0) throw new PowerCut('the power is cut')
  }
}

const contentOf = (bytes: Uint8Array): Content => ({ now: bytes, synced: bytes.slice(), pending: [] })

function change(content: Content, pending: Pending): void {
  content.now = applied(content.now, pending)
  content.pending.push(pending)
}

function applied(bytes: Uint8Array, pending: Pending): Uint8Array {
  const size =
    'size' in pending ? pending.size : Math.max(bytes.length, pending.offset + pending.bytes.length)
  // Whoever gives bytes to be changed does not look at them again.
  if (size === bytes.length && 'bytes' in pending) {
    bytes.set(pending.bytes, pending.offset)
    return bytes
  }
  const next = new Uint8Array(size)
  next.set(bytes.subarray(0, size))
  if ('bytes' in pending) next.set(pending.bytes, pending.offset)
  return next
}

function remains({ now, synced, pending }: Content, chance: Chance): Uint8Array {
  // Mostly most arrives: that is where a check that looks too little is fooled.
  const survival = chance() < 0.5 ? chance() : 1 - chance() * 0.05
  let bytes: Uint8Array = synced.slice()
  for (const each of pending) {
    if ('size' in each) {
      if (chance() < survival) bytes = applied(bytes, each)
      continue
    }
    for (let at = each.offset; at < each.offset + each.bytes.length; ) {
      const next = Math.min((Math.floor(at / SECTOR) + 1) * SECTOR, each.offset + each.bytes.length)
      const part = each.bytes.subarray(at - each.offset, next - each.offset)
      if (chance() < survival) bytes = applied(bytes, { offset: at, bytes: part })
      at = next
    }
  }
  // The size is kept in the directory: it may be ahead of the bytes.
  if (now.length > bytes.length && chance() < 0.5) return applied(bytes, { size: now.length })
  return bytes
}
