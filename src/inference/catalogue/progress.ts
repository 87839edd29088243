/** How far a download is, how fast, and how long it will take. Pure: time is given. */

/** The rate is that of the last seconds, so that it shows what the line does now. */
const WINDOW_MS = 5_000
/** Below this there is no rate to speak of. */
const MIN_WINDOW_MS = 500

export interface Pace {
  readonly samples: readonly { readonly bytes: number; readonly now: number }[]
}

export const NO_PACE: Pace = { samples: [] }

/** A sample that goes back (begun anew) makes the pace begin anew. */
export function paced({ samples }: Pace, bytes: number, now: number): Pace {
  const last = samples.at(-1)
  if (last !== undefined && bytes < last.bytes) return { samples: [{ bytes, now }] }
  const recent = samples.filter((sample) => now - sample.now <= WINDOW_MS)
  return { samples: [...(recent.length === 0 && last !== undefined ? [last] : recent), { bytes, now }] }
}

/** Bytes a second; undefined while too little is known. */
export function rateOf({ samples }: Pace): number | undefined {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || last.now - first.now < MIN_WINDOW_MS) return undefined
  return ((last.bytes - first.bytes) * 1_000) / (last.now - first.now)
}

/** Seconds left; undefined when nobody can say. */
export function secondsLeft(pace: Pace, bytes: number, total: number | null): number | undefined {
  const rate = rateOf(pace)
  return total === null || rate === undefined || rate <= 0 ? undefined : Math.max(0, (total - bytes) / rate)
}

/** `4.7 GB`, `32 MB`, `5 kB`, decimal as on the pages of models. */
export function sizeText(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  if (bytes >= 1e7) return `${Math.round(bytes / 1e6)} MB`
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`
  return bytes >= 1e3 ? `${Math.round(bytes / 1e3)} kB` : `${bytes} bytes`
}
