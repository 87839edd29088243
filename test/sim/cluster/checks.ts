/**
 * What must hold at every step of every node, whatever happens, and what must be so when the faults have ended. Numbers are those of
 * the header of `membership.ts`. A step changes few members, and rosters share the rest, so only what changed is compared.
 */
import { allMembers, type Member, type MembershipState, memberOf } from '../../../src/cluster/index.ts'
import { assert } from '../../../src/host/index.ts'
import type { Observer, SimulatedNode, World } from './world.ts'

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
  /** A death nobody can explain: its subject ran, and nothing stood between it and who declared it. */
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
    if (this.#explains(subject, node)) return
    this.unexplained.push(`${this.world.now.toFixed(0)} ms: ${node.id} gave up ${is.id}`)
  }

  /** Something kept the subject from being heard within the time a verdict takes at most, twice over for patience. */
  #explains(subject: SimulatedNode, node: SimulatedNode): boolean {
    const { config, links, now } = this.world
    if (subject.state === undefined || subject.asleep || subject.left) return true
    const window_ms = 2 * (config.suspect_after_ms + config.suspicion_max_ms) + 2_000
    if (now - subject.troubled_at < window_ms || now - node.troubled_at < window_ms) return true
    const { index } = subject
    return links.isCut(index, node.index) || links.heldFor(index, node.index, now) > 0
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
