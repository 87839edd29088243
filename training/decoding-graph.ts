/**
 * From sounds to words: the graph sherpa-onnx searches for the cheapest way to explain what it heard (Mohri, Pereira and
 * Riley, Weighted Finite-State Transducers in Speech Recognition, 2002).
 *
 * Three ways lead through it, each dearer than the one before:
 *   sayable    a sentence of the grammar, whole (sayable.ts)
 *   loose      any words of the vocabulary, rather in an order in which people who choose their words freely say them
 *   unknown    any sounds at all: `<unk>`
 * so talk that is no command comes out as loose words and `<unk>`, not as the command it resembles most.
 *
 * Each word is a path of its sounds; words that begin alike share it. A sound may last (CTC repeats its label), silence may
 * follow any of them (CTC's blank), and stopping inside a word is dear: what is shown while somebody speaks ends with a word.
 */
import { BEGIN, type Likely } from './likely.ts'
import type { Arc, State } from './openfst.ts'
import type { Automaton } from './sayable.ts'

export const UNKNOWN = '<unk>'

/** What ways cost, in nats beside the acoustic model's. Chosen on other sentences by voices of the training. */
export interface Costs {
  /** How much the likelihood of a word in a sentence of the grammar counts beside what was heard. */
  readonly habit: number
  /** Leaving the grammar for loose words. */
  readonly loose: number
  /** Each loose word, and how much its likelihood counts beside what was heard. */
  readonly word: number
  readonly likelihood: number
  /** Beginning to hear something unknown, and each sound of it. */
  readonly unknown: number
  readonly sound: number
  /** A second sentence behind a whole one. */
  readonly again: number
  /** Stopping inside a sentence, and inside a word or something unknown. */
  readonly unfinished: number
  readonly torn: number
}

export const COSTS: Costs = {
  habit: 0.3,
  loose: 3,
  word: 0,
  likelihood: 0.4,
  unknown: 3.5,
  sound: 0.8,
  again: 3,
  unfinished: 1,
  torn: 3,
}

export interface Lexicon {
  /** Sound → label; label 0 is none. */
  readonly sounds: ReadonlyMap<string, number>
  readonly blank: number
  /** Word → its sounds. */
  readonly said: ReadonlyMap<string, readonly string[]>
  /** Word → label, `<unk>` included. */
  readonly words: ReadonlyMap<string, number>
}

/** What may be heard. */
export interface Speech {
  readonly sentences: Automaton
  /** For each state of `sentences` the probability of each word, and of the end as the empty word (`weigh`). */
  readonly habits: readonly ReadonlyMap<string, number>[]
  readonly free: Likely
}

/** State 0 is the start. @throws Error naming a word without sounds or label. */
export function decodingGraph({ sentences, habits, free }: Speech, lexicon: Lexicon, costs: Costs): State[] {
  const graph = new Graph(lexicon, costs)
  const habit = (state: number, word: string): number =>
    -costs.habit * Math.log(habits[state]?.get(word) ?? 1)
  const places = sentences.next.map((_, i) =>
    graph.pause(sentences.ends.has(i) ? habit(i, '') : costs.unfinished),
  )
  const start = places[0] ?? graph.pause(0)
  for (const [i, next] of sentences.next.entries()) {
    const leads = [...next].map(([word, to]) => ({ word, to: places[to] ?? start, cost: habit(i, word) }))
    graph.words(places[i] ?? start, leads)
  }
  for (const end of sentences.ends) graph.skip(places[end] ?? start, start, costs.again)

  const { begin, anywhere } = looseWords(graph, free, costs)
  graph.skip(start, begin, costs.loose)
  unknownSounds(graph, anywhere, lexicon, costs)
  return graph.states
}

