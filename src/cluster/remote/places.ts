/** The map of placements as it travels: told whole to a new link, what is new at once to every link. The rules are in `placement/`. */
import type { Clock, NodeId } from '../../host/index.ts'
import type { Fence } from '../migration/fence.ts'
import {
  claim,
  FORGET_MS,
  forget,
  merge,
  NO_PLACEMENTS,
  orphans,
  type Placement,
  type Placements,
  pages,
  release,
  whereIs,
} from '../placement/placements.ts'
import type { RemoteOptions } from './face.ts'
import type { Line } from './line.ts'
import { ROW } from './wire.ts'

export class Places {
  readonly #node: NodeId
  readonly #clock: Clock
  readonly #placed: RemoteOptions['placed']
  readonly #lines: () => Iterable<Line>
  #map: Placements = NO_PLACEMENTS
  /** When it was last gone through for what may be forgotten. */
  #forgot_at = 0

  constructor(options: Pick<RemoteOptions, 'node' | 'clock' | 'placed'>, lines: () => Iterable<Line>) {
    this.#node = options.node
    this.#clock = options.clock
    this.#placed = options.placed
    this.#lines = lines
  }

  get map(): Placements {
    return this.#map
  }

  whereIs(address: string): NodeId | undefined {
    return whereIs(this.#map, address)
  }

  claim(address: string): boolean {
    if (this.whereIs(address) === this.#node) return true
    return this.#wrote(claim(this.#map, address, this.#node, this.#clock.monotonic()))
  }

  /** Under the epoch of a move. */
  claimAt(address: string, epoch: number): boolean {
    const entry: Placement = { address, node: this.#node, epoch }
    const { placements, news } = merge(this.#map, [entry], this.#clock.monotonic())
    return news.length > 0 && this.#wrote({ placements, entry })
  }

  /** Under which claim it lives, as far as this node knows. */
  fenceOf(address: string): Fence | undefined {
    const entry = this.#map.entries.get(address)
    return entry === undefined || entry.node === null ? undefined : { epoch: entry.epoch, node: entry.node }
  }

  release(address: string): void {
    this.#wrote(release(this.#map, address, this.#node, this.#clock.monotonic()))
  }

  /** The other side of a new link may lack anything. */
  greeted(line: Line): void {
    this.#forget()
    for (const { entries } of pages(this.#map)) line.put([ROW.placements, entries], 'owed')
  }

  /** `from`: undefined when it was kept here. */
  heard(entries: readonly Placement[], from: Line | undefined): void {
    const { placements, news, lost } = merge(this.#map, entries, this.#clock.monotonic())
    if (news.length === 0) return
    this.#map = placements
    this.#forget()
    this.#tell(news, from)
    this.#placed?.heard?.(news.map(({ address }) => address))
    for (const address of lost(this.#node)) this.#placed?.lost(address)
  }

  /** A node died: what it had is nobody's. */
  dead(node: NodeId): void {
    const over = orphans(this.#map, (each) => each !== node)
    if (over.length > 0) this.#placed?.orphaned(over, node)
  }

  /** What comes and goes on a household that stays together would fill the map in the end. */
  #forget(): void {
    const now = this.#clock.monotonic()
    if (now - this.#forgot_at < FORGET_MS / 10) return
    this.#forgot_at = now
    this.#map = forget(this.#map, now)
  }

  #wrote(written: { readonly placements: Placements; readonly entry: Placement } | undefined): boolean {
    if (written === undefined) return false
    this.#map = written.placements
    this.#forget()
    this.#tell([written.entry], undefined)
    this.#placed?.wrote?.([written.entry.address])
    return true
  }

  #tell(entries: readonly Placement[], except: Line | undefined): void {
    for (const line of this.#lines()) {
      if (line !== except && line.greeted) line.put([ROW.placements, entries], 'owed')
    }
  }
}
