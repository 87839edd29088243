/**
 * The doors onto a world in memory. One `SimulatedClock` and one seed drive everything, so the same seed gives the same
 * run, byte for byte. For tests and simulations; the product never imports it.
 */
import type { Host } from '../host.ts'
import { SimulatedClock } from './clock.ts'
import { SimulatedDisk } from './disk.ts'
import { SimulatedWorld } from './network.ts'
import { SimulatedRandom } from './random.ts'

export type { DiskFaults } from './disk.ts'
export type { LinkFaults } from './network.ts'
export { SimulatedClock, SimulatedDisk, SimulatedRandom, SimulatedWorld }

export interface SimulatedHost extends Host {
  readonly clock: SimulatedClock
  readonly random: SimulatedRandom
  readonly disk: SimulatedDisk
  readonly world: SimulatedWorld
}

/** One host in a world of its own; give `world` to put several into the same. */
export function simulatedHost(
  seed: number,
  options: { name?: string; world?: SimulatedWorld } = {},
): SimulatedHost {
  const random = new SimulatedRandom(seed)
  const clock = options.world?.clock ?? new SimulatedClock()
  const world = options.world ?? new SimulatedWorld(clock, random.fork())
  return {
    clock,
    random,
    world,
    network: world.host(options.name ?? 'node'),
    disk: new SimulatedDisk(clock, random.fork()),
  }
}
