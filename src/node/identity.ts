/**
 * Who this node is, for as long as its data directory lives: a key of its own, whose public half is its id, and the household
 * it founded or joined. Both lie in one file, `<data>/keyring`, which is read here and written by the running cluster.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { found, type Keyring, newSelf, readKeyring, restored, writeKeyring } from '../cluster/index.ts'
import { DiskError, type Host, type NodeId } from '../host/index.ts'
import type { Audit } from '../observe/index.ts'

export interface Identity {
  readonly id: NodeId
  /** Where the keyring lies. */
  readonly path: string
  /** As it was read, or founded just now; this start is counted in it. */
  readonly keyring: Keyring
  /** True at the first start of a household founded here: its window is open, unless it was founded locked. */
  readonly founded: boolean
  /** The id an older version gave this directory; undefined when there is none left to replace. */
  readonly formerly: string | undefined
}

export interface IdentityOptions {
  readonly name: string
  readonly locked: boolean
}

/**
 * Reads the keyring, or makes an identity and founds a household; durable before it returns, with this start counted.
 * Errors: `keyring-exposed`, `keyring-damaged`, `keyring-too-new`, `DiskError`.
 */
export async function openIdentity(
  { disk, clock, random }: Host,
  directory: string,
  options: IdentityOptions,
): Promise<Identity> {
  const path = join(directory, 'keyring')
  const kept = await readKeyring(disk, path)
  const formerly = await formerId(disk, directory)
  const keyring = kept ?? newKeyring({ clock, random }, options)
  const counted = { ...keyring, incarnation: keyring.incarnation + 1 }
  await writeKeyring(disk, path, counted)
  return { id: counted.self.card.node, path, keyring: counted, founded: keyring.incarnation === 0, formerly }
}

/** A new self in a household of its own: at the first start, and after a reset. */
export function newKeyring(
  { clock, random }: Pick<Host, 'clock' | 'random'>,
  { name, locked }: IdentityOptions,
): Keyring {
  const context = { now: clock.monotonic(), wall: clock.wall(), random }
  const { self, roster, keychain } = found(newSelf(name.trim(), random), context, { locked })
  return { self, roster, keychain, locked, incarnation: 0 }
}

/** A household founded by this start has its window still open; later starts find it closed. */
export function householdOf(
  { keyring, founded }: Identity,
  { clock, random }: Pick<Host, 'clock' | 'random'>,
) {
  const context = { now: clock.monotonic(), wall: clock.wall(), random }
  const { self, roster, keychain, locked } = keyring
  return restored(self, roster, keychain, context, { locked, reopened: founded })
}

/**
 * Until version 0.1 a node's id was a random number in `node.json`. Nothing that is kept hangs on it (actors are stored under
 * addresses without a node); the audit log notes which id became which, then the file goes.
 */
export async function retireFormerId(
  { disk }: Pick<Host, 'disk'>,
  directory: string,
  { id, formerly }: Identity,
  audit: Audit,
): Promise<void> {
  if (formerly === undefined) return
  const entry = { actor: 'node', who: '-', what: 'node.renamed', object: formerly, outcome: id }
  await audit.append(entry)
  await disk.remove(join(directory, 'node.json'))
}

const formerSchema = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) })

async function formerId(disk: Host['disk'], directory: string): Promise<string | undefined> {
  let text: string
  try {
    text = Buffer.from(await disk.read(join(directory, 'node.json'))).toString('utf8')
  } catch (thrown) {
    if (thrown instanceof DiskError && thrown.reason === 'missing') return undefined
    throw thrown
  }
  try {
    return formerSchema.parse(JSON.parse(text)).id
  } catch {
    return 'unreadable'
  }
}
