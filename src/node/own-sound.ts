/** The node as a satellite of its own room: opened where the configuration asks for it, and loaded only there. */
import type { NodeView } from '../api/index.ts'
import { tone } from '../cli/tone.ts'
import type { Config } from '../config.ts'
import type { Host } from '../host/index.ts'
import type { Log } from '../observe/index.ts'
import type { EarStatus, MachineSatellite, MouthStatus } from '../sound/index.ts'

type Finding = Awaited<ReturnType<NodeView['doctor']>>[number]

export interface OwnSoundParts {
  readonly host: Host
  readonly config: Config
  readonly log: Log
}

/** Where Linux says what is plugged in. */
const CARDS = '/proc/asound/pcm'

export class OwnSound {
  readonly #parts: OwnSoundParts
  #satellite: MachineSatellite | undefined

  constructor(parts: OwnSoundParts) {
    this.#parts = parts
  }

  /** Errors: those of opening a voice channel. */
  async start(view: Pick<NodeView, 'openVoice'>): Promise<void> {
    const { host, config, log } = this.#parts
    const { enabled, input, output, barge_in } = config.audio
    if (!enabled) return
    const { MachineSatellite, recorderFor, startSound, streamPlayerFor } = await import('../sound/index.ts')
    this.#satellite = new MachineSatellite({
      ...{ clock: host.clock, start: startSound, tone: bytesOf(tone()), barge_in },
      recorder: () => recorderFor('node', input, process.env.PATH, host.disk),
      player: () => streamPlayerFor(output, process.env.PATH, host.disk),
      open: (listener) => view.openVoice({ room: config.node.room }, listener),
      told(what, trouble) {
        if (trouble === undefined) log.info('Sound works', { device: what })
        else log.warn('Sound does not work; it is tried again and again', { device: what, why: trouble })
      },
    })
  }

  stop(): void {
    this.#satellite?.stop()
    this.#satellite = undefined
  }

  /** What `loqa doctor` says of it. */
  async findings(): Promise<readonly Finding[]> {
    const there = await this.#cards()
    const { enabled } = this.#parts.config.audio
    if (this.#satellite === undefined) {
      const off = enabled ? 'not open yet' : 'not listened to (loqa-node --mic does)'
      return [{ check: 'microphone', ok: true, detail: `${off}; ${there.microphones}` }]
    }
    const { microphone, loudspeaker } = this.#satellite
    return [
      { check: 'microphone', ...heard(microphone, there.microphones) },
      { check: 'loudspeaker', ...played(loudspeaker, there.loudspeakers) },
    ]
  }

  async #cards(): Promise<{ readonly microphones: string; readonly loudspeakers: string }> {
    const { cardsOf } = await import('../sound/index.ts')
    const text = await this.#parts.host.disk.read(CARDS).catch(() => undefined)
    const cards = cardsOf(text === undefined ? '' : Buffer.from(text).toString('utf8'))
    return { microphones: listed(cards.microphones), loudspeakers: listed(cards.loudspeakers) }
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int16Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'the kernel knows of none' : `there: ${[...new Set(names)].join(', ')}`

type Verdict = Omit<Finding, 'check'>

const MICROPHONE_FIX =
  'Is it plugged in, and does arecord -l list it? Name it in audio.input; the user of the node must be in the group audio.'
const LOUDSPEAKER_FIX = 'Does aplay -l list it? Name it in audio.output; see also: speaker-test -t wav.'

function heard({ state, program, why }: EarStatus, there: string): Verdict {
  if (state === 'hearing') return { ok: true, detail: `heard through ${program}; ${there}` }
  if (state === 'lost') return { ok: false, detail: `${why}; ${there}`, fix: MICROPHONE_FIX }
  return { ok: true, detail: `being opened; ${there}` }
}

const played = ({ program, why }: MouthStatus, there: string): Verdict =>
  why === undefined
    ? { ok: true, detail: `${program === undefined ? 'not used yet' : `through ${program}`}; ${there}` }
    : { ok: false, detail: `${why}; ${there}`, fix: LOUDSPEAKER_FIX }
