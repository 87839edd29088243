/** Which models suit a machine, and why. Pure. */
import { type Entry, sizeOf } from './entry.ts'
import { sizeText } from './progress.ts'

export interface Machine {
  /** What this process may use; in a container less than the machine has. */
  readonly memory_bytes: number
  readonly cores: number
  /** Where models are kept. */
  readonly free_bytes: number
}

export interface Advice {
  readonly entry: Entry
  readonly why: string
}

/** Of the memory, the part engines may have together: the rest is for the system and whatever else runs. */
const SHARE = 0.5
/** Kept free on the disk beside all models. */
const FREE_BYTES = 2e9

/** The best first, each with the cores it wants to answer while a person waits. */
const LADDER: readonly (readonly [id: string, cores: number])[] = [
  ['qwen2.5-7b-q4_k_m', 12],
  ['llama-3.2-3b-q4_k_m', 6],
  ['llama-3.2-1b-q4_k_m', 4],
  ['qwen2.5-0.5b-q4_k_m', 2],
]
/** Speech first: without ears and mouth nothing else matters, and both are small. */
const SPEECH: readonly (readonly [id: string, cores: number])[] = [['zipformer-en-20m', 1]]

/**
 * What to fetch here; empty for a machine that is better served by the starter models or by another one of the household.
 * Only models of `engines`, the adapters there are, are proposed.
 */
export function adviceFor(
  catalogue: readonly Entry[],
  machine: Machine,
  engines: ReadonlySet<string>,
): readonly Advice[] {
  const room = { mb: (machine.memory_bytes / 1e6) * SHARE, bytes: machine.free_bytes - FREE_BYTES }
  const chosen: Advice[] = []
  for (const ladder of [SPEECH, LADDER]) {
    const found = ladder
      .flatMap(([id, cores]) =>
        catalogue.filter((entry) => entry.id === id).map((entry) => ({ entry, cores })),
      )
      .find(({ entry, cores }) => {
        const bytes = sizeOf(entry) ?? 0
        const fits = entry.memory_mb <= room.mb && bytes <= room.bytes
        return fits && cores <= machine.cores && engines.has(entry.engine)
      })
    if (found === undefined) continue
    const { entry, cores } = found
    room.mb -= entry.memory_mb
    room.bytes -= sizeOf(entry) ?? 0
    chosen.push({ entry, why: whyOf(entry, cores, machine) })
  }
  return chosen
}

function whyOf(entry: Entry, cores: number, machine: Machine): string {
  const takes = `takes ${sizeText(entry.memory_mb * 1e6)} of ${sizeText(machine.memory_bytes)} memory`
  return `${entry.about}; ${takes} and wants ${cores} of ${machine.cores} cores`
}
