/**
 * The weights people use. Each size and checksum was looked up in public material: the Git LFS details of the model pages, and
 * programs that pin the same file; those of the zipformer and of Alba in one place only. What was not found is left out.
 * Addresses name a revision where one is known, because a branch moves.
 */
import type { Entry, EntryFile } from './entry.ts'

const HF = 'https://huggingface.co'

const WHISPER = `${HF}/ggerganov/whisper.cpp/resolve/5359861c739e955e79d9a303bcbc70fb988958b1`

/** `memory_mb`: whisper.cpp's buffers beside the weights grow with the model. */
function whisper(
  size: 'tiny' | 'base' | 'small',
  quant: 'q5_1' | 'q8_0',
  bytes: number,
  sha256: string,
  memory_mb: number,
): Entry {
  const name = `ggml-${size}-${quant}.bin`
  return {
    id: `whisper-${size}-${quant}`,
    kind: 'stt',
    engine: 'whisper',
    languages: ['multi'],
    licence: 'MIT',
    memory_mb,
    about: `Whisper ${size}, 99 languages, the whole sentence at once; slow without AVX`,
    files: [{ role: 'model', name, format: 'ggml', bytes, sha256, sources: [`${WHISPER}/${name}`] }],
    parameters: { sample_rate: 16_000, window_ms: 30_000, language: 'en', threads: 2 },
  }
}

/** Three times the starter's context: real models are given the conversation too. */
const CONTEXT_TOKENS = 2_048

function llm(
  id: string,
  about: string,
  languages: readonly string[],
  licence: string,
  bytes: number,
  sha256: string,
  sources: readonly string[],
): Entry {
  const name = sources[0]!.slice(sources[0]!.lastIndexOf('/') + 1)
  return {
    id,
    kind: 'llm',
    engine: 'llama',
    languages,
    licence,
    memory_mb: Math.ceil((bytes / 1e6) * 1.25) + 200,
    about,
    files: [{ role: 'model', name, format: 'gguf', bytes, sha256, sources }],
    parameters: { context_tokens: CONTEXT_TOKENS, threads: 4 },
    not_yet: NO_INSTRUCTIONS,
  }
}

/** `skills/intents/interpret.ts` writes the prompt of the starter; one that instructs takes this away. */
const NO_INSTRUCTIONS =
  'the node asks a language model as it asks its starter, a sentence in and an intent out without instructions, which a model that talks was not made for'

const LLAMA_3_2 = 'Llama 3.2 Community License'
const APACHE = 'Apache-2.0'
const LLAMA_LANGUAGES = ['en', 'de', 'fr', 'it', 'pt', 'hi', 'es', 'th']

const PIPER = `${HF}/rhasspy/piper-voices/resolve/v1.0.0/en`

function piper(
  id: string,
  path: string,
  language: string,
  about: string,
  model: Partial<EntryFile>,
  config: Partial<EntryFile> = {},
): Entry {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return {
    id,
    kind: 'tts',
    engine: 'sherpa-tts',
    languages: [language],
    licence: 'MIT; see the MODEL_CARD of the voice for its recordings',
    memory_mb: 150,
    about,
    files: [
      { role: 'model', name: `${name}.onnx`, format: 'onnx', sources: [`${PIPER}/${path}.onnx`], ...model },
      {
        role: 'config',
        name: `${name}.onnx.json`,
        format: 'any',
        sources: [`${PIPER}/${path}.onnx.json`],
        ...config,
      },
    ],
    parameters: { layout: 'piper' },
  }
}

const ZIPFORMER = `${HF}/csukuangfj/sherpa-onnx-streaming-zipformer-en-20M-2023-02-17/resolve/main`
const zipformer = (role: string, name: string, bytes: number, sha256: string): EntryFile => ({
  role,
  name,
  format: name.endsWith('.onnx') ? 'onnx' : 'any',
  bytes,
  sha256,
  sources: [`${ZIPFORMER}/${name}`],
})

const KOKORO = `${HF}/onnx-community/Kokoro-82M-v1.0-ONNX/resolve/1939ad2a8e416c0acfeecc08a694d14ef25f2231`
const kokoro = (role: string, name: string, bytes: number, sha256: string): EntryFile => ({
  role,
  name: name.slice(name.lastIndexOf('/') + 1),
  format: name.endsWith('.onnx') ? 'onnx' : 'any',
  bytes,
  sha256,
  sources: [`${KOKORO}/${name}`],
})

