/**
 * The wake word as a second graph over the recogniser's sounds: "hey loqa", or anything else.
 *
 *   node training/wake-graph.ts            writes graph.fst and words.txt into training/out/wake/
 *
 * Two ways lead through it. The word costs what was said otherwise than it should be; anything else costs `sound` for every sound,
 * and explains whatever was heard. So the word wins where nearly all of it was heard: keyword and filler models (Rohlicek and
 * others, Continuous hidden Markov modeling for speaker-independent word spotting, 1989).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { COSTS, Graph, type Lexicon } from './decoding-graph.ts'
import { encodeFst, type State } from './openfst.ts'

export const WAKE_WORD = 'hey loqa'

/** In nats beside the acoustic model's. Chosen by voices of the training. */
export interface WakeCosts {
  /** Each sound of anything else: six of them are what the word may be said otherwise. */
  readonly sound: number
  /** The word in mid-speech, without a moment of quiet before it. */
  readonly abrupt: number
  /** Frames of 40 ms without a new sound that make that moment. */
  readonly quiet: number
  /** Frames without a new sound that must follow the word: one loses those who go on at once, and spares no false alarm. */
  readonly rest: number
}

export const WAKE_COSTS: WakeCosts = { sound: 1.2, abrupt: 3, quiet: 3, rest: 0 }

/** How the word is said: at each place any of these sounds, and what that costs; the empty sound is none at all. */
export const SAID: readonly Readonly<Record<string, number>>[] = [
  { h: 0, '': 2 },
  { eI: 0, E: 2, aI: 3 },
  { l: 0 },
  { oU: 0, '0': 1.5, 'O:': 1.5, aU: 2.5 },
  { k: 0 },
  { '@': 0, V: 0, a: 0.5, '3': 0.5, 'A@': 1 },
]

/** Stopping inside the word or a sound: more than nothing, so that a word that was heard is told of at once. */
const TORN = 3

/** State 0 is the start. */
export function wakeGraph(lexicon: Lexicon, costs: WakeCosts, said = SAID): State[] {
  const graph = new Graph(lexicon, { ...COSTS, torn: TORN })
  const start = graph.pause(0)
  for (const sound of lexicon.sounds.keys()) {
    const heard = graph.sounding(sound)
    graph.hear(start, sound, heard, costs.sound)
    graph.skip(heard, start, 0)
  }
  let reached = [quietly(graph, start, costs)]
  for (const sounds of said) reached = heardNext(graph, reached, sounds)
  let end = graph.state(TORN)
  for (const from of reached) graph.skip(from, end, 0)
  for (let frame = 0; frame < costs.rest; frame += 1) end = rested(graph, end)
  graph.skip(end, start, 0, lexicon.words.get(WAKE_WORD))
  return graph.states
}

/** The state in which the word may begin. */
function quietly(graph: Graph, start: number, costs: WakeCosts): number {
  let quiet = start
  for (let frame = 0; frame < costs.quiet; frame += 1) quiet = rested(graph, quiet)
  const begin = graph.pause(0)
  graph.skip(quiet, begin, 0)
  if (quiet !== start) graph.skip(start, begin, costs.abrupt)
  return begin
}

function rested(graph: Graph, from: number): number {
  const next = graph.state(TORN)
  graph.rest(from, next)
  return next
}

/** The states in which one more place of the word was heard. */
function heardNext(
  graph: Graph,
  from: readonly number[],
  sounds: Readonly<Record<string, number>>,
): number[] {
  const gathered = graph.state(TORN)
  for (const state of from) graph.skip(state, gathered, 0)
  return Object.entries(sounds).map(([sound, cost]) => {
    const heard = sound === '' ? graph.state(TORN) : graph.sounding(sound)
    if (sound === '') graph.skip(gathered, heard, cost)
    else graph.hear(gathered, sound, heard, cost)
    return heard
  })
}

const MODELS = new URL('../models/', import.meta.url).pathname

/** The sounds of the recogniser that ships; the graph stands on its labels. */
export function wakeLexicon(): Lexicon {
  const lines = readFileSync(`${MODELS}recogniser-starter.tokens.txt`, 'utf8').trim().split('\n')
  const labels = new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1]) + 1]))
  const blank = labels.get('<blk>') ?? 0
  labels.delete('<blk>')
  return { sounds: labels, blank, said: new Map(), words: new Map([[WAKE_WORD, 1]]) }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const out = new URL('out/wake/', import.meta.url).pathname
  mkdirSync(out, { recursive: true })
  const states = wakeGraph(wakeLexicon(), WAKE_COSTS)
  const bytes = encodeFst(states)
  writeFileSync(`${out}graph.fst`, bytes)
  // A label a line, without spaces inside: the engine reads it as it reads the recogniser's words.
  writeFileSync(`${out}words.txt`, `${WAKE_WORD.replace(' ', '-')} 1\n<other> 2\n`)
  console.log(`${states.length} states, ${bytes.length} bytes`)
}
