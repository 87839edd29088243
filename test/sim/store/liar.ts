/**
 * A member with a valid key that lies: it runs the honest machine and beside it tells of what it does not hold, invents lives, passes on
 * what it changed, signs rows that are wrong or leap, makes its log endless, floods, and sends what no honest node would.
 */
import { nodeId } from '../../../src/host/index.ts'
import type { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { type ChangeRow, originKey, packKey, type SyncMessage } from '../../../src/store/sync/index.ts'
import type { SimulatedNode, World } from './world.ts'

/** Ten million entries, none of them there. */
const ENDLESS: readonly unknown[] = new Array(10_000_000)

export class Liar {
  readonly #world: World
  readonly #node: SimulatedNode
  readonly #random: SimulatedRandom

  constructor(world: World, node: SimulatedNode, random: SimulatedRandom) {
    this.#world = world
    this.#node = node
    this.#random = random
    node.liar = true
    world.tamper = (from, message) => (from === node ? this.#tamper(message) : message)
  }

  lieFor(for_ms: number): void {
    const until = this.#world.now + for_ms
    const lie = (): void => {
      if (this.#world.now >= until || this.#world.calmed) return
      this.#world.clock.after(30 + this.#random.float() * 300, lie)
      if (this.#node.state !== undefined) this.#lieOnce()
    }
    lie()
  }

  #lieOnce(): void {
    const random = this.#random
    const { nodes, links } = this.#world
    const to = nodes[random.below(nodes.length)]!
    if (to === this.#node || links.session(this.#node.index, to.index) === 0) return
    this.#world.count('lies')
    const say = (message: unknown): void => {
      if (!links.isCut(this.#node.index, to.index)) this.#world.arrive(this.#node, to, message)
    }
    switch (random.below(7)) {
      case 0:
        say({ type: 'heads', heads: [this.#falseHead()] })
        return
      case 1:
        say({ type: 'heads', heads: this.#inventedLives() })
        return
      case 2:
        say({ type: 'batches', number: random.below(60), batches: [random.bytes(random.below(300))] })
        return
      case 3:
        for (let i = 0; i < 600; i += 1) {
          say({ type: 'pull', number: i, node: to.id, life: 0, above: 0, edition: 0 })
        }
        this.#world.count('floods')
        return
      case 4:
        say(this.#nonsense())
        return
      case 5:
        this.#write(() => this.#sign(this.#wrongRow()))
        return
      default:
        // An endless log: it leaps as far as one batch may, with nothing in it.
        this.#write(() => this.#extend(2 ** 24 - 1))
        return
    }
  }

  #falseHead() {
    const { nodes } = this.#world
    const whose = nodes[this.#random.below(nodes.length)]!
    const version = whose.disk.extent(originKey(whose.disk.self)).version
    this.#world.count('false heads')
    return {
      ...whose.disk.self,
      version: version + 1 + this.#random.below(1e6),
      edition: this.#random.below(9),
    }
  }

  #inventedLives() {
    const whose = this.#random.below(2) === 0 ? this.#node.id : nodeId('nobody')
    this.#world.count('invented lives')
    return Array.from({ length: 200 }, (_, i) => ({ node: whose, life: 100 + i, version: 9, edition: 0 }))
  }

  #nonsense(): unknown {
    const values = [null, 7, [], { type: 'weather' }, { type: 'heads', heads: ENDLESS }, { type: 'pull' }]
    return values[this.#random.below(values.length)]
  }

  #wrongRow(): Partial<ChangeRow> {
    const faults: readonly Partial<ChangeRow>[] = [
      { table: 'passwords' },
      { cid: 'colour' },
      { pk: new Uint8Array() },
      { pk: Uint8Array.of(1, 11, 200) },
      { val: 'a text' },
      { col_version: 2 ** 52 },
      { cl: 2 ** 40 + 1 },
      { cl: 2 },
      // Within what a version may be at all, and far above what any cell has reached: everybody sets it aside.
      { col_version: 2 ** 45 },
    ]
    return faults[this.#random.below(faults.length)]!
  }

  /** Rows its own database never held, signed as if they were. */
  #sign(wrong: Partial<ChangeRow>): void {
    const { disk } = this.#node
    const version = this.#nextVersion(1)
    const row: ChangeRow = {
      table: 'timers',
      pk: packKey(['t1']),
      cid: 'rings_at',
      val: 9,
      col_version: 1,
      db_version: version,
      site_id: disk.replica.site,
      cl: 1,
      seq: 0,
      ...wrong,
    }
    disk.append([row], version)
    this.#world.count('wrong rows signed')
  }

  #extend(by: number): void {
    this.#node.disk.append([], this.#nextVersion(by))
    this.#world.count('leaps')
  }

  #nextVersion(by: number): number {
    const { disk } = this.#node
    const held = disk.extent(originKey(disk.self)).version
    disk.replica.db_version = Math.max(held, disk.replica.db_version) + by
    return disk.replica.db_version
  }

  /** Its log grows in turn with what it writes honestly. */
  #write(run: () => void): void {
    this.#world.later(this.#node, () => {
      run()
      const { disk } = this.#node
      const extent = disk.extent(originKey(disk.self))
      return () => this.#world.give(this.#node, { type: 'own-log', extent })
    })
  }

  /** What it passes on, one answer in three is changed in a byte, cut, or given under another name. */
  #tamper(message: SyncMessage): SyncMessage {
    const random = this.#random
    if (message.type !== 'batches' || message.batches.length === 0 || random.below(3) !== 0) return message
    if (this.#world.calmed && random.below(4) !== 0) return message
    const batches = message.batches.map((bytes) => new Uint8Array(bytes))
    const first = batches[0]!
    this.#world.count('tampered')
    if (random.below(3) === 0) return { ...message, batches: [first.subarray(0, random.below(first.length))] }
    if (random.below(2) === 0) first[random.below(first.length)]! ^= 1 << random.below(8)
    // The length of the name stays, so the header can still be read: rows of one writer under another's name.
    else first[3] = '0123456789'.charCodeAt(random.below(this.#world.nodes.length % 10))
    return { ...message, batches }
  }
}
