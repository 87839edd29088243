/** Random work on a small keyspace, so that writers often meet in the same row and cell. */

import type { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { packKey } from '../../../src/store/sync/index.ts'
import type { Operation } from '../../store/sync/replica.ts'
import type { SimulatedNode, World } from './world.ts'

const KEYS = 12
const WORDS = ['pasta', 'tea', 'eggs', 'Brot', 'crème', '🥐', '']

export function randomOperation(random: SimulatedRandom, schema: number): Operation {
  const word = WORDS[random.below(WORDS.length)]!
  const tables = schema > 1 ? 3 : 2
  switch (random.below(tables)) {
    case 0: {
      const pk = packKey([`t${random.below(KEYS)}`])
      if (random.below(6) === 0) return { table: 'timers', pk }
      const set: Record<string, string | number | Uint8Array | null> = {}
      if (random.below(2) === 0) set.label = random.below(8) === 0 ? null : word
      if (random.below(2) === 0) set.rings_at = random.below(4)
      if (random.below(4) === 0) set.sound = random.bytes(random.below(5))
      if (schema > 1 && random.below(2) === 0) set.room = word
      if (Object.keys(set).length === 0) set.rings_at = random.below(4)
      return { table: 'timers', pk, set }
    }
    case 1: {
      const pk = packKey([`s${random.below(3)}`, random.below(4) * 100])
      return random.below(5) === 0 ? { table: 'seats', pk } : { table: 'seats', pk, set: { node: word } }
    }
    default:
      return { table: 'rooms', pk: packKey([`r${random.below(4)}`]), set: { name: word } }
  }
}

/** Transactions of one to four operations. */
export function writeOnce(world: World, node: SimulatedNode, random: SimulatedRandom): void {
  const operations = Array.from({ length: 1 + random.below(4) }, () =>
    randomOperation(random, node.disk.schema.version),
  )
  world.write(node, operations)
}

/** Everybody writes for a while, at paces of their own; bursts among it. */
export function writeFor(world: World, random: SimulatedRandom, for_ms: number): void {
  const until = world.now + for_ms
  for (const node of world.nodes) {
    const pause_ms = 50 + random.float() * 1_500
    const own = random.fork()
    const again = (): void => {
      if (world.now >= until || world.calmed) return
      const burst = own.below(12) === 0 ? 1 + own.below(10) : 1
      for (let i = 0; i < burst; i += 1) writeOnce(world, node, own)
      world.clock.after(-Math.log(1 - own.float()) * pause_ms, again)
    }
    world.clock.after(own.float() * pause_ms, again)
  }
}
