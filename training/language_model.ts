/**
 * What the recogniser expects to hear: a trigram model of the household's sentences, written as the decoding graph sherpa-onnx
 * searches (its `ctcFstDecoderConfig.graph`).
 *
 *   node training/language_model.ts            writes training/out/recogniser/graph.fst for the tokens beside it
 *
 * The model is interpolated Witten–Bell (Witten and Bell, IEEE Trans. Information Theory 37, 1991) over commands, mixed with
 * loose words and foreign talk so that an unlikely sentence stays possible. The graph joins it with the CTC topology: each
 * history has a state in which its last word may go on sounding and one in which silence may. Every state is final, so
 * that there is a best text at any moment.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const CORPUS = new URL('out/corpus/', import.meta.url).pathname
const RECOGNISER = new URL('out/recogniser/', import.meta.url).pathname
const ORDER = 3
const BEGIN = '<s>'
const UNKNOWN = '<unk>'
/** Histories heard less often are left to the shorter ones: most of the size, little of the sense. */
const RARE = 12
/** How much the expectation counts beside what was heard: on voices of the training, 0.4 did best of 0.3 to 1. */
const SCALE = 0.4
/** Taken off the cost of a foreign word, which the corpus has too few of: talk must not be bent into a command. */
const UNKNOWN_BONUS = 3
/** How often the commands are counted for each time the other speech is: the house is spoken to, mostly. */
const COMMAND_WEIGHT = 20

type Counts = Map<string, Map<string, number>>

/** History (words joined by spaces, '' for none) → word → how often. */
function count(sentences: Iterable<{ words: readonly string[]; weight: number }>): Counts {
  const counts: Counts = new Map()
  for (const { words, weight } of sentences) {
    const whole = [BEGIN, ...words]
    for (let i = 1; i < whole.length; i += 1) {
      for (let length = 0; length < ORDER && length <= i; length += 1) {
        const history = whole.slice(i - length, i).join(' ')
        const after = counts.get(history) ?? new Map<string, number>()
        after.set(whole[i]!, (after.get(whole[i]!) ?? 0) + weight)
        counts.set(history, after)
      }
    }
  }
  return counts
}

interface Node {
  /** Probability of each word seen after this history. */
  readonly next: ReadonlyMap<string, number>
  /** What a word not in `next` costs before the shorter history is asked. */
  readonly backoff: number
}

const shorter = (history: string): string => history.split(' ').slice(1).join(' ')

/** Witten–Bell, from short histories to long ones. */
function smooth(counts: Counts, vocabulary: readonly string[]): Map<string, Node> {
  const model = new Map<string, Node>()
  const probability = (history: string, word: string): number => {
    const node = model.get(history)
    const seen = node?.next.get(word)
    if (seen !== undefined) return seen
    if (history === '') return 1 / vocabulary.length
    return (node?.backoff ?? 1) * probability(shorter(history), word)
  }
  const common = [...counts].filter(([history, after]) => lengthOf(history) < 2 || sum(after) >= RARE)
  const byLength = common.sort(([a], [b]) => lengthOf(a) - lengthOf(b))
  for (const [history, after] of byLength) {
    const total = sum(after)
    const kinds = after.size
    const next = new Map<string, number>()
    let [mass, lower] = [0, 0]
    const words = history === '' ? vocabulary : [...after.keys()]
    for (const word of words) {
      const below = history === '' ? 1 / vocabulary.length : probability(shorter(history), word)
      const p = ((after.get(word) ?? 0) + kinds * below) / (total + kinds)
      next.set(word, p)
      mass += p
      lower += below
    }
    const backoff = history === '' ? 1 : Math.max(1e-6, 1 - mass) / Math.max(1e-6, 1 - lower)
    model.set(history, { next, backoff })
  }
  return model
}

const sum = (after: ReadonlyMap<string, number>): number => [...after.values()].reduce((a, b) => a + b, 0)

const lengthOf = (history: string): number => (history === '' ? 0 : history.split(' ').length)

interface Arc {
  readonly input: number
  readonly output: number
  readonly cost: number
  readonly to: number
}

