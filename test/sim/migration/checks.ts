/** What must hold when all is over, by the numbers of `src/cluster/migration/index.ts`. */
import type { Lost, World } from './world.ts'

/** G1: exactly one copy, where every map says, under its epoch. */
export function copies(world: World): string | undefined {
  const running = world.running()
  if (running.length !== 1) return `${running.length} copies`
  const [{ id, copy }] = running as [(typeof running)[number]]
  for (const node of world.nodes) {
    const entry = [...node.map.entries.values()][0]
    if (entry?.node !== id || entry.epoch !== copy!.fence.epoch) {
      return `${node.id} says ${entry?.node} in ${entry?.epoch}, it is ${id} in ${copy!.fence.epoch}`
    }
  }
  return undefined
}

/** G3: every message was handled once, or is lost for a reason that this run allows. */
export function messages(world: World, allowed: readonly Lost[]): string | undefined {
  for (const name of world.sent) {
    if (world.handled.has(name)) continue
    const why = [...(world.lost.get(name) ?? [])]
    if (why.length === 0) return `${name} disappeared`
    if (!why.some((each) => allowed.includes(each))) return `${name} was lost: ${why.join()}`
  }
  return undefined
}

/** G2, G3 (never twice) and G4 are watched at every step. */
export const problem = (world: World, allowed: readonly Lost[]): string | undefined =>
  world.problems[0] ?? copies(world) ?? messages(world, allowed)
