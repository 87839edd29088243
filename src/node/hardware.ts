/** The hardware of this node in tags and in words: what it has for sound, and which of its engines keep up with speech. Pure. */
import type { MachineFacts } from '../host/index.ts'
import type { Capability } from '../inference/index.ts'

/** Half the time speech takes: who talks on while somebody else is heard too still gets every word in time. */
const REAL_TIME = 0.5

/**
 * e.g. `stt.sherpa:rt`, `tts.formant:rt`: engines that take less than half the time of the speech they hear or make, by their last
 * runs, else by the benchmark at their start. What slows down loses its tag with the next runs.
 */
export function measuredTags(capabilities: readonly Capability[]): readonly string[] {
  const quick = capabilities.filter(
    ({ state, real_time_factor: factor }) => state === 'ready' && factor !== null && factor < REAL_TIME,
  )
  return [...new Set(quick.map(({ tag }) => `${tag.split(':', 1)[0]}:rt`))]
}

/** e.g. `mic:kitchen`, `speaker:kitchen`. Tags have no spaces. */
export function soundTags(
  { microphones, loudspeakers }: Pick<MachineFacts, 'microphones' | 'loudspeakers'>,
  room: string,
) {
  const place = room
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
  return [
    ...(microphones.length > 0 ? [`mic:${place}`] : []),
    ...(loudspeakers.length > 0 ? [`speaker:${place}`] : []),
  ]
}

/** What stands in a sheet beside engines. */
export const isSoundTag = (tag: string): boolean => /^(mic|speaker):/.test(tag)

/** The same as rows of the capability sheet, so that other nodes know. Nothing was looked at yet: none. */
export const soundRows = (facts: MachineFacts | undefined, room: string): readonly Capability[] =>
  (facts === undefined ? [] : soundTags(facts, room)).map((tag) => ({
    ...{
      name: tag,
      tag,
      model: '',
      state: 'ready',
      p95_ms: null,
      real_time_factor: null,
      tokens_per_s: null,
    },
    ...{ restarts: 0, rss_mb: null, load: 0 },
  }))

/** e.g. `AMD EPYC, 2 cores (avx2, fma), 5.1 of 8.2 GB memory free`. */
export function machineText(facts: MachineFacts): string {
  const { board, processor, cores, features, memory_mb, free_memory_mb } = facts
  const can = features.length === 0 ? '' : ` (${features.join(', ')})`
  const gb = (mb: number): string => (mb / 1_000).toFixed(1)
  return `${board === null ? '' : `${board}, `}${processor}, ${cores} core${cores === 1 ? '' : 's'}${can}, ${gb(free_memory_mb)} of ${gb(memory_mb)} GB memory free`
}
