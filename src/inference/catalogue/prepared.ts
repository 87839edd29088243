/** What adapters make of a model's files and keep for their next start, beside the unpacked ones: it goes when the model goes. */
import { join } from 'node:path'

export const PREPARED = {
  /** The network of a Piper voice with the description that sherpa-onnx wants, and its phonemes as a list. */
  piper: 'sherpa.onnx',
  piperTokens: 'sherpa.tokens.txt',
  /** A folder of links with the names that kokoro-js looks for. */
  kokoro: 'kokoro',
} as const

/** `work_dir`: `<data>/models`. */
export const preparedPath = (work_dir: string, model: string, what: keyof typeof PREPARED): string =>
  join(work_dir, `${model}.${PREPARED[what]}`)

export const preparedOf = (work_dir: string, model: string): readonly string[] =>
  (['piper', 'piperTokens', 'kokoro'] as const).map((what) => preparedPath(work_dir, model, what))
