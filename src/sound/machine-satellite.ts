/**
 * The microphone and the loudspeaker of this machine, bound to a conversation: `ear.ts` and `mouth.ts` decide, this runs the programs.
 */
import type { Cancel, Clock } from '../host/index.ts'
import { type Ear, type EarEffect, type EarInput, ear, newEar, SILENT_MS } from './ear.ts'
import { type Mouth, type MouthEffect, type MouthInput, mouth, newMouth } from './mouth.ts'
import type { SoundProcess, StartSound } from './process.ts'
import type { SoundCommand } from './tools.ts'

/** What is said, and where what was heard goes: s16le mono 16 kHz. */
export interface SatelliteChannel {
  push(pcm: Uint8Array): void
  finish(): void
  close(): void
}

export interface SatelliteListener {
  audio(pcm: Uint8Array): void
  event(event: { readonly type: string }): void
}

export interface SatelliteOptions {
  readonly clock: Clock
  readonly start: StartSound
  /** Looked for again each time: a program may be installed meanwhile. Undefined: there is none. */
  readonly recorder: () => Promise<SoundCommand | undefined>
  readonly player: () => Promise<SoundCommand | undefined>
  /** Errors: those of opening a voice channel. */
  readonly open: (listener: SatelliteListener) => SatelliteChannel
  /** What somebody hears who waits for an answer: s16le mono 16 kHz. */
  readonly tone: Uint8Array
  /** Whether what is said while it speaks interrupts it. */
  readonly barge_in: boolean
  readonly told: (what: 'microphone' | 'loudspeaker', trouble: string | undefined) => void
}

export interface EarStatus {
  readonly state: 'off' | 'opening' | 'hearing' | 'lost'
  readonly program: string | undefined
  readonly why: string | undefined
}

export interface MouthStatus {
  /** Why the last reply was not heard. */
  readonly why: string | undefined
  readonly program: string | undefined
}

/** A room rings on for about so long after the loudspeaker stopped. */
const ECHO_MS = 300
const NO_RECORDER = 'no program that records was found (arecord, parec or rec)'
const NO_PLAYER = 'no program that plays was found (aplay, pacat or play)'

export class MachineSatellite {
  readonly #options: SatelliteOptions
  readonly #channel: SatelliteChannel
  #ear: Ear = newEar
  #mouth: Mouth = newMouth
  readonly #microphone: Running
  readonly #loudspeaker: Running
  #pause: Cancel = () => undefined
  #look: Cancel = () => undefined
  /** Sound came since it was looked last. */
  #came = false
  #deaf_until = 0

