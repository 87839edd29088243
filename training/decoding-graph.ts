/**
 * From sounds to words: the graph sherpa-onnx searches for the cheapest way to explain what it heard (Mohri, Pereira and
 * Riley, Weighted Finite-State Transducers in Speech Recognition, 2002).
 *
 *   node training/decoding-graph.ts            writes graph.fst and words.txt into training/out/recogniser/
 *
 * Three ways lead through it, each dearer than the one before:
 *   sayable    a sentence of the grammar, whole (sayable.ts)
 *   loose      any words of the vocabulary in any order
 *   unknown    any sounds at all: `<unk>`
 * so talk that is no command comes out as loose words and `<unk>`, not as the command it resembles most.
 *
 * Each word is a path of its sounds; words that begin alike share it. A sound may last (CTC repeats its label), silence may
 * follow any of them (CTC's blank), and stopping inside a word is dear: what is shown while somebody speaks ends with a word.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { readGrammar } from './grammar.ts'
import { type Arc, encodeFst, type State } from './openfst.ts'
import { type Automaton, sayable } from './sayable.ts'

const ROOT = new URL('..', import.meta.url).pathname
const OUT = new URL('out/', import.meta.url).pathname
const UNKNOWN = '<unk>'

/** What ways cost, in nats beside the acoustic model's. Chosen on other sentences by voices of the training. */
export interface Costs {
  /** Leaving the grammar for loose words. */
  readonly loose: number
  /** Each loose word. */
  readonly word: number
  /** Beginning to hear something unknown, and each sound of it. */
  readonly unknown: number
  readonly sound: number
  /** A second sentence behind a whole one. */
  readonly again: number
  /** Stopping inside a sentence, inside a word, and behind something unknown. */
  readonly unfinished: number
  readonly torn: number
}

export const COSTS: Costs = { loose: 4, word: 1.5, unknown: 2, sound: 0.6, again: 3, unfinished: 1, torn: 3 }

export interface Lexicon {
  /** Sound → label; label 0 is none. */
  readonly sounds: ReadonlyMap<string, number>
  readonly blank: number
  /** Word → its sounds. */
  readonly said: ReadonlyMap<string, readonly string[]>
  /** Word → label. */
  readonly words: ReadonlyMap<string, number>
}

class Graph {
  readonly states: { arcs: Arc[]; final: number }[] = []
  readonly #lexicon: Lexicon

  constructor(lexicon: Lexicon) {
    this.#lexicon = lexicon
  }

  state(final: number): number {
    return this.states.push({ arcs: [], final }) - 1
  }

  arc(from: number, arc: Arc): void {
    this.states[from]?.arcs.push(arc)
  }

  skip(from: number, to: number, cost: number, output = 0): void {
    this.arc(from, { input: 0, output, cost, to })
  }

  /** A state between words: silence may last in it. */
  pause(final: number): number {
    const state = this.state(final)
    this.arc(state, { input: this.#lexicon.blank, output: 0, cost: 0, to: state })
    return state
  }

  /** A state in which `sound` was just heard and may last, or be followed by silence. */
  sounding(sound: string, final: number): number {
    const state = this.pause(final)
    this.arc(state, { input: this.#label(sound), output: 0, cost: 0, to: state })
    return state
  }

  hear(from: number, sound: string, to: number, cost = 0): void {
    this.arc(from, { input: this.#label(sound), output: 0, cost, to })
  }

  /** Paths from `from` through the sounds of each word to where it leads; common beginnings are shared. */
  words(
    from: number,
    leads: Iterable<readonly [word: string, to: number]>,
    torn: number,
    cost: number,
  ): void {
    const { said, words } = this.#lexicon
    const known = new Map<string, number>([['', from]])
    for (const [word, to] of leads) {
      let [at, heard] = [from, '']
      for (const sound of said.get(word) ?? []) {
        const longer = `${heard} ${sound}`
        let next = known.get(longer)
        if (next === undefined) {
          next = this.sounding(sound, torn)
          known.set(longer, next)
          this.hear(at, sound, next, heard === '' ? cost : 0)
        }
        ;[at, heard] = [next, longer]
      }
      const label = words.get(word)
      if (at === from || label === undefined) throw new Error(`nobody knows how to say ${word}`)
      this.skip(at, to, 0, label)
    }
  }

  #label(sound: string): number {
    const label = this.#lexicon.sounds.get(sound)
    if (label === undefined) throw new Error(`no sound named ${sound}`)
    return label
  }
}

/** State 0 is the start. */
export function decodingGraph(automaton: Automaton, lexicon: Lexicon, costs: Costs): State[] {
  const graph = new Graph(lexicon)
  const places = automaton.next.map((_, i) => graph.pause(automaton.ends.has(i) ? 0 : costs.unfinished))
  const start = places[0] ?? graph.pause(0)
  for (const [i, next] of automaton.next.entries()) {
    const leads = [...next].map(([word, to]) => [word, places[to] ?? start] as const)
    graph.words(places[i] ?? start, leads, costs.torn, 0)
  }
  for (const end of automaton.ends) graph.skip(places[end] ?? start, start, costs.again)

  const loose = graph.pause(costs.unfinished)
  graph.skip(start, loose, costs.loose)
  const vocabulary = [...lexicon.words.keys()].filter((word) => word !== UNKNOWN)
  graph.words(
    loose,
    vocabulary.map((word) => [word, loose] as const),
    costs.torn,
    costs.word,
  )

  const unknown = graph.state(costs.torn)
  const between = graph.state(costs.torn)
  graph.skip(loose, unknown, costs.unknown, lexicon.words.get(UNKNOWN))
  graph.skip(between, loose, 0)
  for (const sound of lexicon.sounds.keys()) {
    const heard = graph.sounding(sound, costs.torn)
    graph.hear(unknown, sound, heard, costs.sound)
    graph.hear(between, sound, heard, costs.sound)
    graph.skip(heard, between, 0)
  }
  return graph.states
}

/** The sounds of the recogniser, and how espeak-ng says the words of the vocabulary. */
export function readLexicon(): Lexicon {
  const lines = readFileSync(`${OUT}recogniser/tokens.txt`, 'utf8').trim().split('\n')
  const labels = new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1]) + 1]))
  const blank = labels.get('<blk>') ?? 0
  labels.delete('<blk>')
  const vocabulary = readFileSync(`${OUT}corpus/vocabulary.txt`, 'utf8').trim().split('\n')
  const said = JSON.parse(readFileSync(`${OUT}sounds.json`, 'utf8')) as Record<string, string[]>
  return {
    sounds: labels,
    blank,
    said: new Map(Object.entries(said)),
    words: new Map([...vocabulary, UNKNOWN].map((word, i) => [word, i + 1])),
  }
}

function main(): void {
  const lexicon = readLexicon()
  const states = decodingGraph(sayable(readGrammar(ROOT)), lexicon, COSTS)
  const bytes = encodeFst(states)
  writeFileSync(`${OUT}recogniser/graph.fst`, bytes)
  writeFileSync(
    `${OUT}recogniser/words.txt`,
    [...lexicon.words].map(([word, label]) => `${word} ${label}\n`).join(''),
  )
  console.log(`${lexicon.words.size} words, ${states.length} states, ${(bytes.length / 1e6).toFixed(2)} MB`)
}

if (process.argv[1] === new URL(import.meta.url).pathname) main()
