/**
 * The household keys a node holds. A key opens connections (it is the noise prologue) while its rotation is the current one,
 * and for OVERLAP_MS after; who was removed is refused by its certificate however it got through.
 *
 * K1 A key is held only under the name its hash gives it.
 * K2 A replaced key opens nothing OVERLAP_MS after it was replaced.
 * K3 A grant is made only for a member, and sealed to the key in that member's own card.
 */
import { z } from 'zod'
import type { Monotonic, NodeId, Random } from '../../host/index.ts'
import { certificateOf, rotationOf } from './authority.ts'
import { OVERLAP_MS } from './bounds.ts'
import { canonical } from './canonical.ts'
import { hash, hex, KEY_BYTES, newSecret, sealTo, unsealOwn } from './crypto.ts'
import { type HouseholdId, hexOf, householdIdSchema, nodeIdSchema } from './records.ts'
import { Secret } from './secret.ts'
import type { Roster } from './tables.ts'

export interface HeldKey {
  readonly id: string
  readonly key: Secret
  /** Undefined while it is the current one. */
  readonly until?: Monotonic
}
export type Keychain = readonly HeldKey[]

/** A household key on its way to one member; worthless to everybody else. */
export const grantSchema = z.strictObject({
  household: householdIdSchema,
  node: nodeIdSchema,
  key_id: hexOf(KEY_BYTES),
  /** Ephemeral X25519 key, then ChaCha20-Poly1305 of the key. */
  sealed: hexOf(KEY_BYTES + KEY_BYTES + 16),
})
export type Grant = z.infer<typeof grantSchema>

export const keyId = (key: Secret): string => hex(hash(canonical('loqa household key', [key.expose()])))

export const addKey = (keychain: Keychain, key: Secret): Keychain => {
  const id = keyId(key)
  return keychain.some((held) => held.id === id) ? keychain : [...keychain, { id, key }]
}

/** Marks what the roster's rotation has replaced, and drops what nobody may use any more. */
export function aged(keychain: Keychain, roster: Roster, now: Monotonic): Keychain {
  const current = rotationOf(roster)?.key_id
  // A key that came before its rotation waits for it like one that was replaced: not for ever.
  return keychain.flatMap(({ id, key, until }) => {
    if (id === current) return [{ id, key }]
    const end = until ?? ((now + OVERLAP_MS) as Monotonic)
    return end > now ? [{ id, key, until: end }] : []
  })
}

/** The keys a connection may be opened with, the current one first. Empty until a grant brings the current one. */
export function openingKeys(keychain: Keychain, roster: Roster, now: Monotonic): readonly Secret[] {
  const current = rotationOf(roster)?.key_id
  const usable = keychain.filter(({ id, until }) => id === current || (until !== undefined && until > now))
  return usable.sort((a, b) => Number(b.id === current) - Number(a.id === current)).map(({ key }) => key)
}

export const currentKey = (keychain: Keychain, roster: Roster): Secret | undefined =>
  keychain.find(({ id }) => id === rotationOf(roster)?.key_id)?.key

const boundTo = (household: HouseholdId, node: NodeId, id: string): Uint8Array =>
  canonical('loqa household grant', [household, node, id])

export function grantFor(
  roster: Roster,
  keychain: Keychain,
  node: NodeId,
  random: Random,
): Grant | undefined {
  const certificate = certificateOf(roster, node)
  const key = currentKey(keychain, roster)
  if (certificate === undefined || key === undefined) return undefined
  const { household } = roster
  const key_id = keyId(key)
  const bound = boundTo(household, node, key_id)
  const sealed = sealTo(certificate.card.sealing_key, newSecret(random), bound, key.expose())
  return sealed === undefined ? undefined : { household, node, key_id, sealed }
}

/** The key in a grant for this node, or undefined when it is for another, or does not hold what it names. */
export function openGrant(grant: Grant, node: NodeId, sealing: Secret): Secret | undefined {
  if (grant.node !== node) return undefined
  const bytes = unsealOwn(sealing, boundTo(grant.household, node, grant.key_id), grant.sealed)
  if (bytes?.length !== KEY_BYTES) return undefined
  const key = new Secret(bytes)
  return keyId(key) === grant.key_id ? key : undefined
}
