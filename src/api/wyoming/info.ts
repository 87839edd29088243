/** What a node offers, in the words of Wyoming (`info`): every program with its models, and who made them. Pure. */
import type { CapabilityView, StatusView } from '../status-shapes.ts'
import type { WyomingEvent } from './wire.ts'

const ATTRIBUTION = { name: 'loqa-node', url: '' }

/** What can be listened for: its model, and the words. */
export type WakeWord = { readonly model: string; readonly phrase: string }

/** What a wake word is called in `detect` and `detection`. */
export const wakeName = ({ phrase }: WakeWord): string => phrase.replaceAll(' ', '_')

export function describeNode(
  { capabilities, node }: StatusView,
  words: readonly WakeWord[] = [],
): WyomingEvent {
  const ready = capabilities.filter(({ state }) => state === 'ready')
  const artifact = (name: string, description: string) => ({
    name,
    description,
    attribution: ATTRIBUTION,
    installed: true,
    version: node.version,
  })
  const models = (kind: string) =>
    ready
      .filter((row) => kindOf(row) === kind)
      .map((row) => ({ ...artifact(row.model, row.tag), languages: ['en'] }))
  const program = (key: 'models' | 'voices', kind: string, description: string) => {
    const list = models(kind)
    return list.length === 0 ? [] : [{ ...artifact('loqa', description), [key]: list }]
  }
  const handled = { ...artifact('loqa', 'The skills of this household'), languages: ['en'] }
  const wakes = words.map((word) => ({
    ...artifact(wakeName(word), word.model),
    languages: ['en'],
    phrase: word.phrase,
  }))
  return {
    type: 'info',
    data: {
      asr: program('models', 'stt', 'Speech to text, in this house'),
      tts: program('voices', 'tts', 'Speech for a text, in this house'),
      handle: [{ ...artifact('loqa', 'The assistant of this household'), models: [handled] }],
      intent: [],
      wake:
        wakes.length === 0 ? [] : [{ ...artifact('loqa', 'The wake word, in this house'), models: wakes }],
      mic: [],
      snd: [],
    },
    payload: new Uint8Array(0),
  }
}

/** Kinds of services in `info`. */
export type Offer = 'asr' | 'tts' | 'wake'

/** The same node where only this is asked for. */
export const onlyOffering = (offer: Offer, { type, data, payload }: WyomingEvent): WyomingEvent => ({
  type,
  data: Object.fromEntries(Object.entries(data).map(([kind, list]) => [kind, kind === offer ? list : []])),
  payload,
})

const kindOf = ({ tag }: CapabilityView): string => tag.split('.', 1)[0] ?? ''
