/** Whether the state of one version is understood by another: a behaviour reads its own and the one before. Pure. */

/** What a kind of actor says of its state, beside its behaviour. */
export interface Movable {
  /** Of what `snapshot` gives: counted up whenever its shape changes. At least 1. */
  readonly version: number
  /** Makes today's snapshot of the one before. Absent: there is none, or it is not understood. */
  readonly former?: (snapshot: unknown) => unknown
}

export const understands = ({ version, former }: Movable, offered: number): boolean =>
  offered === version || (offered === version - 1 && former !== undefined)

/** A snapshot as this version gives it. Only for one that it `understands`. */
export const readSnapshot = (movable: Movable, offered: number, snapshot: unknown): unknown =>
  offered === movable.version ? snapshot : movable.former?.(snapshot)
