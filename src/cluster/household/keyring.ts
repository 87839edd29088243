/**
 * What a node must find again after a restart: its own keys, the household's, and the roster. One file, readable by its
 * owner alone, replaced as a whole. It is refused when others may read it, when a byte of it is not what was written, and
 * when a newer version wrote it: a node never starts over by itself with another identity.
 */
import { z } from 'zod'
import { type Disk, nodeIdOf } from '../../host/index.ts'
import { isRevoked, rotationOf } from './authority.ts'
import { hash, hex, sealingPublicKey, signingPublicKey, unhex } from './crypto.ts'
import { KeyringError } from './errors.ts'
import { addKey, type Keychain } from './keychain.ts'
import { cardSchema, hexOf, isOwnCard, recordSchema } from './records.ts'
import { emptyRoster, merge, recordsOf } from './roster.ts'
import { Secret } from './secret.ts'
import type { Self } from './state.ts'
import type { Roster } from './tables.ts'

/** Append only. 1: the first. */
const KEYRING_VERSION = 1
/** A full roster, and as much again. */
const MAX_KEYRING_BYTES = 32 * 1024 * 1024
const OWNER_ALONE = 0o600

const secretSchema = hexOf(32)
const keyringSchema = z.strictObject({
  version: z.literal(KEYRING_VERSION),
  card: cardSchema,
  identity: secretSchema,
  sealing: secretSchema,
  locked: z.boolean(),
  /** Counts starts: of two copies of this file the one started later knows itself by it. */
  incarnation: z.int().min(0),
  keys: z.array(secretSchema).max(64),
  records: z.array(recordSchema),
})

export interface Keyring {
  readonly self: Self
  readonly roster: Roster
  readonly keychain: Keychain
  readonly locked: boolean
  readonly incarnation: number
}

/** Text of a keyring file: a line of hash, then what was hashed. */
export function encodeKeyring({ self, roster, keychain, locked, incarnation }: Keyring): Uint8Array {
  const shown = (secret: Secret): string => hex(secret.expose())
  const body = JSON.stringify({
    version: KEYRING_VERSION,
    card: self.card,
    identity: shown(self.identity),
    sealing: shown(self.sealing),
    locked,
    incarnation,
    keys: keychain.map(({ key }) => shown(key)),
    records: recordsOf(roster),
  })
  return Buffer.from(`${hex(hash(Buffer.from(body)))}\n${body}\n`)
}

/** Errors: `keyring-damaged`, `keyring-too-new`; never with a word of the content. */
export function decodeKeyring(path: string, bytes: Uint8Array): Keyring {
  const text = Buffer.from(bytes.subarray(0, MAX_KEYRING_BYTES)).toString('utf8')
  const [sum, body, end] = text.split('\n')
  if (body === undefined || end !== '' || hex(hash(Buffer.from(body))) !== sum) throw damaged(path)
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw damaged(path)
  }
  const newer = z.object({ version: z.int().min(KEYRING_VERSION + 1) }).safeParse(value)
  if (newer.success) {
    throw new KeyringError(
      'keyring-too-new',
      `${path} was written by a newer version of the node`,
      'Install that version again.',
    )
  }
  const parsed = keyringSchema.safeParse(value)
  const keyring = parsed.success ? assembled(parsed.data) : undefined
  if (keyring === undefined) throw damaged(path)
  return keyring
}

function assembled({ card, records, keys, ...rest }: z.infer<typeof keyringSchema>): Keyring | undefined {
  const identity = new Secret(unhex(rest.identity))
  const sealing = new Secret(unhex(rest.sealing))
  const [charter, ...others] = records
  const empty = charter?.kind === 'charter' ? emptyRoster(charter) : undefined
  const own =
    nodeIdOf(signingPublicKey(identity)) === card.node && sealingPublicKey(sealing) === card.sealing_key
  if (empty === undefined || !own || !isOwnCard(card)) return undefined
  const { roster, refused } = merge(empty, others)
  if (refused > 0) return undefined
  if (rotationOf(roster) === undefined && !isRevoked(roster, card.node)) return undefined
  const keychain = keys.reduce<Keychain>((chain, key) => addKey(chain, new Secret(unhex(key))), [])
  const { locked, incarnation } = rest
  return { self: { card, identity, sealing }, roster, keychain, locked, incarnation }
}

const damaged = (path: string): KeyringError =>
  new KeyringError(
    'keyring-damaged',
    `${path} is damaged: this node does not know who it is`,
    'Restore it from a backup; or remove it, and let the node join again under a new id.',
  )

/** Undefined when there is none yet. Errors: `keyring-exposed`, `keyring-damaged`, `keyring-too-new`, `DiskError`. */
export async function readKeyring(disk: Disk, path: string): Promise<Keyring | undefined> {
  const info = await disk.info(path)
  if (info === undefined) return undefined
  if (info.mode !== undefined && (info.mode & ~OWNER_ALONE) !== 0) {
    throw new KeyringError(
      'keyring-exposed',
      `${path} holds the keys of this node and others may read it (mode ${info.mode.toString(8)})`,
      `chmod 600 ${path}; if others use this machine, reset the node: its keys may be known.`,
    )
  }
  if (info.size > MAX_KEYRING_BYTES) throw damaged(path)
  return decodeKeyring(path, await disk.read(path))
}

/** Returns when it is durable; a crash leaves the old or the new one. Errors: `DiskError`. */
export const writeKeyring = (disk: Disk, path: string, keyring: Keyring): Promise<void> =>
  disk.write(path, encodeKeyring(keyring), { mode: OWNER_ALONE })
