/**
 * Sentences in several languages: wherever a manifest has words for people's ears, it may have them by language instead. What is compiled is
 * one language's: the node's, else English, else the first there is. Pure.
 */

const ENGLISH = 'en'

type ByLanguage<T> = Readonly<Record<string, T>>

/** `language`: as `de` or `de-AT`; of the latter the former serves as well. */
export function inLanguage<T extends string | readonly unknown[]>(
  said: T | ByLanguage<T>,
  language: string,
): T {
  if (typeof said !== 'object' || Array.isArray(said)) return said as T
  const by = said as ByLanguage<T>
  const tag = [language, language.split('-')[0]!, ENGLISH].find((one) => Object.hasOwn(by, one))
  return by[tag ?? Object.keys(by)[0]!]!
}

/** The parsed `skill.yaml` with the sentences of this language alone: a source for the grammar. */
export function sourceIn(source: unknown, language: string): unknown {
  const said = (value: unknown): unknown =>
    typeof value === 'object' && value !== null ? inLanguage(value as readonly unknown[], language) : value
  const slot = (value: unknown): unknown => changed(value, { ask: said })
  const intent = (value: unknown): unknown =>
    changed(value, {
      ...{ templates: said, negative: said, examples: said, confirm: said },
      slots: (slots) => each(slots, slot),
    })
  return changed(source, {
    intents: (intents) => each(intents, intent),
    types: (types) => each(types, (values) => each(values, said)),
  })
}

function changed(value: unknown, how: Readonly<Record<string, (value: unknown) => unknown>>): unknown {
  if (!isMapping(value)) return value
  const entries = Object.entries(value)
  return Object.fromEntries(
    entries.map(([key, one]) => [key, Object.hasOwn(how, key) ? how[key]!(one) : one]),
  )
}

const each = (value: unknown, how: (value: unknown) => unknown): unknown =>
  isMapping(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, how(one)])) : value

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
