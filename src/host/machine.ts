/**
 * What a machine says of itself, as Linux writes it down; on other systems what Node.js knows. Pure readers of short texts: what they do
 * not understand they leave out.
 */

export interface MachineFacts {
  /** What the maker calls it, e.g. of a Jetson or a Raspberry Pi; null where it does not say. */
  readonly board: string | null
  readonly processor: string
  /** Those that make models faster, in the processor's own words. */
  readonly features: readonly string[]
  /** What this process may use. */
  readonly cores: number
  readonly memory_mb: number
  readonly free_memory_mb: number
  readonly battery: { readonly percent: number; readonly charging: boolean } | null
  /** Sound devices of the system that record, and that play. */
  readonly microphones: readonly string[]
  readonly loudspeakers: readonly string[]
}

/** Instructions the engines' libraries are built for, and one (`avx2`, `asimd`) without which speech is several times slower. */
const FEATURES = [
  'avx',
  'avx2',
  'avx512f',
  'avx512_vnni',
  'avx_vnni',
  'amx_int8',
  'f16c',
  'fma',
  'asimd',
  'asimddp',
  'i8mm',
  'sve',
]
/** Names are for people. */
const LONGEST_NAME = 64
/** A mixing desk has 32. */
const MOST_DEVICES = 32

/** Of `/proc/cpuinfo`. */
export function processorOf(cpuinfo: string): {
  readonly name: string | undefined
  readonly features: readonly string[]
} {
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}[ \\t]*:[ \\t]*(.+)$`, 'm').exec(cpuinfo)?.[1]?.trim()
  const given = new Set((field('flags') ?? field('Features') ?? '').split(' '))
  return {
    name: shown(field('model name') ?? field('Model') ?? ''),
    features: FEATURES.filter((feature) => given.has(feature)),
  }
}

/** Of `/proc/asound/pcm`: `00-00: ALC295 Analog : ALC295 Analog : playback 1 : capture 1`. */
export function soundDevicesOf(pcm: string): Pick<MachineFacts, 'microphones' | 'loudspeakers'> {
  const devices = pcm
    .split('\n')
    .slice(0, MOST_DEVICES)
    .flatMap((line) => {
      const [place, id, name, ...uses] = line.split(':').map((part) => part.trim())
      const called = shown(name === undefined || name === '' ? (id ?? '') : name)
      return /^\d+-\d+$/.test(place ?? '') && called !== undefined ? [{ called, uses }] : []
    })
  const that = (use: string): string[] =>
    devices.filter(({ uses }) => uses.some((one) => one.startsWith(use))).map(({ called }) => called)
  return { microphones: that('capture'), loudspeakers: that('playback') }
}

/** Of `/sys/class/power_supply/*`: what stands in `type`, `capacity` and `status`. */
export function batteryOf(type: string, capacity: string, status: string): MachineFacts['battery'] {
  const percent = Number.parseInt(capacity, 10)
  if (type.trim() !== 'Battery' || !(percent >= 0 && percent <= 100)) return null
  return { percent, charging: status.trim() !== 'Discharging' }
}

/** Of `/proc/device-tree/model`, which ends with a zero byte. */
export const boardOf = (model: string): string | null => shown(model) ?? null

function shown(text: string): string | undefined {
  const calm = text
    .replace(/[\p{Cc}\p{Cf}]+/gu, '')
    .trim()
    .slice(0, LONGEST_NAME)
  return calm === '' ? undefined : calm
}