/** Words by what stood before them, else by themselves. */
function looseWords(graph: Graph, free: Likely, costs: Costs): { begin: number; anywhere: number } {
  const anywhere = graph.pause(costs.unfinished)
  const behind = new Map([...free.after.keys()].map((word) => [word, graph.pause(costs.unfinished)]))
  const lead = ([word, p]: readonly [string, number]): Lead => ({
    word,
    to: behind.get(word) ?? anywhere,
    cost: costs.word - costs.likelihood * Math.log(p),
  })
  graph.words(anywhere, [...free.anywhere].map(lead))
  for (const [word, { next, otherwise }] of free.after) {
    const place = behind.get(word) ?? anywhere
    graph.words(place, [...next].map(lead))
    graph.skip(place, anywhere, Math.max(0, -costs.likelihood * Math.log(otherwise)))
  }
  return { begin: behind.get(BEGIN) ?? anywhere, anywhere }
}

/** From `words` through any sounds, one at least, and back. */
function unknownSounds(graph: Graph, words: number, lexicon: Lexicon, costs: Costs): void {
  const first = graph.state(costs.torn)
  const more = graph.state(costs.torn)
  graph.skip(words, first, costs.unknown, lexicon.words.get(UNKNOWN))
  graph.skip(more, words, 0)
  for (const sound of lexicon.sounds.keys()) {
    const heard = graph.sounding(sound)
    graph.hear(first, sound, heard, costs.sound)
    graph.hear(more, sound, heard, costs.sound)
    graph.skip(heard, more, 0)
  }
}

/** A word that may come next, the state it leads to, and what it costs. */
interface Lead {
  readonly word: string
  readonly to: number
  readonly cost: number
}

export class Graph {
  readonly states: { arcs: Arc[]; final: number }[] = []
  readonly #lexicon: Lexicon
  readonly #costs: Costs

  constructor(lexicon: Lexicon, costs: Costs) {
    this.#lexicon = lexicon
    this.#costs = costs
  }

  state(final: number): number {
    return this.states.push({ arcs: [], final }) - 1
  }

  /** A state between words: silence may last in it. */
  pause(final: number): number {
    const state = this.state(final)
    this.#arc(state, { input: this.#lexicon.blank, output: 0, cost: 0, to: state })
    return state
  }

  /** A state in which `sound` was just heard and may last, or be followed by silence. */
  sounding(sound: string): number {
    const state = this.pause(this.#costs.torn)
    this.#arc(state, { input: this.#label(sound), output: 0, cost: 0, to: state })
    return state
  }

  /** One frame without a new sound. */
  rest(from: number, to: number): void {
    this.#arc(from, { input: this.#lexicon.blank, output: 0, cost: 0, to })
  }

  hear(from: number, sound: string, to: number, cost = 0): void {
    this.#arc(from, { input: this.#label(sound), output: 0, cost, to })
  }

  skip(from: number, to: number, cost: number, output = 0): void {
    this.#arc(from, { input: 0, output, cost, to })
  }

  /**
   * Paths from `from` through the sounds of each word to where it leads. Common beginnings are shared, and what a word costs is
   * paid as early as it is certain, so that a dear word is not cheaper while it is unfinished.
   */
  words(from: number, leads: readonly Lead[], heard = 0, paid = 0): void {
    const ways = new Map<string, Lead[]>()
    for (const lead of leads) {
      const { word, to, cost } = lead
      const sounds = this.#lexicon.said.get(word) ?? []
      const label = this.#lexicon.words.get(word)
      if (sounds.length === 0 || label === undefined) throw new Error(`nobody knows how to say ${word}`)
      const sound = sounds[heard]
      if (sound === undefined) this.skip(from, to, cost - paid, label)
      else ways.set(sound, [...(ways.get(sound) ?? []), lead])
    }
    for (const [sound, alike] of ways) {
      const certain = Math.min(...alike.map(({ cost }) => cost))
      const next = this.sounding(sound)
      this.hear(from, sound, next, certain - paid)
      this.words(next, alike, heard + 1, certain)
    }
  }

  #arc(from: number, arc: Arc): void {
    this.states[from]?.arcs.push(arc)
  }

  #label(sound: string): number {
    const label = this.#lexicon.sounds.get(sound)
    if (label === undefined) throw new Error(`no sound named ${sound}`)
    return label
  }
}
