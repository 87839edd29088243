/**
 * The household tag in an announcement: who holds the household key sees that it was made with it, everybody else sees sixteen
 * random digits that change every hour and tell no two households apart.
 *
 * It covers what the announcement says of this start of the node, so nobody without the key can make a node believe that it was
 * cloned. Repeating what a member said is all a stranger can do with it, for two hours at most.
 */
import type { NodeId, Wall } from '../../host/index.ts'
import { canonical } from '../household/canonical.ts'
import type { Life } from '../household/clones.ts'
import { deriveKeys, hash, hex } from '../household/crypto.ts'
import type { Secret } from '../household/secret.ts'

const DOMAIN = 'loqa discovery tag v1'
/** 64 bits: guessing one takes longer than the hour it is good for, and a right guess gains a dial. */
const TAG_BYTES = 8
const HOUR_MS = 3_600_000

export const TAG_PATTERN = /^[0-9a-f]{16}$/

export type Signed = Omit<Life, 'address'>

export const hourOf = (wall: Wall): number => Math.max(0, Math.floor(wall / HOUR_MS))

export function tagOf(key: Secret, { node, incarnation, boot }: Signed, hour: number): string {
  const salt = hash(canonical(DOMAIN, [node, incarnation, boot, hour]))
  return hex(deriveKeys(key, salt, DOMAIN, 1)[0]!.expose().subarray(0, TAG_BYTES))
}

/** Whether the tag was made with one of the keys around now: clocks of members may differ, and hours end. */
export function isOurs(tag: string, keys: readonly Secret[], signed: Signed, hour: number): boolean {
  return keys.some((key) =>
    [hour, hour - 1, hour + 1].some((around) => around >= 0 && tagOf(key, signed, around) === tag),
  )
}

/** Only for logs and maps; ids are as long as they must be to be unguessable, not to be read. */
export const brief = (node: NodeId): string => node.slice(-8)
