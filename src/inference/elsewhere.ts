/** Engines of an OpenAI-compatible server as the configuration asks for them. Pure. */
import type { EngineKind } from './engine.ts'
import type { Model } from './models.ts'
import type { ReplicaSpec } from './replica.ts'

/** The `openai` section of the configuration. */
export interface ElsewhereSettings {
  readonly url: string
  readonly key_file: string
  readonly llm_model: string
  readonly stt_model: string
  readonly tts_model: string
  readonly tts_voice: string
  readonly timeout_ms: number
}

/** The engine whose work is done by a server somewhere else. */
export const ELSEWHERE = 'openai'
const KINDS = ['stt', 'llm', 'tts'] as const satisfies readonly EngineKind[]

/** Whether what is asked of an engine with this tag leaves the machine. */
export const isElsewhere = (tag: string): boolean => /^[a-z]+\.openai:/.test(tag)

/** One for every model that was named; none without an address. */
export function enginesElsewhere(
  settings: ElsewhereSettings,
): readonly { readonly model: Model; readonly spec: ReplicaSpec }[] {
  if (settings.url === '') return []
  return KINDS.flatMap((kind) => {
    const name = settings[`${kind}_model`]
    return name === '' ? [] : [engineOf(settings, kind, name)]
  })
}

function engineOf(
  { url, key_file, tts_voice, timeout_ms }: ElsewhereSettings,
  kind: (typeof KINDS)[number],
  name: string,
): { readonly model: Model; readonly spec: ReplicaSpec } {
  const parameters = { url: url.replace(/\/+$/, ''), model: name, voice: tts_voice, timeout_ms }
  const model: Model = {
    ...{ id: name, kind, engine: ELSEWHERE, files: [], parameters },
    ...{ licence: 'unknown', languages: [], covers: '' },
  }
  const paths: Record<string, string> = key_file === '' ? {} : { key: key_file }
  const spec: ReplicaSpec = {
    ...{ kind, engine: ELSEWHERE, model: name },
    name: `${kind}.${ELSEWHERE}.${name}`,
    tag: `${kind}.${ELSEWHERE}:${name}`,
    prepare: async () => ({ id: name, kind, engine: ELSEWHERE, paths, parameters }),
  }
  return { model, spec }
}
