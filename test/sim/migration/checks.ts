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

/** G2, G3 (never twice), G4 and G5 are watched at every step (`world.ts`). */
/** G6: no move is remembered for ever. */
export function remembered(world: World): string | undefined {
  for (const { id, mover } of world.nodes) {
    const [left] = [...mover.away.values(), ...mover.here.values()]
    if (left !== undefined) return `${id} still remembers a move that is ${left.phase}`
  }
  return undefined
}

/** What the actor set for itself came along, and not early. */
export function times(world: World): string | undefined {
  const [one] = world.running()
  const kept = one?.copy?.times.get('kept')
  if (one?.copy?.born === 'first' && kept === undefined) return 'a time was lost'
  return kept !== undefined && kept < 60_000 ? `a time is due ${60_000 - kept} ms early` : undefined
}

export const problem = (world: World, allowed: readonly Lost[]): string | undefined =>
  world.problems[0] ?? copies(world) ?? messages(world, allowed) ?? remembered(world) ?? times(world)
