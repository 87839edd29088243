/**
 * The key of everything this node keeps: one random master key in `<data>/store.key` (0600), from which a key for each purpose is derived
 * (HKDF-SHA256, RFC 5869), so that no purpose's key says anything about another's. A passphrase may seal it.
 *
 * Promises: a node never goes on with a new key beside files that another sealed; a wrong passphrase, a damaged file and a file that others
 * may read are told apart; after `destroy` nothing on this disk opens what was sealed.
 *
 * Not promised: a flash disk may keep the old bytes of a file that was written over until it reuses their cells, and a snapshot, a backup or a
 * journalling or copying file system may keep them for longer. Where that matters, set a passphrase from the start (what is left is then the
 * sealed key) and encrypt the disk. A passphrase set later cannot reach the unsealed file that was there before.
 */
import { hkdfSync } from 'node:crypto'
import { dirname, join } from 'node:path'
import { type Disk, type Host, LoqaError } from '../host/index.ts'
import {
  decodeKeyFile,
  encodeKeyFile,
  KEY_BYTES,
  type KeyFile,
  MAX_KEY_FILE_BYTES,
  SEALED_FILES,
  StoreKeyError,
  unlock,
} from './key-file.ts'

const KEY_FILE = 'store.key'
const OWNER_ALONE = 0o600
const MIN_PASSPHRASE_CHARS = 8
const MAX_PASSPHRASE_CHARS = 1_024

export interface Keys {
  /** 32 bytes, always the same for a purpose; the caller's own. Errors: `store-key-destroyed`. */
  for(purpose: string): Uint8Array
  /** Writes over the key where it lies, removes its file, forgets it: what it sealed is gone. Errors: `DiskError`; then it is not. */
  destroy(): Promise<void>
}

export interface KeysOptions {
  readonly disk: Disk
  readonly random: Host['random']
  /** The data directory, which this process owns. */
  readonly directory: string
  readonly passphrase?: string | undefined
}

/**
 * Reads the key, or makes one where nothing was kept yet; durable before it returns. A passphrase given for a key that has none seals it.
 * Errors: `store-key-wrong`, `store-key-sealed`, `store-key-missing`, `store-key-exposed`, `store-key-damaged`, `store-key-too-new`, `DiskError`.
 */
export async function openKeys({ disk, random, directory, passphrase }: KeysOptions): Promise<Keys> {
  const path = join(directory, KEY_FILE)
  const found = await readKeyFile(disk, path)
  if (found === undefined) await refuseOrphans(disk, directory, path)
  const master =
    found === undefined
      ? random.bytes(KEY_BYTES)
      : found.state === 'open'
        ? found.master
        : await opened(path, found, passphrase)
  const isSealedAsAsked = found !== undefined && (found.state === 'locked' || passphrase === undefined)
  if (!isSealedAsAsked) {
    await disk.write(path, await encodeKeyFile(master, passphrase, random), { mode: OWNER_ALONE })
  }
  return new MasterKey(disk, random, path, master)
}

/** The passphrase in the text of its file: its first line. Errors: `config-invalid`. */
export function passphraseFrom(text: string): string {
  const line = (text.split('\n')[0] ?? '').replace(/\r$/, '')
  if (line.length < MIN_PASSPHRASE_CHARS || line.length > MAX_PASSPHRASE_CHARS) {
    throw new LoqaError(
      'config-invalid',
      `The first line of store.passphrase_file has ${MIN_PASSPHRASE_CHARS} to ${MAX_PASSPHRASE_CHARS} characters`,
      { hint: 'Six random words are a good passphrase.' },
    )
  }
  return line
}

class MasterKey implements Keys {
  readonly #disk: Disk
  readonly #random: Host['random']
  readonly #path: string
  #master: Uint8Array | undefined

  constructor(disk: Disk, random: Host['random'], path: string, master: Uint8Array) {
    this.#disk = disk
    this.#random = random
    this.#path = path
    this.#master = master
  }

  for(purpose: string): Uint8Array {
    if (this.#master === undefined) {
      throw new StoreKeyError('store-key-destroyed', 'The key of what this node kept was destroyed')
    }
    return new Uint8Array(hkdfSync('sha256', this.#master, '', `loqa key ${purpose}`, KEY_BYTES))
  }

  async destroy(): Promise<void> {
    await wipeKeyFile({ disk: this.#disk, random: this.#random, directory: dirname(this.#path) })
    this.#master?.fill(0)
    this.#master = undefined
  }
}

/** What `Keys.destroy` does to the disk; where there is no key, nothing. Errors: `DiskError`. */
export async function wipeKeyFile({
  disk,
  random,
  directory,
}: Omit<KeysOptions, 'passphrase'>): Promise<void> {
  // A crash in the middle of writing leaves a copy under another name.
  for (const name of (await disk.list(directory)).filter(isKeyFile)) {
    const path = join(directory, name)
    const { size } = (await disk.info(path)) ?? { size: 0 }
    await disk.overwrite(path, random.bytes(size))
    await disk.remove(path)
  }
  await disk.sync(directory)
}

const isKeyFile = (name: string): boolean => name === KEY_FILE || name.startsWith(`${KEY_FILE}.`)

async function readKeyFile(disk: Disk, path: string): Promise<KeyFile | undefined> {
  const info = await disk.info(path)
  if (info === undefined) return undefined
  if (info.mode !== undefined && (info.mode & ~OWNER_ALONE) !== 0) {
    throw new StoreKeyError(
      'store-key-exposed',
      `${path} holds the key of what this node keeps and others may read it (mode ${info.mode.toString(8)})`,
    )
  }
  // One byte more than allowed is enough to be refused.
  return decodeKeyFile(path, await disk.readAt(path, 0, MAX_KEY_FILE_BYTES + 1))
}

async function opened(
  path: string,
  locked: Extract<KeyFile, { state: 'locked' }>,
  passphrase: string | undefined,
): Promise<Uint8Array> {
  if (passphrase === undefined) {
    throw new StoreKeyError('store-key-sealed', `${path} is sealed by a passphrase, and none was given`)
  }
  const master = await unlock(locked, passphrase)
  if (master === undefined) throw new StoreKeyError('store-key-wrong', `The passphrase does not open ${path}`)
  return master
}

/** A new key beside files that another sealed would look like a node that forgot everything. */
async function refuseOrphans(disk: Disk, directory: string, path: string): Promise<void> {
  const names = await disk.list(directory)
  const sealed = names.filter((name) => SEALED_FILES.some((beginning) => name.startsWith(beginning)))
  const orphan = sealed[0]
  if (orphan !== undefined) {
    throw new StoreKeyError('store-key-missing', `${path} is missing, and ${orphan} was sealed with it`)
  }
}
