/** The sheets of a running cluster: this node's own, told to every member, and those the members told. */
import type { NodeId } from '../../host/index.ts'
import type { Links } from './links.ts'
import { forgotten, learned, type Sheet, type Sheets } from './sheets.ts'

export class SheetBook {
  readonly #links: Pick<Links, 'peers' | 'send' | 'helloOf'>
  readonly #learnt: (peer: NodeId, sheet: Sheet) => void
  #sheets: Sheets = new Map()
  #own: Sheet | undefined

  /** `learnt`: a member told something new. */
  constructor(
    links: Pick<Links, 'peers' | 'send' | 'helloOf'>,
    learnt: (peer: NodeId, sheet: Sheet) => void,
  ) {
    this.#links = links
    this.#learnt = learnt
  }

  get all(): Sheets {
    return this.#sheets
  }

  get own(): Sheet | undefined {
    return this.#own
  }

  announce(sheet: Omit<Sheet, 'version'>): void {
    this.#own = { ...sheet, version: (this.#own?.version ?? 0) + 1 }
    for (const peer of this.#links.peers()) this.greet(peer)
  }

  /** Tells this node's own to one peer. */
  greet(peer: NodeId): void {
    if (this.#own !== undefined) this.#links.send(peer, { type: 'sheet', ...this.#own })
  }

  heard(peer: NodeId, sheet: Sheet): void {
    const boot = this.#links.helloOf(peer)?.boot
    if (boot === undefined) return
    const before = this.#sheets
    this.#sheets = learned(before, peer, boot, sheet)
    if (this.#sheets !== before) this.#learnt(peer, sheet)
  }

  forget(node: NodeId): void {
    this.#sheets = forgotten(this.#sheets, node)
  }
}
