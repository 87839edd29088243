/**
 * A YAML text with the place of every key and value, and mistakes in it told so that one can find and mend them: file,
 * line, column, key, what was given, what is allowed, and the name that was probably meant.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import { InvalidInputError } from '../../host/index.ts'
import { doubledKey, obstacleIn } from './bounded-yaml.ts'

/** One mistake. Line and column count from 1. */
export interface ManifestProblem {
  readonly file: string
  readonly line: number
  readonly column: number
  /** As a path, e.g. `intents.timer.set.slots.name`; empty for the whole file. */
  readonly key: string
  /** As written, shortened; undefined when something is missing. */
  readonly given?: string
  readonly allowed: string
  /** The name that was probably meant. */
  readonly nearest?: string
}

/** Mistakes told at once. More are seldom mistakes of their own. */
export const MAX_PROBLEMS = 20

/** The first mistake is the message, all of them are `problems`. */
export class ManifestError extends InvalidInputError {
  readonly problems: readonly ManifestProblem[]

  constructor(problems: readonly ManifestProblem[]) {
    const [first, ...others] = problems
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`
    super(
      first === undefined ? 'not a skill manifest' : `${sayProblem(first)}${more}`,
      first?.nearest === undefined ? 'Correct the line and try again.' : `Did you mean "${first.nearest}"?`,
    )
    this.problems = problems
  }
}

/** `skill.yaml:12:14: budgets.call_ms: given 100000, allowed a whole number from 10 to 2000`. */
export function sayProblem({ file, line, column, key, given, allowed, nearest }: ManifestProblem): string {
  const what = given === undefined ? `missing; allowed ${allowed}` : `given ${given}; allowed ${allowed}`
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`
  return `${file}:${line}:${column}: ${key === '' ? 'not a skill manifest' : key}: ${what}${meant}`
}

export type Path = readonly (string | number)[]

export interface LocatedYaml {
  readonly value: unknown
  /** Where the value at the path stands; with `key`, where its key stands. The nearest there is, if it is missing. */
  place(path: Path, key?: boolean): { readonly line: number; readonly column: number }
}

/** Errors: `ManifestError` with the place where it stops being YAML. */
export function locateYaml(text: string, file: string): LocatedYaml {
  const lines = new LineCounter()
  const obstacle = obstacleIn(text)
  if (obstacle !== undefined) {
    const before = text.slice(0, obstacle.offset).split('\n')
    const at = { line: before.length, column: before.at(-1)!.length + 1 }
    const { given, allowed } = obstacle
    throw new ManifestError([{ file, ...at, key: '', given, allowed }])
  }
  const document = parseDocument(text, {
    lineCounter: lines,
    // Looked for below, in time that grows with the number of keys and not with its square.
    uniqueKeys: false,
    strict: true,
    logLevel: 'silent',
  })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const wrong = document.errors[0]
  if (wrong !== undefined) {
    const given = wrong.message.split('\n')[0]!.replace(/ at line \d+.*$/, '')
    throw new ManifestError([{ file, ...at(wrong.pos[0]), key: '', given, allowed: 'YAML' }])
  }
  const doubled = doubledKey(document.contents)
  if (doubled !== undefined) {
    const given = `the key ${JSON.stringify(doubled.name.slice(0, 60))} a second time`
    throw new ManifestError([{ file, ...at(doubled.offset), key: '', given, allowed: 'each key once' }])
  }
  return { value: document.toJS({ maxAliasCount: 0 }) as unknown, place }

  function place(path: Path, key = false): { line: number; column: number } {
    let node: unknown = document.contents
    let offset = startOf(node) ?? 0
    for (const [depth, step] of path.entries()) {
      const pair = pairAt(node, step)
      if (pair === undefined) break
      const last = depth === path.length - 1
      offset = (last && key ? startOf(pair.key) : startOf(pair.value)) ?? startOf(pair.key) ?? offset
      node = pair.value
    }
    return at(offset)
  }
}

function pairAt(node: unknown, step: string | number): Pick<Pair, 'key' | 'value'> | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const value = node.items[step]
    return value === undefined ? undefined : { key: value, value }
  }
  if (!isMap(node)) return undefined
  return node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step))
}

const startOf = (node: unknown): number | undefined => (node as Node | null | undefined)?.range?.[0]