  /** Errors: those of opening a voice channel. */
  constructor(options: SatelliteOptions) {
    this.#options = options
    const { start, recorder, player, tone } = options
    this.#microphone = new Running(start, recorder, NO_RECORDER, {
      data: (bytes) => this.#heard(bytes),
      ended: (why) => this.#hear({ type: 'ended', why: why ?? 'it stopped' }),
    })
    this.#loudspeaker = new Running(start, player, NO_PLAYER, {
      data: () => undefined,
      ended: (why) => this.#speak({ type: 'ended', why }),
    })
    this.#channel = options.open({
      audio: (pcm) => this.#speak({ type: 'sound', pcm }),
      event: ({ type }) => {
        if (type === 'stop-playback') this.#speak({ type: 'hush' })
        else if (type === 'reply-end') this.#speak({ type: 'reply-end' })
        else if (type === 'tone') this.#speak({ type: 'tone', pcm: tone })
      },
    })
    this.#hear({ type: 'start' })
  }

  get microphone(): EarStatus {
    const { phase } = this.#ear
    const program = this.#microphone.program
    if (this.#ear.phase === 'waiting') return { state: 'lost', program, why: this.#ear.told }
    if (this.#ear.phase === 'closing') return { state: 'lost', program, why: this.#ear.why }
    if (this.#ear.phase === 'opening' && this.#ear.told !== undefined)
      return { state: 'lost', program, why: this.#ear.told }
    return { state: phase as 'off' | 'opening' | 'hearing', program, why: undefined }
  }

  get loudspeaker(): MouthStatus {
    return { why: this.#mouth.told, program: this.#loudspeaker.program }
  }

  stop(): void {
    this.#hear({ type: 'stop' })
    this.#speak({ type: 'hush' })
    this.#pause()
    this.#look()
    this.#channel.close()
  }

  #heard(bytes: Uint8Array): void {
    this.#came = true
    this.#hear({ type: 'sound' })
    this.#channel.push(this.#isDeaf() ? new Uint8Array(bytes.length) : bytes)
  }

  /** Without it the answer itself would be taken for what a person says, where no device takes it out of the sound. */
  #isDeaf(): boolean {
    if (this.#options.barge_in) return false
    const now = this.#options.clock.monotonic()
    const speaks = this.#mouth.phase === 'playing' || this.#mouth.phase === 'leaving'
    if (speaks) this.#deaf_until = now + ECHO_MS
    return now < this.#deaf_until
  }

  #hear(input: EarInput): void {
    const { state, effects } = ear(this.#ear, input, this.#options.clock.monotonic())
    this.#ear = state
    for (const effect of effects) this.#listen(effect)
  }

  #listen(effect: EarEffect): void {
    const { clock, told } = this.#options
    switch (effect.type) {
      case 'spawn':
        this.#microphone.spawn()
        break
      case 'kill':
        this.#microphone.kill()
        break
      case 'pause':
        this.#pause = clock.after(effect.ms, () => this.#hear({ type: 'due' }))
        break
      case 'look':
        this.#look()
        this.#came = false
        this.#look = clock.after(SILENT_MS, () => this.#hear({ type: 'looked', sound: this.#came }))
        break
      case 'cut':
        this.#channel.finish()
        break
      case 'heard':
        told('microphone', undefined)
        break
      case 'lost':
        told('microphone', effect.why)
        break
    }
  }

  #speak(input: MouthInput): void {
    const { state, effects } = mouth(this.#mouth, input)
    this.#mouth = state
    for (const effect of effects) this.#say(effect)
  }

  #say(effect: MouthEffect): void {
    const { told } = this.#options
    switch (effect.type) {
      case 'spawn':
        this.#loudspeaker.spawn()
        break
      case 'write':
        this.#loudspeaker.write(effect.pcm)
        break
      case 'end':
        this.#loudspeaker.end()
        break
      case 'kill':
        this.#loudspeaker.kill()
        break
      case 'works':
        told('loudspeaker', undefined)
        break
      case 'fails':
        told('loudspeaker', effect.why)
        break
    }
  }
}

interface RunningEvents {
  data(bytes: Uint8Array): void
  ended(why: string | undefined): void
}

/** A program that is found, then started: what is asked of it meanwhile is done when it is there. */
class Running {
  readonly #start: StartSound
  readonly #find: () => Promise<SoundCommand | undefined>
  readonly #none: string
  readonly #events: RunningEvents
  #process: SoundProcess | undefined
  #later: ((process: SoundProcess) => void)[] = []
  #program: string | undefined

  constructor(
    start: StartSound,
    find: () => Promise<SoundCommand | undefined>,
    none: string,
    events: RunningEvents,
  ) {
    this.#start = start
    this.#find = find
    this.#none = none
    this.#events = events
  }

  get program(): string | undefined {
    return this.#program
  }

  spawn(): void {
    this.#later = []
    void this.#find().then((command) => {
      this.#program = command?.program
      if (command === undefined) {
        this.#events.ended(this.#none)
        return
      }
      this.#process = this.#start(command, {
        data: this.#events.data,
        ended: (why) => {
          this.#process = undefined
          this.#events.ended(why)
        },
      })
      const later = this.#later
      this.#later = []
      for (const act of later) act(this.#process)
    })
  }

  write(pcm: Uint8Array): void {
    this.#do((process) => process.write(pcm))
  }
  end(): void {
    this.#do((process) => process.end())
  }
  kill(): void {
    this.#do((process) => process.kill())
  }

  #do(act: (process: SoundProcess) => void): void {
    if (this.#process === undefined) this.#later.push(act)
    else act(this.#process)
  }
}
