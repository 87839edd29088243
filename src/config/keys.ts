/** The schema as a flat table of keys: what help texts, error messages, `default.toml` and `config show` are made from. */
import { z } from 'zod'
import { configSchema } from './schema.ts'

export interface Key {
  /** `section.name`, as in messages and `--set`. */
  readonly path: string
  readonly section: string
  readonly name: string
  /** e.g. `LOQA_API_PORT`. */
  readonly variable: string
  readonly about: string
  /** What may be given, in words: `a whole number from 0 to 65535`. */
  readonly allowed: string
  readonly type: 'integer' | 'number' | 'boolean' | 'string' | 'array'
  readonly fallback: unknown
  readonly schema: z.ZodType
}

interface LeafShape {
  readonly type?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly maxLength?: number
  readonly enum?: readonly string[]
  readonly description?: string
  readonly allowed?: string
  readonly default?: unknown
}

export const keys: readonly Key[] = Object.entries(configSchema.shape).flatMap(([section, { shape }]) =>
  Object.entries(shape).map(([name, schema]): Key => {
    const leaf = z.toJSONSchema(schema, { io: 'input' }) as LeafShape
    return {
      path: `${section}.${name}`,
      section,
      name,
      variable: `LOQA_${section}_${name}`.toUpperCase(),
      about: leaf.description ?? '',
      allowed: leaf.allowed ?? inWords(leaf),
      type: (leaf.type ?? 'string') as Key['type'],
      fallback: leaf.default,
      schema,
    }
  }),
)

export const sections: readonly string[] = Object.keys(configSchema.shape)

export const keyAt = (path: string): Key | undefined => keys.find((key) => key.path === path)

function inWords(leaf: LeafShape): string {
  if (leaf.enum) return `one of ${leaf.enum.join(', ')}`
  switch (leaf.type) {
    case 'boolean':
      return 'true or false'
    case 'integer':
      return `a whole number from ${leaf.minimum} to ${leaf.maximum}`
    case 'number':
      return `a number from ${leaf.minimum} to ${leaf.maximum}`
    case 'array':
      return `a list of at most ${leaf.maxItems} texts`
    default:
      return leaf.maxLength === undefined ? 'text' : `text of at most ${leaf.maxLength} characters`
  }
}