export const CATALOGUE: readonly Entry[] = [
  {
    id: 'zipformer-en-20m',
    kind: 'stt',
    engine: 'sherpa',
    languages: ['en'],
    licence: APACHE,
    memory_mb: 150,
    about: 'streaming English of real speakers, words appear while one speaks; trained on audiobooks',
    files: [
      zipformer(
        'encoder',
        'encoder-epoch-99-avg-1.int8.onnx',
        42_845_182,
        '3810755ce7c3ab26b42a8bcf39d191308fa27fb0f53358823ba46141d03b7eb3',
      ),
      zipformer(
        'decoder',
        'decoder-epoch-99-avg-1.onnx',
        2_092_272,
        '45a7f940ecfb53d89fa270ad11b88b961e53a317203eb24b1c8e95ed208b0f30',
      ),
      zipformer(
        'joiner',
        'joiner-epoch-99-avg-1.int8.onnx',
        259_572,
        'e085d73b593cf9b0707f370dbd656d58327d3fe36d80d849202ef81df02cb01e',
      ),
      zipformer(
        'tokens',
        'tokens.txt',
        5_048,
        '49e3c2646595fd907228b3c6787069658f67b17377c60aeb8619c4551b2316fb',
      ),
    ],
    parameters: { layout: 'transducer', sample_rate: 16_000, feature_dim: 80, flush_ms: 400, threads: 1 },
  },
  whisper(
    'tiny',
    'q5_1',
    32_152_673,
    '818710568da3ca15689e31a743197b520007872ff9576237bda97bd1b469c3d7',
    180,
  ),
  whisper(
    'tiny',
    'q8_0',
    43_537_433,
    'c2085835d3f50733e2ff6e4b41ae8a2b8d8110461e18821b09a15c40c42d1cca',
    200,
  ),
  whisper(
    'base',
    'q5_1',
    59_707_625,
    '422f1ae452ade6f30a004d7e5c6a43195e4433bc370bf23fac9cc591f01a8898',
    260,
  ),
  whisper(
    'base',
    'q8_0',
    81_768_585,
    'c577b9a86e7e048a0b7eada054f4dd79a56bbfa911fbdacf900ac5b567cbb7d9',
    280,
  ),
  whisper(
    'small',
    'q5_1',
    190_085_487,
    'ae85e4a935d7a567bd102fe55afc16bb595bdb618e11b2fc7591bc08120411bb',
    600,
  ),
  whisper(
    'small',
    'q8_0',
    264_464_607,
    '49c8fb02b65e6049d5fa6c04f81f53b867b5ec9540406812c643f177317f779f',
    680,
  ),
  llm(
    'qwen2.5-0.5b-q4_k_m',
    'Qwen 2.5 0.5B: the smallest that talks; weak at facts',
    ['multi'],
    APACHE,
    491_400_032,
    '74a4da8c9fdbcd15bd1f6d01d621410d31c6fc00986f5eb687824e7b93d7a9db',
    [
      `${HF}/Qwen/Qwen2.5-0.5B-Instruct-GGUF/resolve/9217f5db79a29953eb74d5343926648285ec7e67/qwen2.5-0.5b-instruct-q4_k_m.gguf`,
    ],
  ),
  llm(
    'llama-3.2-1b-q4_k_m',
    'Llama 3.2 1B: short answers on any machine',
    LLAMA_LANGUAGES,
    LLAMA_3_2,
    807_694_464,
    '6f85a640a97cf2bf5b8e764087b1e83da0fdb51d7c9fab7d0fece9385611df83',
    [
      `${HF}/bartowski/Llama-3.2-1B-Instruct-GGUF/resolve/067b946cf014b7c697f3654f621d577a3e3afd1c/Llama-3.2-1B-Instruct-Q4_K_M.gguf`,
    ],
  ),
  llm(
    'qwen2.5-1.5b-q4_k_m',
    'Qwen 2.5 1.5B: more languages than Llama at this size',
    ['multi'],
    APACHE,
    1_117_320_736,
    '6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e',
    [
      `${HF}/Qwen/Qwen2.5-1.5B-Instruct-GGUF/resolve/91cad51170dc346986eccefdc2dd33a9da36ead9/qwen2.5-1.5b-instruct-q4_k_m.gguf`,
    ],
  ),
  llm(
    'llama-3.2-3b-q4_k_m',
    'Llama 3.2 3B: good everyday answers',
    LLAMA_LANGUAGES,
    LLAMA_3_2,
    2_019_377_696,
    '6c1a2b41161032677be168d354123594c0e6e67d2b9227c84f296ad037c728ff',
    [
      `${HF}/bartowski/Llama-3.2-3B-Instruct-GGUF/resolve/5ab33fa94d1d04e903623ae72c95d1696f09f9e8/Llama-3.2-3B-Instruct-Q4_K_M.gguf`,
    ],
  ),
  llm(
    'qwen2.5-3b-q4_k_m',
    'Qwen 2.5 3B: good everyday answers, not for commercial use',
    ['multi'],
    'Qwen Research License',
    2_104_932_768,
    '626b4a6678b86442240e33df819e00132d3ba7dddfe1cdc4fbb18e0a9615c62d',
    [
      `${HF}/Qwen/Qwen2.5-3B-Instruct-GGUF/resolve/7dabda4d13d513e3e842b20f0d435c732f172cbe/qwen2.5-3b-instruct-q4_k_m.gguf`,
    ],
  ),
  llm(
    'qwen2.5-7b-q4_k_m',
    'Qwen 2.5 7B: wants eight cores or a graphics card',
    ['multi'],
    APACHE,
    4_683_074_240,
    '65b8fcd92af6b4fefa935c625d1ac27ea29dcb6ee14589c55a8f115ceaaa1423',
    [`${HF}/bartowski/Qwen2.5-7B-Instruct-GGUF/resolve/main/Qwen2.5-7B-Instruct-Q4_K_M.gguf`],
  ),
  llm(
    'llama-3-8b-q4_k_m',
    'Llama 3 8B: wants eight cores or a graphics card',
    ['en'],
    'Meta Llama 3 Community License',
    4_920_734_272,
    '8ba9baf3a7345f705a11878397500fb25174034f0fd784e83aa4a96aaa47735f',
    [
      `${HF}/bartowski/Meta-Llama-3-8B-Instruct-GGUF/resolve/main/Meta-Llama-3-8B-Instruct-Q4_K_M.gguf`,
      `${HF}/lmstudio-community/Meta-Llama-3-8B-Instruct-BPE-fix-GGUF/resolve/main/Meta-Llama-3-8B-Instruct-Q4_K_M.gguf`,
    ],
  ),
  {
    id: 'kokoro-82m-q8',
    kind: 'tts',
    engine: 'kokoro',
    languages: ['en', 'es', 'fr', 'hi', 'it', 'ja', 'pt', 'zh'],
    licence: APACHE,
    memory_mb: 350,
    about: 'Kokoro 82M: the most natural voice here; wants four cores to keep up',
    files: [
      kokoro(
        'model',
        'onnx/model_quantized.onnx',
        92_361_116,
        'fbae9257e1e05ffc727e951ef9b9c98418e6d79f1c9b6b13bd59f5c9028a1478',
      ),
      kokoro('config', 'config.json', 44, 'df34b4f930b23447cd4dc410fabfb42eb3f24e803e6c3f97d618fb359380a36f'),
      kokoro(
        'tokenizer',
        'tokenizer.json',
        3_497,
        '77a02c8e164413299b4b4c403b14f8e0e1c1b727db4d46a09d6327b861060a34',
      ),
      kokoro(
        'tokenizer_config',
        'tokenizer_config.json',
        113,
        'be1cb066d6ef6b074b3f15e6a6dd21ac88ff3cdaedf325f0aaed686c70f75d20',
      ),
    ],
    parameters: {},
  },
  piper(
    'piper-en-us-lessac',
    'en_US/lessac/medium/en_US-lessac-medium',
    'en-US',
    'Piper Lessac: clear American voice, quick on small machines',
    {
      bytes: 63_201_294,
      sha256: '5efe09e69902187827af646e1a6e9d269dee769f9877d17b16b1b46eeaaf019f',
    },
    { bytes: 4_885, sha256: 'efe19c417bed055f2d69908248c6ba650fa135bc868b0e6abb3da181dab690a0' },
  ),
  piper(
    'piper-en-gb-alba',
    'en_GB/alba/medium/en_GB-alba-medium',
    'en-GB',
    'Piper Alba: Scottish voice, quick on small machines',
    {
      sha256: '401369c4a81d09fdd86c32c5c864440811dbdcc66466cde2d64f7133a66ad03b',
    },
  ),
  {
    id: 'silero-vad-v4',
    kind: 'vad',
    engine: 'sherpa-vad',
    languages: ['multi'],
    licence: 'MIT',
    memory_mb: 30,
    about: 'Silero VAD v4: tells speech from noise',
    files: [
      {
        role: 'model',
        name: 'silero_vad.onnx',
        format: 'onnx',
        bytes: 643_854,
        sha256: '9e2449e1087496d8d4caba907f23e0bd3f78d91fa552479bb9c23ac09cbb1fd6',
        sources: ['https://github.com/k2-fsa/sherpa-onnx/releases/download/asr-models/silero_vad.onnx'],
      },
    ],
    parameters: {},
  },
]