/** States and arcs of the decoding graph; labels are token numbers + 1, 0 is no label. */
function graph(
  model: ReadonlyMap<string, Node>,
  tokens: ReadonlyMap<string, number>,
  blank: number,
): Arc[][] {
  const histories = [...model.keys()]
  const number = new Map(histories.map((history, i) => [history, i]))
  const quiet = (history: string): number => number.get(history)! * 2
  const sounding = (history: string): number => number.get(history)! * 2 + 1
  const label = (word: string): number => tokens.get(word)! + 1
  const longest = (history: string): string => {
    let known = history
    while (!model.has(known)) known = shorter(known)
    return known
  }
  const costOf = (word: string, p: number): number =>
    Math.max(0, -Math.log(p) * SCALE - (word === UNKNOWN ? UNKNOWN_BONUS : 0))
  const states: Arc[][] = Array.from({ length: histories.length * 2 }, () => [])
  for (const [history, { next, backoff }] of model) {
    const last = history === '' ? undefined : history.split(' ').at(-1)
    const spoken = last === undefined || last === BEGIN ? undefined : last
    const words = [...next].map(([word, p]): Arc => {
      const after = longest([...history.split(' ').filter(Boolean), word].slice(-(ORDER - 1)).join(' '))
      return { input: label(word), output: label(word), cost: costOf(word, p), to: sounding(after) }
    })
    const less = -Math.log(backoff) * SCALE
    if (history !== '') {
      states[quiet(history)]!.push({ input: blank + 1, output: 0, cost: 0, to: quiet(history) })
      states[quiet(history)]!.push({ input: 0, output: 0, cost: less, to: quiet(shorter(history)) })
    }
    states[quiet(history)]!.push(...words)
    if (spoken === undefined) continue
    const self = label(spoken)
    states[sounding(history)]!.push(
      { input: self, output: 0, cost: 0, to: sounding(history) },
      { input: blank + 1, output: 0, cost: 0, to: quiet(history) },
      {
        input: 0,
        output: 0,
        cost: less,
        to: shorter(history) === '' ? quiet('') : sounding(shorter(history)),
      },
      // Without silence between, the same label again is the same word still.
      ...words.filter(({ input }) => input !== self),
    )
  }
  return states
}

/** OpenFst's binary form of a vector FST over the tropical semiring. */
function encode(states: readonly (readonly Arc[])[], start: number): Buffer {
  const arcs = states.reduce((sum, list) => sum + list.length, 0)
  const text = (value: string): Buffer => {
    const bytes = Buffer.alloc(4 + value.length)
    bytes.writeInt32LE(value.length)
    bytes.write(value, 4, 'latin1')
    return bytes
  }
  const header = Buffer.alloc(4 + 4 + 8 * 4)
  header.writeInt32LE(2, 0)
  header.writeInt32LE(0, 4)
  header.writeBigUInt64LE(3n, 8)
  header.writeBigInt64LE(BigInt(start), 16)
  header.writeBigInt64LE(BigInt(states.length), 24)
  header.writeBigInt64LE(BigInt(arcs), 32)
  const magic = Buffer.alloc(4)
  magic.writeInt32LE(2_125_659_606)
  const body = Buffer.alloc(states.length * 12 + arcs * 16)
  let at = 0
  for (const list of states) {
    at = body.writeFloatLE(0, at)
    at = body.writeBigInt64LE(BigInt(list.length), at)
    for (const { input, output, cost, to } of list) {
      at = body.writeInt32LE(input, at)
      at = body.writeInt32LE(output, at)
      at = body.writeFloatLE(cost, at)
      at = body.writeInt32LE(to, at)
    }
  }
  return Buffer.concat([magic, text('vector'), text('standard'), header, body])
}

function* sentences(known: ReadonlySet<string>): Generator<{ words: string[]; weight: number }> {
  const wordsOf = (text: string): string[] => {
    const words = text.split(' ').map((word) => (known.has(word) ? word : UNKNOWN))
    return words.filter((word, i) => word !== UNKNOWN || words[i - 1] !== UNKNOWN)
  }
  const lines = (file: string): { text: string; kind?: string }[] =>
    readFileSync(`${CORPUS}${file}`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { text: string })
  for (const { text } of lines('commands.train.jsonl')) yield { words: wordsOf(text), weight: COMMAND_WEIGHT }
  for (const { text } of lines('speech.jsonl')) yield { words: wordsOf(text), weight: 1 }
}

function main(): void {
  const tokens = new Map<string, number>()
  for (const line of readFileSync(`${RECOGNISER}tokens.txt`, 'utf8').trim().split('\n')) {
    const [token, id] = line.split(' ')
    tokens.set(token!.replace('\u2581', ''), Number(id))
  }
  const blank = tokens.get('<blk>')!
  tokens.delete('<blk>')
  const vocabulary = [...tokens.keys()]
  const model = smooth(count(sentences(new Set(vocabulary))), vocabulary)
  const states = graph(model, tokens, blank)
  const start = [...model.keys()].indexOf(BEGIN) * 2
  const bytes = encode(states, start)
  writeFileSync(`${RECOGNISER}graph.fst`, bytes)
  console.log(`${model.size} histories, ${states.length} states, ${(bytes.length / 1e6).toFixed(2)} MB`)
}

main()
