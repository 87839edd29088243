/** How loud the word was at one microphone, and how far above its noise. Pure; one frame of 20 ms at a time. */
import { FRAME_MS } from '../audio.ts'

/** The word and its engine's delay: frames further back belong to what was said before. */
const WINDOW = 1_000 / FRAME_MS
/** What a microphone hears of itself, dBFS; digital silence is no quieter. */
const FLOOR_DB = -90
/** The noise is known after so many quiet frames; it follows changes of the room within two seconds. */
const NOISE_SHARE = 0.01
const FIRST_SHARE = 0.2

export interface Loudness {
  /** Mean power of quiet frames, full scale = 1; undefined before the first. */
  readonly noise: number | undefined
  /** Powers of the last voiced frames, with the frame at which each was. */
  readonly voiced: readonly { readonly at: number; readonly power: number }[]
  readonly at: number
}

export const NO_LOUDNESS: Loudness = { noise: undefined, voiced: [], at: 0 }

export function loudness(state: Loudness, samples: Int16Array, voiced: boolean): Loudness {
  const at = state.at + 1
  const power = powerOf(samples)
  const kept = state.voiced.filter((frame) => at - frame.at < WINDOW)
  if (voiced) return { ...state, at, voiced: [...kept, { at, power }] }
  const { noise } = state
  const share = noise !== undefined && state.at > WINDOW ? NOISE_SHARE : FIRST_SHARE
  return { at, voiced: kept, noise: noise === undefined ? power : noise + share * (power - noise) }
}

/** dBFS of the voice within the last second, and dB above the noise. */
export function loudNow({ voiced, noise }: Loudness): {
  readonly energy_db: number
  readonly snr_db: number
} {
  const mean = voiced.reduce((sum, { power }) => sum + power, 0) / Math.max(1, voiced.length)
  const energy_db = decibels(mean)
  return { energy_db, snr_db: Math.max(0, energy_db - decibels(noise ?? 0)) }
}

const decibels = (power: number): number => Math.max(FLOOR_DB, 10 * Math.log10(power))

function powerOf(samples: Int16Array): number {
  let sum = 0
  for (const sample of samples) sum += (sample / 32_768) ** 2
  return sum / Math.max(1, samples.length)
}
