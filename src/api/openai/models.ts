/** Names of models: those of the engines that answer now, and a few that programs have built in. Pure. */
import { LoqaError } from '../../host/index.ts'
import type { EngineRow } from '../view.ts'

type Kind = EngineRow['kind']

/**
 * Names that stand for whatever the household uses. Programs for transcription and speech have the two old names built in; a name of
 * one of OpenAI's language models is refused, because nobody should take what answers here for it.
 */
const STAND_INS: Readonly<Record<Kind, readonly string[]>> = {
  stt: ['default', 'whisper-1'],
  llm: ['default'],
  tts: ['default', 'tts-1', 'tts-1-hd'],
}

const WORDS: Readonly<Record<Kind, string>> = {
  stt: 'recogniser',
  llm: 'language model',
  tts: 'voice',
}

export interface ChosenModel {
  /** What the answer says it is of. */
  readonly name: string
  /** Its tag; undefined: the household chooses. */
  readonly engine: string | undefined
}

/** Errors: `model-unknown` with the names there are; `engine-unavailable` when there is none of that kind now. */
export function chooseModel(rows: readonly EngineRow[], kind: Kind, wanted: string): ChosenModel {
  const able = rows.filter((row) => row.kind === kind)
  const [first] = able
  if (first === undefined) {
    throw new LoqaError('engine-unavailable', `No ${WORDS[kind]} is ready in this household`, {
      retryable: true,
      hint: 'See loqa status for the reason.',
    })
  }
  const named = able.find(({ model, tag }) => model === wanted || tag === wanted)
  if (named !== undefined) return { name: named.model, engine: named.tag }
  if (STAND_INS[kind].includes(wanted)) return { name: first.model, engine: undefined }
  const names = [...new Set(able.map(({ model }) => model))].slice(0, 8)
  throw new LoqaError('model-unknown', `There is no ${WORDS[kind]} called ${JSON.stringify(wanted)} here`, {
    hint: `There is ${names.join(', ')}; or write "default".`,
  })
}

export interface ModelRow {
  readonly id: string
  readonly object: 'model'
  /** Seconds since 1970. */
  readonly created: number
  readonly owned_by: string
}

/** Each name once. */
export function modelRows(rows: readonly EngineRow[], created: number): readonly ModelRow[] {
  const ids = [...new Set(rows.map(({ model }) => model))]
  return ids.map((id) => ({ id, object: 'model', created, owned_by: 'household' }))
}
