/** What holds after every step of every node, and what must hold once the faults have ended. */
import { assert } from '../../../src/host/index.ts'
import {
  MAX_LIVES_PER_NODE,
  MAX_ORIGINS,
  MAX_PEERS,
  MAX_PULLS,
  MAX_PULLS_PER_PEER,
} from '../../../src/store/sync/bounds.ts'
import {
  type OriginKey,
  originKey,
  originOf,
  type SyncInput,
  type SyncState,
} from '../../../src/store/sync/index.ts'
import type { SimulatedNode, World } from './world.ts'

/** Faults no honest node commits, however bad the network. Silence is none: messages are lost. */
const DISHONEST = new Set([
  'false-head',
  'wrong-answer',
  'bad-batch',
  'undecodable',
  'too-many-logs',
  'flood',
  'wrong-rows',
  'endless-log',
])

export class Checks {
  steps = 0

  step = (_node: SimulatedNode, before: SyncState, _input: SyncInput, after: SyncState): void => {
    this.steps += 1
    if (after.held !== before.held) {
      for (const [origin, { version }] of before.held) {
        assert((after.held.get(origin)?.version ?? 0) >= version, 'S2: a held version never falls')
      }
    }
    if (after.pulls !== before.pulls) pullsAreBounded(after)
    // Looking at every log of every peer costs more than the step: now and then is enough.
    if (this.steps % 64 === 0) peersAreBounded(after)
  }
}

function pullsAreBounded({ pulls }: SyncState): void {
  assert(pulls.length <= MAX_PULLS, 'S4: pulls are bounded')
  assert(new Set(pulls.map(({ origin }) => origin)).size === pulls.length, 'S4: one pull a log')
  for (const { peer } of pulls) {
    // An answer that is being stored no longer keeps its peer busy once that peer has come anew.
    const asked = pulls.filter((pull) => pull.peer === peer && pull.phase === 'asked')
    assert(asked.length <= MAX_PULLS_PER_PEER, 'S4: a few pulls a peer')
  }
}

function peersAreBounded({ peers, reputes, held }: SyncState): void {
  assert(peers.size <= MAX_PEERS && reputes.size <= MAX_PEERS, 'S9: peers are bounded')
  for (const { told } of peers.values()) {
    assert(told.size <= MAX_ORIGINS, 'S9: logs are bounded')
    const lives = new Map<string, number>()
    for (const origin of told.keys()) {
      const { node } = originOf(origin)
      lives.set(node, (lives.get(node) ?? 0) + 1)
    }
    for (const count of lives.values())
      assert(count <= MAX_LIVES_PER_NODE + held.size, 'S9: lives are bounded')
  }
}

/** Who has come, and does not lie. */
const honest = (world: World): SimulatedNode[] =>
  world.nodes.filter(({ liar, starts }) => !liar && starts > 0)

/** Why the honest nodes are not alike yet, or undefined. */
export function difference(world: World): string | undefined {
  const [first, ...rest] = honest(world)
  const heads = headsOf(first!)
  const digest = first!.disk.replica.digest()
  for (const node of rest) {
    const own = headsOf(node)
    for (const origin of new Set([...heads.keys(), ...own.keys()])) {
      if (heads.get(origin) !== own.get(origin)) {
        return `${first!.id} holds ${origin} to ${heads.get(origin)}, ${node.id} to ${own.get(origin)}`
      }
    }
    if (node.disk.replica.digest() !== digest) return `${first!.id} and ${node.id} hold different rows`
  }
  const parking = honest(world).find(({ disk }) => disk.parked.size > 0)
  return parking === undefined ? undefined : `${parking.id} has rows parked`
}

function headsOf({ disk }: SimulatedNode): Map<OriginKey, number> {
  return new Map([...disk.extents()].map(([origin, { version }]) => [origin, version]))
}

/** An acknowledged write that is neither found nor overwritten, or undefined. What a liar wrote it may keep to itself. */
export function lostWrite(world: World): string | undefined {
  const writers = new Set(honest(world).map(({ id }) => id))
  const acknowledged = world.acknowledged.filter(({ origin }) => writers.has(originOf(origin).node))
  for (const { disk, id } of honest(world)) {
    for (const { origin, version, rows } of acknowledged) {
      const lost = rows.find((row) => !disk.replica.covers(row))
      if (lost !== undefined) {
        return `${id} lacks ${lost.table} ${Buffer.from(lost.pk).toString('hex')} ${lost.cid} of ${origin} at ${version}`
      }
    }
  }
  return undefined
}

/** An honest node that was named for what no honest node does, or believes what it should not; or undefined. */
export function slander(world: World): string | undefined {
  const liars = new Set(world.nodes.filter(({ liar }) => liar).map(({ id }) => id))
  // Whoever is restored here takes its next life by itself.
  if (world.outlived.length > 0) return `${world.outlived[0]} was made to take its next life`
  const wrong = world.named.find(({ node, fault }) => DISHONEST.has(fault) && !liars.has(node))
  return wrong === undefined ? undefined : `${wrong.node} was named for ${wrong.fault}`
}

/** No machine holds more than its disk; less only of what was just stored and not told yet. */
export function machineIsTrue(world: World): void {
  for (const { state, disk } of world.nodes) {
    if (state === undefined) continue
    for (const [origin, { version }] of state.held) {
      assert(version <= disk.extent(origin).version, `S1: ${originKey(disk.self)} holds ${origin} as told`)
    }
  }
}
