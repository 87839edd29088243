/**
 * What must hold at every step of every node, whatever happens, and what must be so when the faults have ended. Numbers are those of
 * the header of `membership.ts`. A step changes few members, and rosters share the rest, so only what changed is compared.
 */
import { allMembers, type Member, type MembershipState, memberOf } from '../../../src/cluster/index.ts'
import { assert } from '../../../src/host/index.ts'
import { FAIR, type Observer, type SimulatedNode, type World } from './world.ts'

const isGone = ({ standing: { status } }: Member): boolean => status === 'dead' || status === 'left'

function* changedMembers(
  before: MembershipState,
  after: MembershipState,
): Generator<[Member | undefined, Member]> {
  const { chunks } = after.roster
  for (let c = 0; c < chunks.length; c += 1) {
    if (chunks[c] === before.roster.chunks[c]) continue
    for (const [slot, member] of chunks[c]!.entries()) {
      const same = before.roster.chunks[c]?.[slot]
      if (same === member) continue
      yield [same?.id === member.id ? same : memberOf(before.roster, member.id), member]
    }
  }
}

/** Checks M1 to M4, M7 and M10 after every step; `world` comes later, because it is made with this observer. */
export class Checks implements Observer {
  world!: World
  steps = 0
  verdicts = 0
  falls = 0
  /** A death nobody can explain: its subject ran, and nothing kept it from being heard by who declared it, or others came round that. */
  readonly unexplained: string[] = []

  step(node: SimulatedNode, before: MembershipState, _input: unknown, after: MembershipState): void {
    this.steps += 1
    const { self } = after
    assert(self.incarnation >= before.self.incarnation, 'M1: the own incarnation never falls')
    assert(memberOf(after.roster, self.id) === undefined, 'M1: a node is not its own member')
    assert(after.rumours.length <= after.roster.slots.size + 1, 'M7: at most one rumour a member')
    assert(after.awareness >= 0 && after.awareness <= this.world.config.awareness_max, 'M7: awareness')
    for (const [was, is] of changedMembers(before, after)) {
      assert(this.world.nodeOf(is.id) !== undefined, 'M6: only admitted members are known')
      if (was !== undefined) this.#transition(node, was, is, after)
    }
    if (this.steps % 256 === 0) derivedIsTrue(after)
  }

  #transition(node: SimulatedNode, was: Member, is: Member, after: MembershipState): void {
    assert(is.life.incarnation >= was.life.incarnation, 'M2: a known incarnation never falls')
    assert(is.contact.recent.length <= 8, 'M7: the window is bounded')
    const newLife = is.life.incarnation > was.life.incarnation
    if (isGone(was) && !isGone(is)) assert(newLife, 'M3: the dead return by a higher incarnation only')
    assert(
      is.accused === undefined || is.accused.incarnation >= is.life.incarnation,
      'M2: no accusation is kept that a known incarnation outlived',
    )
    if (was.life.boot !== is.life.boot) assert(newLife, 'M3: a new life has a higher incarnation')
    if (is.standing.status === 'suspect') {
      assert(is.standing.accusers.length <= 4, 'M7: accusers are bounded')
      this.falls += was.standing.status === 'alive' ? 1 : 0
    }
    if (isGone(is) && !isGone(was)) this.#verdict(node, was, is, after)
  }

  #verdict(node: SimulatedNode, was: Member, is: Member, after: MembershipState): void {
    // Its own word: it was just heard.
    if (is.standing.status === 'left' && is.contact !== was.contact) return
    assert(was.standing.status === 'suspect', 'M4: nobody dies unsuspected')
    const now = node.clock_offset_ms + this.world.now * node.clock_speed - after.slept_ms
    const suspected_ms = now - was.standing.since
    assert(suspected_ms >= this.world.config.suspicion_min_ms - 1, 'M4: suspicion has its time')
    assert(was.contact.heard_at <= was.standing.since, 'M4: who is heard is not suspected')
    this.verdicts += 1
    const subject = this.world.nodeOf(is.id)!
    if (this.#explains(subject, node, suspected_ms)) return
    this.unexplained.push(`${this.world.now.toFixed(0)} ms: ${node.id} gave up ${is.id}`)
  }

  /**
   * Something kept the subject from being heard until less than the least time of a suspicion ago, which is time enough to be heard; or
   * keeps it still, and neither helpers nor its refutation come round it.
   */
  #explains(subject: SimulatedNode, node: SimulatedNode, suspected_ms: number): boolean {
    if (subject.state === undefined || subject.asleep || subject.left) return true
    const untroubled_ms = this.world.now - Math.max(subject.troubled_at, node.troubled_at)
    if (untroubled_ms < this.world.config.suspicion_min_ms) return true
    return !this.#carries(subject, node) && !this.#goesRound(subject, node, suspected_ms)
  }

  /** Without an open stream nothing arrives; a cut in the other direction alone is enough to keep one from being opened. */
  #carries({ index: from }: SimulatedNode, { index: to }: SimulatedNode): boolean {
    const { links, now } = this.world
    return links.isConnected(from, to) && !links.isCut(from, to) && links.heldFor(from, to, now) === 0
  }

  /**
   * Whether others come between the two: where nothing is lost or delayed, and however helpers are drawn, one is among them that has
   * exchanged messages with both ends for as long as the suspicion lasted.
   */
  #goesRound(subject: SimulatedNode, node: SimulatedNode, suspected_ms: number): boolean {
    const { config, nodes, weather, now } = this.world
    if (weather.loss > 0 || weather.jitter_ms > FAIR.jitter_ms) return false
    const others = nodes.filter((other) => other !== subject && other !== node && other.state !== undefined)
    const able = others.filter(
      (other) =>
        !other.asleep &&
        !other.left &&
        now - other.troubled_at > suspected_ms &&
        [subject, node].every((end) => this.#carries(other, end) && this.#carries(end, other)),
    )
    return able.length > 0 && others.length - able.length < config.helpers
  }
}

/** M10, by working it out anew. */
export function derivedIsTrue(state: MembershipState): void {
  const members = allMembers(state.roster)
  const live = members.filter((member) => !isGone(member))
  assert(state.live === live.length, 'M10: live is counted')
  const suspects = members.filter(({ standing }) => standing.status === 'suspect').map(({ id }) => id)
  assert(sorted(state.suspects) === sorted(suspects), 'M10: suspects are listed')
  assert(
    sorted(state.gone) === sorted(members.filter(isGone).map(({ id }) => id)),
    'M10: the gone are listed',
  )
}

const sorted = (ids: readonly string[]): string => [...ids].sort().join()

/** Why two live nodes do not yet agree with the truth, or undefined when all do. */
export function disagreement(world: World): string | undefined {
  for (const node of world.nodes) {
    if (node.state === undefined) continue
    for (const other of world.nodes) {
      if (other === node) continue
      const member = memberOf(node.state.roster, other.id)
      const status = member?.standing.status ?? 'unknown'
      if (other.state === undefined) {
        if (status === 'alive' || status === 'suspect')
          return `${node.id}: ${other.id} is ${status}, and down`
      } else if (status !== 'alive' || member!.life.boot !== other.state.self.boot) {
        return `${node.id}: ${other.id} is ${status}, and up`
      }
    }
  }
  return undefined
}
