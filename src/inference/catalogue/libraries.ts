/**
 * Engines, and the libraries of those that do not come with the program: they are installed when a person asks, from the lists of
 * exact packages in `config/engines/`, each into `<data>/engines/<engine>`.
 */
import { join } from 'node:path'

export const enginesDirectory = (data: string): string => join(data, 'engines')

export interface AddedLibrary {
  readonly engine: string
  /** One line: what for. */
  readonly about: string
  readonly licence: string
  /** Of all packages, as they are fetched; measured with an empty cache. */
  readonly download_bytes: number
  /** While it is installed; what other machines would need is removed at the end. */
  readonly peak_bytes: number
  /** On the disk in the end, on Linux x64. */
  readonly installed_bytes: number
  /** Folders `<platform>/<architecture>` below these, of other machines, are of no use here. */
  readonly per_machine: readonly string[]
  /** Neither is this. */
  readonly unneeded: readonly string[]
}

export const LIBRARIES: readonly AddedLibrary[] = [
  {
    engine: 'kokoro',
    about: 'the voice Kokoro by kokoro-js, with 28 speakers',
    licence: 'Apache-2.0, with the phonemizer GPL-3.0',
    download_bytes: 122e6,
    peak_bytes: 305e6,
    installed_bytes: 109e6,
    per_machine: ['node_modules/onnxruntime-node/bin/napi-v3'],
    unneeded: ['node_modules/@huggingface/transformers/dist/ort-wasm-simd-threaded.jsep.wasm'],
  },
]

/** What comes with the program. */
export const BUILT_IN: Readonly<Record<string, { readonly about: string; readonly licence: string }>> = {
  sherpa: { about: 'speech recognition while one speaks', licence: 'Apache-2.0' },
  'sherpa-offline': {
    about: 'speech recognition of whole sentences: Whisper, SenseVoice, Moonshine and others',
    licence: 'Apache-2.0',
  },
  'sherpa-speaker': { about: 'whose voice it is; nothing asks for it yet', licence: 'Apache-2.0' },
  'sherpa-vad': { about: 'whether somebody speaks: Silero VAD', licence: 'Apache-2.0' },
  'sherpa-tts': { about: 'voices of Piper, Kokoro and Matcha', licence: 'Apache-2.0' },
  whisper: { about: 'speech recognition of whole sentences', licence: 'MIT' },
  llama: { about: 'language models', licence: 'MIT' },
  formant: { about: 'the voice that needs no model', licence: 'GPL-3.0-or-later' },
}
