/**
 * A member with valid keys that lies: it runs the honest machine and beside it says false things of everyone, forges who says
 * so, vouches unasked, replays what it once said, invents members, and sends values no honest node would.
 */
import type { MembershipMessage } from '../../../src/cluster/index.ts'
import type { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import type { SimulatedNode, World } from './world.ts'

const STATUSES = ['alive', 'suspect', 'dead', 'left'] as const
/** Ten million entries, none of them there: made once, for making it is what costs. */
const ENDLESS: readonly unknown[] = new Array(10_000_000)

export class Liar {
  readonly #world: World
  readonly #node: SimulatedNode
  readonly #random: SimulatedRandom
  readonly #said: MembershipMessage[] = []

  constructor(world: World, node: SimulatedNode, random: SimulatedRandom) {
    this.#world = world
    this.#node = node
    this.#random = random
  }

  lieFor(for_ms: number): void {
    const until = this.#world.now + for_ms
    const lie = (): void => {
      if (this.#world.now >= until) return
      this.#world.clock.after(20 + this.#random.float() * 200, lie)
      if (this.#node.state !== undefined && !this.#node.asleep) this.#lieOnce()
    }
    lie()
  }

  #lieOnce(): void {
    const { nodes } = this.#world
    const to = nodes[this.#random.below(nodes.length)]!
    if (to === this.#node || this.#world.links.isCut(this.#node.index, to.index)) return
    if (this.#world.links.session(to.index, this.#node.index) === 0) return
    this.#world.count('lies')
    this.#world.arriveRaw(this.#node, to, this.#lie(to))
  }

  /** A header others accept: later in sequence than what the honest half sends. */
  #header() {
    const { state } = this.#node
    const seq = state!.seq + 1
    this.#node.state = { ...state!, seq }
    return { boot: state!.self.boot, seq, incarnation: state!.self.incarnation }
  }

  #lie(to: SimulatedNode): unknown {
    const random = this.#random
    switch (random.below(8)) {
      case 0:
        return this.#remember({ type: 'sync', ...this.#header(), entries: this.#slander() })
      case 1:
        return this.#remember({
          type: 'heartbeat',
          ...this.#header(),
          digest: random.uint32() | 0,
          news: this.#slander().slice(0, 8),
        })
      case 2:
        return {
          type: 'heartbeat',
          ...this.#header(),
          digest: 0,
          you: { boot: random.uint32(), incarnation: this.#number(to), status: this.#status() },
          news: [],
        }
      case 3:
        return {
          type: 'ack',
          ...this.#header(),
          probe: random.uint32(),
          origin: to.id,
          about: this.#someone().id,
        }
      case 4:
        return this.#said[random.below(this.#said.length || 1)] ?? null
      case 5:
        return { type: 'ping', ...this.#header(), probe: 1, origin: this.#someone().id }
      case 6:
        return { type: 'probe-request', ...this.#header(), probe: 1, target: to.id }
      default:
        return this.#nonsense()
    }
  }

  #remember(message: MembershipMessage): MembershipMessage {
    if (this.#said.length < 50) this.#said.push(message)
    return message
  }

  #someone(): SimulatedNode {
    return this.#world.nodes[this.#random.below(this.#world.nodes.length)]!
  }

  #status() {
    return STATUSES[this.#random.below(STATUSES.length)]!
  }

  /** Near what is true, a little ahead, far ahead. */
  #number(of: SimulatedNode): number {
    const truth = of.state?.self.incarnation ?? 0
    return truth + [0, 0, 1, 3, 1_000, 2 ** 30, 2 ** 51][this.#random.below(7)]!
  }

  #slander() {
    return Array.from({ length: 1 + this.#random.below(20) }, () => {
      const victim = this.#someone()
      const invented = this.#random.below(6) === 0
      return {
        id: invented ? (`ghost${this.#random.below(1e6)}` as typeof victim.id) : victim.id,
        boot: this.#random.below(3) === 0 ? this.#random.uint32() : (victim.state?.self.boot ?? 0),
        incarnation: this.#number(victim),
        status: this.#status(),
        by: this.#someone().id,
      }
    })
  }

  #nonsense(): unknown {
    const header = this.#header()
    const entry = { id: 'n000', boot: 0, incarnation: 0, status: 'dead' }
    const values: readonly unknown[] = [
      { type: 'sync', ...header, entries: ENDLESS },
      { type: 'sync', ...header, entries: [{ ...entry, incarnation: -1 }] },
      { type: 'sync', ...header, entries: [{ ...entry, incarnation: Number.MAX_SAFE_INTEGER }] },
      { type: 'heartbeat', ...header, digest: Number.NaN, news: [] },
      { type: 'heartbeat', ...header, digest: 0, news: { length: 3 } },
      { type: 'ping', ...header, seq: 0, probe: 1 },
      { type: 'ack', ...header, probe: 1, about: 'x'.repeat(1_000), origin: '../..' },
      { type: 'constructor' },
      [header],
      undefined,
    ]
    return values[this.#random.below(values.length)]
  }
}
