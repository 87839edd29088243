/**
 * JSON schemas as engines keep them: an engine turns a schema into a grammar its tokens cannot leave, and a grammar holds less than
 * JSON Schema can say. Pure.
 *
 * Every listed property is written, the optional ones too. What a grammar cannot hold (`pattern`, `minimum` …) is left out, unless
 * `strict` was asked for: then it is refused.
 */
import { z } from 'zod'
import { ParameterError } from './errors.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

/** Deeper ones are attacks on the stack; real ones reach 6. */
const MAX_DEPTH = 16
/** Parts of one schema: a grammar of thousands of rules takes seconds to compile. */
const MAX_PARTS = 1_000
/** A grammar writes a repetition out; llama.cpp refuses long ones. */
const MAX_REPEATS = 256

/** Say nothing about what is allowed. */
const ANNOTATIONS = new Set([
  ...['title', 'description', 'default', 'examples', '$schema', '$id', '$comment', 'deprecated'],
  ...['readOnly', 'writeOnly', 'required', 'strict', 'nullable', 'contentEncoding', 'contentMediaType'],
])
const isDate = (format: unknown): boolean => format === 'date-time' || format === 'time' || format === 'date'
const COUNTS = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])
const ANYTHING: JsonSchema = {
  oneOf: [
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
    { type: 'null' },
    { type: 'array' },
    { type: 'object', additionalProperties: true },
  ],
}
export const ANY_OBJECT: JsonSchema = { type: 'object', additionalProperties: true }

const literal = z.union([z.string().max(4_096), z.number(), z.boolean(), z.null()])
const typeName = z.enum(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'])
const count = z.int().min(0)
const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

interface Translating {
  readonly param: string
  readonly strict: boolean
  parts: number
}

/** Errors: `ParameterError` that names the part of the request (`param`) and the keyword. */
export function grammarSchema(schema: unknown, param: string, strict = false): JsonSchema {
  return translate(schema, { param, strict, parts: 0 }, 0)
}

function translate(schema: unknown, work: Translating, depth: number): JsonSchema {
  work.parts += 1
  if (depth > MAX_DEPTH || work.parts > MAX_PARTS)
    throw new ParameterError(work.param, `${work.param}: the schema is too large or too deep for a grammar`)
  if (schema === true) return ANYTHING
  if (!isObject(schema)) throw new ParameterError(work.param, `${work.param}: not a JSON schema`)
  const inner = (part: unknown): JsonSchema => translate(part, work, depth + 1)
  const { $defs, definitions, ...rest } = schema
  const defs = { ...(isObject(definitions) ? definitions : {}), ...(isObject($defs) ? $defs : {}) }
  const translated = Object.entries(defs).map(([name, part]) => [name, inner(part)] as const)
  const body = bodyOf(rest, work, inner)
  return translated.length === 0 ? body : { ...body, $defs: Object.fromEntries(translated) }
}

function bodyOf(schema: JsonSchema, work: Translating, inner: (part: unknown) => JsonSchema): JsonSchema {
  const { param } = work
  const wrong = (what: string): ParameterError => new ParameterError(param, `${param}: ${what}`)
  if (schema.$ref !== undefined) return { $ref: reference(schema.$ref, param) }
  if (schema.const !== undefined) return { const: read(literal, schema.const, 'const', param) }
  if (schema.enum !== undefined)
    return { enum: read(z.array(literal).min(1).max(512), schema.enum, 'enum', param) }
  const choices = schema.oneOf ?? schema.anyOf
  if (choices !== undefined) {
    if (!Array.isArray(choices) || choices.length === 0) throw wrong('oneOf and anyOf are lists of schemas')
    return { oneOf: choices.map(inner) }
  }
  if (Array.isArray(schema.allOf) && schema.allOf.length === 1) return inner(schema.allOf[0])
  if (Array.isArray(schema.type)) {
    const types = read(z.array(typeName).min(1).max(7), schema.type, 'type', param)
    return { oneOf: types.map((type) => inner({ ...schema, type })) }
  }
  const type = schema.type ?? implied(schema)
  if (type === undefined) {
    reportLost(schema, new Set(), work)
    return ANYTHING
  }
  const named = read(typeName, type, 'type', param)
  const kept = keptOf(named, schema, work, inner)
  reportLost(schema, new Set(['type', ...Object.keys(kept)]), work)
  return { type: named, ...kept }
}

/** A schema without a type that speaks of properties or items means objects or arrays. */
function implied(schema: JsonSchema): string | undefined {
  if (schema.properties !== undefined || schema.additionalProperties !== undefined) return 'object'
  return schema.items !== undefined || schema.prefixItems !== undefined ? 'array' : undefined
}

function keptOf(
  type: z.output<typeof typeName>,
  schema: JsonSchema,
  { param }: Translating,
  inner: (part: unknown) => JsonSchema,
): JsonSchema {
  const counts = (...names: string[]): JsonSchema =>
    Object.fromEntries(
      names
        .filter((name) => schema[name] !== undefined)
        .map((name) => [name, read(count, schema[name], name, param)] as const)
        .filter(([, value]) => value <= MAX_REPEATS),
    )
  switch (type) {
    case 'object': {
      const { properties, additionalProperties: more } = schema
      const listed = isObject(properties) ? Object.entries(properties) : []
      return {
        ...(listed.length === 0
          ? {}
          : { properties: Object.fromEntries(listed.map(([name, part]) => [name, inner(part)])) }),
        // Where nothing is listed anything may come; where something is, only that.
        additionalProperties: isObject(more) ? inner(more) : (more ?? listed.length === 0) === true,
        ...counts('minProperties', 'maxProperties'),
      }
    }
    case 'array':
      return {
        ...(schema.items === undefined || schema.items === false ? {} : { items: inner(schema.items) }),
        ...(Array.isArray(schema.prefixItems) ? { prefixItems: schema.prefixItems.map(inner) } : {}),
        ...counts('minItems', 'maxItems'),
      }
    case 'string':
      return isDate(schema.format) ? { format: schema.format } : counts('minLength', 'maxLength')
    default:
      return {}
  }
}

/** What the grammar does not keep. A format beyond dates is a remark by JSON Schema's own rules. */
function reportLost(schema: JsonSchema, kept: ReadonlySet<string>, { strict, param }: Translating): void {
  if (!strict) return
  const lost = Object.keys(schema).find(
    (name) =>
      !kept.has(name) &&
      !ANNOTATIONS.has(name) &&
      name !== 'format' &&
      !(name === 'uniqueItems' && schema[name] === false) &&
      !(COUNTS.has(name) && schema[name] === 0),
  )
  if (lost !== undefined)
    throw new ParameterError(param, `${param}: ${lost} cannot be kept by a grammar; leave it out, or strict`)
}

function reference(given: unknown, param: string): string {
  const name = /^#\/(?:\$defs|definitions)\/([A-Za-z0-9_.-]{1,128})$/.exec(
    typeof given === 'string' ? given : '',
  )?.[1]
  if (name === undefined) throw new ParameterError(param, `${param}: $ref must point into #/$defs`)
  return `#/$defs/${name}`
}

function read<T>(schema: z.ZodType<T>, given: unknown, keyword: string, param: string): T {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  throw new ParameterError(param, `${param}: ${keyword} is not what JSON Schema takes there`)
}
