/** Carries out what discovery wants done. */
import type { NodeId } from '../../host/index.ts'
import type { Log } from '../../observe/index.ts'
import type { DiscoveryEffect } from '../discovery/discovery.ts'
import { tell } from './addresses.ts'
import type { Belonging } from './belonging.ts'
import type { Copies } from './copies.ts'
import type { DiallingOut } from './dialling-out.ts'
import type { Links } from './links.ts'

export interface DiscoveredParts {
  readonly self: NodeId
  readonly out: Pick<DiallingOut, 'dial'>
  readonly belonging: Pick<Belonging, 'input'>
  readonly copies: Pick<Copies, 'heard'>
  readonly links: Links
  readonly log: Log
}

export function carryDiscovered(effect: DiscoveryEffect, parts: DiscoveredParts): void {
  const { self, out, belonging, copies, links, log } = parts
  switch (effect.type) {
    case 'dial':
      void out.dial(effect.attempt, effect.place, effect.expected)
      break
    case 'met':
      belonging.input({ type: 'met', node: effect.node, standing: effect.standing })
      break
    case 'cloned':
      copies.heard(effect.life)
      break
    case 'moved':
      tell(links, links.peers(), [{ node: self, places: effect.places }])
      break
    default:
      log[effect.level](effect.what, effect.attributes)
  }
}
