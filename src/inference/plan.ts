/** Which models become engine processes. Pure: the choice can be shown before anything is started. */
import { LoqaError } from '../host/index.ts'
import type { EngineKind } from './engine.ts'
import { FORMANT_VOICE, type Model, type Models } from './models.ts'
import type { ReplicaSpec } from './replica.ts'

/** Model id per capability; `auto` is the one a person chose with `loqa models use`, else the first one listed; `off` is none. */
export interface ModelChoice {
  readonly stt: string
  readonly llm: string
  readonly tts: string
  readonly vad: string
}

const CHOSEN = ['stt', 'llm', 'tts', 'vad'] as const satisfies readonly EngineKind[]
/** What a node does well without: used only when a person chose it. */
const UNNEEDED: ReadonlySet<EngineKind> = new Set(['vad'])

/** Errors: `LoqaError` `config-invalid` that names the models there are. A capability without any model is left out. */
export function chooseModels(
  models: readonly Model[],
  choice: ModelChoice,
  chosen: Readonly<Partial<ModelChoice>> = {},
): readonly Model[] {
  return CHOSEN.flatMap((kind) => {
    const offered = models.filter((model) => model.kind === kind)
    const wanted = choice[kind]
    if (wanted === 'off') return []
    if (wanted === 'auto') {
      const first = UNNEEDED.has(kind) ? undefined : offered[0]
      return [offered.find(({ id }) => id === chosen[kind]) ?? first].filter((one) => one !== undefined)
    }
    const found = offered.find(({ id }) => id === wanted)
    if (found !== undefined) return [found]
    throw new LoqaError(
      'config-invalid',
      `inference.${kind} is ${JSON.stringify(wanted)}, which is not installed`,
      {
        hint: `Choose auto, off${offered.map(({ id }) => ` or ${id}`).join('')}.`,
      },
    )
  })
}

/** The wake word of this machine, heard by a process of its own that nobody pays for who does not want it. */
export function wakeReplicas(models: Pick<Models, 'list' | 'prepare'>): readonly ReplicaSpec[] {
  const model = models.list.find(({ kind }) => kind === 'wake')
  if (model === undefined) return []
  return replicasOf(model, models).map((spec) => ({ ...spec, on_demand: true }))
}

/**
 * The voice that says what the chosen one is late with, or cannot: the formant voice, which every node has and which keeps up on any
 * machine. Undefined where it is the chosen one, or none is wanted.
 */
export function plainVoice(chosen: readonly Model[]): Model | undefined {
  const voice = chosen.find(({ kind }) => kind === 'tts')
  return voice === undefined || voice.engine === FORMANT_VOICE.engine ? undefined : FORMANT_VOICE
}

/** `count` processes of one model share its load and outlive one another. */
export function replicasOf(model: Model, models: Pick<Models, 'prepare'>, count = 1): readonly ReplicaSpec[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${model.kind}.${model.engine}.${model.id}${i === 0 ? '' : `.${i + 1}`}`,
    tag: `${model.kind}.${model.engine}:${model.id}`,
    kind: model.kind,
    engine: model.engine,
    model: model.id,
    prepare: () => models.prepare(model),
  }))
}
