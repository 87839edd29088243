/** The browser's microphone and loudspeaker, both through worklets. Begun by a press of the person: browsers allow it only then. */
import type { FromPlayback, ToPlayback } from './playback.ts'

export interface SoundHandlers {
  /** 20 ms at 16 kHz, as long as the microphone is open. */
  frame(frame: Int16Array): void
  /** Of what is played: root mean square, 0 to 1. */
  level(level: number): void
  drained(): void
  /** It was unplugged, or taken away. */
  microphoneLost(): void
}

export class Sound {
  readonly #handlers: SoundHandlers
  #context: AudioContext | undefined
  #playback: AudioWorkletNode | undefined
  #stream: MediaStream | undefined
  #capture: { readonly source: MediaStreamAudioSourceNode; readonly node: AudioWorkletNode } | undefined
  #opening: Promise<void> | undefined

  constructor(handlers: SoundHandlers) {
    this.#handlers = handlers
  }

  /** Why there can be no sound here, when there can be none. */
  static get missing(): 'insecure' | 'unsupported' | undefined {
    if (!window.isSecureContext) return 'insecure'
    return navigator.mediaDevices?.getUserMedia === undefined || window.AudioWorkletNode === undefined
      ? 'unsupported'
      : undefined
  }

  get listens(): boolean {
    return this.#capture !== undefined
  }

  /** Opens both. Errors: what `getUserMedia` throws, e.g. `NotAllowedError`. */
  open(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  play(samples: Int16Array): void {
    this.#tell({ type: 'play', samples })
  }

  silence(): void {
    this.#tell({ type: 'silence' })
  }

  /** Lets go of the microphone; the loudspeaker stays. */
  closeMicrophone(): void {
    this.#capture?.source.disconnect()
    this.#capture?.node.port.close()
    this.#capture = undefined
    for (const track of this.#stream?.getTracks() ?? []) track.stop()
    this.#stream = undefined
  }

  async #open(): Promise<void> {
    const context = await this.#openLoudspeaker()
    if (this.#capture !== undefined) return
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    })
    this.#stream = stream
    stream.getAudioTracks()[0]?.addEventListener('ended', () => {
      this.closeMicrophone()
      this.#handlers.microphoneLost()
    })
    const source = context.createMediaStreamSource(stream)
    const node = new AudioWorkletNode(context, 'loqa-capture', {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: 'explicit',
    })
    node.port.onmessage = ({ data }: MessageEvent<Int16Array>) => this.#handlers.frame(data)
    source.connect(node)
    this.#capture = { source, node }
  }

  async #openLoudspeaker(): Promise<AudioContext> {
    if (this.#context !== undefined) {
      if (this.#context.state !== 'running') await this.#context.resume()
      return this.#context
    }
    const context = new AudioContext({ latencyHint: 'interactive' })
    this.#context = context
    const resumed = context.resume()
    await Promise.all([
      context.audioWorklet.addModule('/page/web/capture.ts'),
      context.audioWorklet.addModule('/page/web/playback.ts'),
    ])
    const playback = new AudioWorkletNode(context, 'loqa-playback', {
      numberOfInputs: 0,
      outputChannelCount: [2],
    })
    playback.port.onmessage = ({ data }: MessageEvent<FromPlayback>) => {
      if (data.type === 'drained') this.#handlers.drained()
      else this.#handlers.level(data.level)
    }
    playback.connect(context.destination)
    this.#playback = playback
    await resumed
    return context
  }

  #tell(message: ToPlayback): void {
    this.#playback?.port.postMessage(message)
  }
}
