/** What the scope of an AudioWorklet has; the compiler's library for pages does not know it. */
declare const sampleRate: number

declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort
  abstract process(inputs: readonly Float32Array[][], outputs: readonly Float32Array[][]): boolean
}

declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void
