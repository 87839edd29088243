/** How a household begins, how a node finds itself in it again after a restart, and what both hold to. */

import { assert, type Monotonic, monotonic, nodeIdOf, type Random } from '../../host/index.ts'
import { isRevoked, rotationOf, windowOf } from './authority.ts'
import { MAX_WINDOW_MS, WINDOW_MS } from './bounds.ts'
import { newSecret, sealingPublicKey, signingPublicKey } from './crypto.ts'
import { openGate } from './gate.ts'
import { issueCertificate, issueRotation, issueWindow } from './issue.ts'
import { addKey, aged, type Keychain } from './keychain.ts'
import { type Charter, RECORD_VERSION, signCard, signRecord } from './records.ts'
import { emptyRoster, merge } from './roster.ts'
import type { HouseholdContext, HouseholdState, Self } from './state.ts'
import type { Roster } from './tables.ts'

/** A new identity: also what a removed node starts over with. `name` as `nameSchema` takes it. */
export function newSelf(name: string, random: Random): Self {
  const identity = newSecret(random)
  const sealing = newSecret(random)
  const node = nodeIdOf(signingPublicKey(identity))
  const card = signCard(identity, { node, name, sealing_key: sealingPublicKey(sealing) })
  return { card, identity, sealing }
}

/** One node, one household: the root key signs the charter and is forgotten before this returns. */
export function found(self: Self, context: HouseholdContext, options: { locked: boolean }): HouseholdState {
  const { wall, now, random } = context
  const root = newSecret(random)
  const unsigned = {
    kind: 'charter',
    version: RECORD_VERSION,
    root: signingPublicKey(root),
    founder: self.card.node,
    founded: Math.floor(wall),
  } as const
  const charter: Charter = signRecord(root, unsigned)
  const empty = emptyRoster(charter)
  assert(empty !== undefined, 'a charter just signed is signed')
  const signer = { node: self.card.node, identity: self.identity }
  const key = newSecret(random)
  const { roster, refused } = merge(empty, [
    issueCertificate(empty, signer, self.card, wall),
    issueRotation(empty, signer, key, wall),
    issueWindow(empty, signer, wall, options.locked ? 0 : WINDOW_MS),
  ])
  assert(refused === 0, 'a founder may sign')
  const closes = options.locked ? now : monotonic(now + WINDOW_MS)
  return state(self, roster, addKey([], key), { ...context, closes, locked: options.locked })
}

/**
 * From what the keyring kept. A window does not survive a restart: whoever restarts was there to open it again. `reopened`
 * is for the very start that founded the household. Who was removed before stays removed.
 */
export function restored(
  self: Self,
  roster: Roster,
  keychain: Keychain,
  context: HouseholdContext,
  options: { locked: boolean; reopened?: boolean },
): HouseholdState {
  const closes = options.reopened === true ? closing(roster, context) : context.now
  return state(self, roster, keychain, { ...context, closes, locked: options.locked })
}

function state(
  self: Self,
  roster: Roster,
  keychain: Keychain,
  { now, closes, locked }: HouseholdContext & { closes: Monotonic; locked: boolean },
): HouseholdState {
  const removed = isRevoked(roster, self.card.node)
  // The rotations a removed node signed count no more, and of newer ones it was not told.
  assert(removed || rotationOf(roster) !== undefined, 'a household has a key')
  return {
    phase: removed ? 'removed' : 'member',
    self,
    roster,
    keychain: aged(keychain, roster, now),
    closes,
    locked,
    gate: openGate(now),
    pending: [],
    sightings: new Map(),
    joining: undefined,
    attempts: 0,
    rotates: undefined,
  }
}

/** When the window that counts closes by our own monotonic clock, which nobody can turn. */
export function closing(roster: Roster, { now, wall }: HouseholdContext): Monotonic {
  const left_ms = (windowOf(roster)?.until ?? 0) - wall
  return monotonic(now + Math.min(Math.max(0, left_ms), MAX_WINDOW_MS))
}
