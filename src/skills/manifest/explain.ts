/**
 * Turns what the schema refuses into mistakes people can mend. What is allowed is read from the JSON Schema that editors
 * get, so that both say the same.
 */
import type { z } from 'zod'
import { nearest } from '../../host/index.ts'
import type { LocatedYaml, ManifestProblem, Path } from './located.ts'

/** What of JSON Schema ours has. */
export interface SchemaNode {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly SchemaNode[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly propertyNames?: SchemaNode
  readonly additionalProperties?: SchemaNode | false
  readonly items?: SchemaNode
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

const SHOWN_CHARACTERS = 60

/** The mistakes in the order of their lines. */
export function explain(
  issues: readonly z.core.$ZodIssue[],
  yaml: LocatedYaml,
  file: string,
  root: SchemaNode,
): ManifestProblem[] {
  const problems = issues.flatMap((issue) => problemsOf(issue, yaml, file, root))
  // A key that is misspelt is also missing: one mistake, told once.
  const meant = new Set(problems.map(({ key, nearest }) => beside(key, nearest)))
  return problems
    .filter(({ key, given }) => given !== undefined || !meant.has(key))
    .sort((a, b) => a.line - b.line || a.column - b.column)
}

function problemsOf(
  issue: z.core.$ZodIssue,
  yaml: LocatedYaml,
  file: string,
  root: SchemaNode,
): ManifestProblem[] {
  const path = issue.path as Path
  const key = path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(nodeAt(root, path)?.properties ?? {})
    return issue.keys.map((name) => ({
      file,
      ...yaml.place([...path, name], true),
      key: [...path, name].join('.'),
      given: `the key ${show(name)}`,
      allowed: `one of ${known.join(', ')}`,
      ...close(name, known),
    }))
  }
  if (issue.code === 'invalid_key') {
    const name = String(path.at(-1))
    const names = alternatives(nodeAt(root, path.slice(0, -1))).find((choice) => choice.propertyNames)
    const allowed = allowedBy(names?.propertyNames)
    return [{ file, ...yaml.place(path, true), key, given: `the key ${show(name)}`, allowed }]
  }
  const given = valueAt(yaml.value, path)
  const node = nodeAt(root, path)
  // Of a list or a mapping the mistakes are those of the choice it is meant to be.
  if (issue.code === 'invalid_union' && typeof given === 'object' && given !== null) {
    const meant =
      node?.anyOf?.findIndex(({ type }) => type === (Array.isArray(given) ? 'array' : 'object')) ?? -1
    const nested = issue.errors[meant] ?? []
    if (nested.length > 0) {
      return nested.flatMap((one) =>
        problemsOf({ ...one, path: [...issue.path, ...one.path] }, yaml, file, root),
      )
    }
  }
  const allowed = issue.code === 'custom' ? issue.message : allowedBy(node)
  const problem = { file, ...yaml.place(path), key, allowed }
  if (given === undefined) return [problem]
  const choices = node?.enum?.filter((choice) => typeof choice === 'string') ?? []
  return [
    { ...problem, given: show(given), ...(typeof given === 'string' ? close(given, choices) : undefined) },
  ]
}

/** The path of a key with another last name. */
const beside = (key: string, name: string | undefined): string | undefined =>
  name === undefined ? undefined : [...key.split('.').slice(0, -1), name].join('.')

const close = (given: string, names: readonly string[]): { nearest?: string } => {
  const meant = nearest(given, names)
  return meant === undefined ? {} : { nearest: meant }
}

/** In words, e.g. `a whole number from 10 to 2000`. */
export function allowedBy(node: SchemaNode | undefined): string {
  if (node === undefined) return 'nothing here'
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`
  if (node.anyOf !== undefined) {
    const choices = node.anyOf.map((choice) => choice.const)
    return choices.includes(undefined)
      ? node.anyOf.map(allowedBy).join(' or ')
      : `one of ${choices.join(', ')}`
  }
  switch (node.type) {
    case 'integer':
      return `a whole number from ${node.minimum} to ${node.maximum}`
    case 'number':
      return 'a number'
    case 'boolean':
      return 'true or false'
    case 'array':
      return `a list${counted(node.minItems, node.maxItems, 'entries')}`
    case 'object':
      return node.properties === undefined
        ? 'a mapping of names'
        : `a mapping with ${Object.keys(node.properties).join(', ')}`
    case 'string':
      if (node.pattern !== undefined && node.description !== undefined) return node.description
      return `text${counted(node.minLength, node.maxLength, 'characters')}`
    default:
      return 'another kind of value'
  }
}

function counted(least: number | undefined, most: number | undefined, unit: string): string {
  if (most === undefined) return (least ?? 0) === 0 ? '' : ` of at least ${least} ${unit}`
  return (least ?? 0) === 0 ? ` of at most ${most} ${unit}` : ` of ${least} to ${most} ${unit}`
}

function nodeAt(root: SchemaNode, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = root
  for (const step of path) {
    node = alternatives(node)
      .map((choice) =>
        typeof step === 'number'
          ? choice.items
          : (choice.properties?.[step] ?? (choice.additionalProperties || undefined)),
      )
      .find((next) => next !== undefined)
  }
  return node
}

const alternatives = (node: SchemaNode | undefined): readonly SchemaNode[] =>
  node === undefined ? [] : (node.anyOf ?? [node])

function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string | number, unknown>)[step]
  }
  return at
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`
}
