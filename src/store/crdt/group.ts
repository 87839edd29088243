/**
 * Group commit: what was asked while the disk was busy is done in order, made durable by one sync, and answered after it. Alone nobody
 * waits for company; under load one sync serves many.
 */
import { type Clock, type ErrorShape, errorShape, LoqaError } from '../../host/index.ts'

/** The longest a group gathers work before it is synced. Its first waits that much longer at most, and for the work begun last. */
export const GROUP_MS = 20

/** Something asked for. A `run` that throws has done nothing, unless the engine broke in the middle of it. */
export interface Work<Result> {
  readonly id: number
  run(): Result
}

export interface GroupPorts<Result> {
  readonly clock: Pick<Clock, 'monotonic'>
  /** More that is waiting, if any; never waits. */
  next(): Work<Result> | undefined
  /** Makes durable what was done. Throws a `LoqaError` when it could not. */
  flush(): void
  /** Goes back to what is durable. */
  discard(): Promise<void>
  done(id: number, result: Result): void
  failed(id: number, error: ErrorShape): void
}

type Answer<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly error: ErrorShape }

/** Runs `first` and what is waiting as one group, and answers each. Throws what `discard` throws. */
export async function runGroup<Result>(first: Work<Result>, ports: GroupPorts<Result>): Promise<void> {
  const group: Work<Result>[] = []
  const answers: Answer<Result>[] = []
  const until = ports.clock.monotonic() + GROUP_MS
  for (let work: Work<Result> | undefined = first; work !== undefined; ) {
    group.push(work)
    answers.push(attempt(work))
    work = ports.clock.monotonic() < until ? ports.next() : undefined
  }
  const broke = answers.findIndex((given) => !given.ok && given.error.code === 'store-engine')
  if (broke !== -1) {
    // Half a commit may be among what was done.
    await ports.discard()
    answer(group[broke]!.id, answers[broke]!, ports)
    return singly(group.toSpliced(broke, 1), ports)
  }
  try {
    ports.flush()
  } catch (thrown) {
    await ports.discard()
    // One that is too large for what is left must not keep the small ones out.
    if (isTooMuch(thrown) && group.length > 1) return singly(group, ports)
    for (const { id } of group) ports.failed(id, errorShape(thrown))
    return
  }
  for (const [i, { id }] of group.entries()) answer(id, answers[i]!, ports)
}

async function singly<Result>(group: readonly Work<Result>[], ports: GroupPorts<Result>): Promise<void> {
  for (const single of group) await runGroup(single, { ...ports, next: () => undefined })
}

function attempt<Result>(work: Work<Result>): Answer<Result> {
  try {
    return { ok: true, result: work.run() }
  } catch (thrown) {
    return { ok: false, error: errorShape(thrown) }
  }
}

function answer<Result>(id: number, given: Answer<Result>, ports: GroupPorts<Result>): void {
  if (given.ok) ports.done(id, given.result)
  else ports.failed(id, given.error)
}

const TOO_MUCH = ['store-full', 'store-too-large']
const isTooMuch = (thrown: unknown): boolean => thrown instanceof LoqaError && TOO_MUCH.includes(thrown.code)
