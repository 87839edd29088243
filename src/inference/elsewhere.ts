/** Engines whose work is done somewhere else, by an OpenAI-compatible server or a Wyoming service, as the configuration asks for them. Pure. */
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

/** Of the `wyoming` section what concerns services that are asked. */
export interface WyomingSettings {
  readonly stt_url: string
  readonly tts_url: string
  readonly tts_voice: string
  readonly timeout_ms: number
}

export interface EngineElsewhere {
  readonly model: Model
  readonly spec: ReplicaSpec
}

/** The engines whose work is done somewhere else. */
const ELSEWHERE = ['openai', 'wyoming'] as const
const KINDS = ['stt', 'llm', 'tts'] as const satisfies readonly EngineKind[]

/** Whether what is asked of an engine with this tag leaves the machine. */
export const isElsewhere = (tag: string): boolean =>
  ELSEWHERE.some((engine) => tag.split(/[.:]/, 2)[1] === engine)

/** Where what is asked of this model goes, `host:port`; undefined: nowhere. */
export const sentTo = ({ engine, parameters }: Model): string | undefined =>
  ELSEWHERE.some((one) => one === engine) ? new URL(String(parameters.url)).host : undefined

/** One for every model that was named; none without an address. */
export function enginesElsewhere(settings: ElsewhereSettings): readonly EngineElsewhere[] {
  const { url, key_file, tts_voice: voice, timeout_ms } = settings
  if (url === '') return []
  const paths: Record<string, string> = key_file === '' ? {} : { key: key_file }
  return KINDS.flatMap((kind) => {
    const model = settings[`${kind}_model`]
    if (model === '') return []
    const parameters = { url: url.replace(/\/+$/, ''), model, voice, timeout_ms }
    return [engineOf('openai', kind, model, parameters, paths)]
  })
}

/** One for each service that was named; it is called after its address, for the protocol knows no models one could ask for. */
export function wyomingEngines(settings: WyomingSettings): readonly EngineElsewhere[] {
  const { tts_voice: voice, timeout_ms } = settings
  return (['stt', 'tts'] as const).flatMap((kind) => {
    const url = settings[`${kind}_url`]
    return url === '' ? [] : [engineOf('wyoming', kind, new URL(url).host, { url, voice, timeout_ms })]
  })
}

function engineOf(
  engine: (typeof ELSEWHERE)[number],
  kind: EngineKind,
  name: string,
  parameters: Readonly<Record<string, unknown>>,
  paths: Readonly<Record<string, string>> = {},
): EngineElsewhere {
  const model: Model = {
    ...{ id: name, kind, engine, files: [], parameters },
    ...{ licence: 'unknown', languages: [], covers: '' },
  }
  const spec: ReplicaSpec = {
    ...{ kind, engine, model: name },
    name: `${kind}.${engine}.${name}`,
    tag: `${kind}.${engine}:${name}`,
    prepare: async () => ({ id: name, kind, engine, paths, parameters }),
  }
  return { model, spec }
}
