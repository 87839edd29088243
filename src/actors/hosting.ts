/** Somebody who keeps the names, parents and lives of actors beside the runtime. */
import type { Cell } from './cell.ts'

export interface Hosting {
  attach(cell: Cell): void
  detach(cell: Cell): void
  close(): void
}

export const noHosting: Hosting = {
  attach: () => undefined,
  detach: () => undefined,
  close: () => undefined,
}
