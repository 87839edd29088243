/**
 * Puts idle actors to sleep: a sweep per kind marks every actor, and one that handled nothing between two sweeps gives its
 * state away as a snapshot. So an actor sleeps after one to two times its kind's `passivate_after_ms`, and messages
 * cost nothing more.
 */
import type { Cancel, Clock } from '../host/index.ts'
import type { Cell } from './cell.ts'

interface Idlers {
  readonly after_ms: number
  readonly cells: Set<Cell>
  cancel: Cancel | undefined
}

export class Passivation {
  readonly #clock: Clock
  readonly #passivate: (cell: Cell) => void
  readonly #kinds = new Map<string, Idlers>()

  constructor(clock: Clock, passivate: (cell: Cell) => void) {
    this.#clock = clock
    this.#passivate = passivate
  }

  created(cell: Cell): void {
    const { behavior, passivate_after_ms } = cell.species
    if (behavior === undefined || passivate_after_ms === undefined) return
    if (behavior.snapshot === undefined || behavior.restore === undefined) return
    let idlers = this.#kinds.get(cell.kind)
    if (idlers === undefined) {
      idlers = { after_ms: passivate_after_ms, cells: new Set(), cancel: undefined }
      this.#kinds.set(cell.kind, idlers)
    }
    idlers.cells.add(cell)
    this.#arm(idlers)
  }

  ended(cell: Cell): void {
    const idlers = this.#kinds.get(cell.kind)
    idlers?.cells.delete(cell)
    if (idlers?.cells.size === 0) {
      idlers.cancel?.()
      idlers.cancel = undefined
    }
  }

  close(): void {
    for (const idlers of this.#kinds.values()) idlers.cancel?.()
  }

  #arm(idlers: Idlers): void {
    idlers.cancel ??= this.#clock.after(idlers.after_ms, () => {
      idlers.cancel = undefined
      for (const cell of idlers.cells) this.#consider(cell)
      if (idlers.cells.size > 0) this.#arm(idlers)
    })
  }

  #consider(cell: Cell): void {
    if (!cell.active && isIdle(cell)) this.#passivate(cell)
    cell.active = false
  }
}

/** Nothing waits for it and it waits for nothing: what it would lose with its state is only its state. */
const isIdle = (cell: Cell): boolean =>
  cell.phase === 'running' &&
  cell.mailbox.depth === 0 &&
  cell.mailbox.order === undefined &&
  (cell.works?.size ?? 0) === 0 &&
  (cell.extras.owed?.size ?? 0) === 0 &&
  (cell.children?.size ?? 0) === 0
