/**
 * When the wake-word engine listens, and what is a word. Pure: frames with a verdict in, orders out; time is counted in frames.
 *
 * S1 Nobody speaks: no run is open. S2 A run begins with the quiet before the voice, which the word wants in front of it. S3 However
 * long somebody talks, `OVERLAP` of sound around every moment is whole in one run: a run never ends before the next one has heard as
 * much. S4 A word is told once, although two runs may hear it. S5 A run that silence ends still tells what it heard: sound that comes in
 * one piece is ahead of the engine.
 */
import { type Activity, hear, SILENT, START_FRAMES } from '../activity.ts'
import { FRAME_MS } from '../audio.ts'

const frames = (ms: number): number => ms / FRAME_MS

/** Quiet before the voice: what the word's graph asks for (120 ms), twice. */
const LEAD = frames(240) + START_FRAMES
/** Silence that ends the runs: the engine tells a word within 200 ms of its end when it keeps up. */
const TAIL = frames(500)
/** A run grows with every word said in it; it is followed by a fresh one after so long. */
const LONG = frames(10_000)
/** The word, said slowly, and the quiet before it. */
const OVERLAP = frames(2_000)
/** Nobody says it twice in less; two runs tell the same word within a step of the engine. */
const REPEAT = frames(1_000)
/** Runs that silence ended and the engine is not through with: an engine further behind than so many tells less. */
const MOST_ENDING = 4

interface Run {
  readonly id: number
  readonly fed: number
  /** Words it has told. */
  readonly words: number
}

export interface Spotting {
  readonly activity: Activity
  readonly recent: readonly Int16Array[]
  /** Oldest first; two at most. */
  readonly runs: readonly Run[]
  /** Fed no more, still to tell what they heard. Oldest first. */
  readonly ending: readonly Run[]
  /** Frames heard so far, and how many had been when a word was told last. */
  readonly at: number
  readonly told_at: number
  readonly next: number
}

export const NOT_SPOTTING: Spotting = {
  activity: SILENT,
  recent: [],
  runs: [],
  ending: [],
  at: 0,
  told_at: -REPEAT,
  next: 1,
}

export type SpotInput =
  /** The receiver owns the samples: 320, 16 kHz mono. */
  | { readonly type: 'frame'; readonly samples: Int16Array; readonly voiced: boolean }
  /** The engine has heard so many words in this run. */
  | { readonly type: 'words'; readonly run: number; readonly count: number }
  /** The run ended by itself. */
  | { readonly type: 'ended'; readonly run: number }

export type SpotOrder =
  | { readonly do: 'open'; readonly run: number }
  | { readonly do: 'feed'; readonly run: number; readonly frames: readonly Int16Array[] }
  /** Nothing follows in it; it says what it heard and ends. */
  | { readonly do: 'finish'; readonly run: number }
  /** It is not to be heard of again. */
  | { readonly do: 'close'; readonly run: number }
  /** The word was said just now. */
  | { readonly do: 'word' }

export interface Spotted {
  readonly state: Spotting
  readonly orders: readonly SpotOrder[]
}

export function spot(state: Spotting, input: SpotInput): Spotted {
  switch (input.type) {
    case 'frame':
      return listened(state, input.samples, input.voiced)
    case 'words':
      return told(state, input.run, input.count)
    case 'ended':
      return { state: without(state, input.run), orders: [] }
  }
}

const without = (state: Spotting, run: number): Spotting => ({
  ...state,
  runs: state.runs.filter(({ id }) => id !== run),
  ending: state.ending.filter(({ id }) => id !== run),
})

/** Lets every run go: it is not to be listened any more. */
export const stopSpotting = (state: Spotting): Spotted => ({
  state: { ...state, activity: SILENT, runs: [], ending: [] },
  orders: [...state.ending, ...state.runs].map(({ id }) => ({ do: 'close', run: id })),
})

/** Nobody speaks any more. */
function fellSilent(state: Spotting): Spotted {
  const all = [...state.ending, ...state.runs]
  const given_up = all.slice(0, -MOST_ENDING).map(({ id }): SpotOrder => ({ do: 'close', run: id }))
  const finished = state.runs.map(({ id }): SpotOrder => ({ do: 'finish', run: id }))
  return {
    state: { ...state, activity: SILENT, runs: [], ending: all.slice(-MOST_ENDING) },
    orders: [...finished, ...given_up],
  }
}

function listened(before: Spotting, samples: Int16Array, voiced: boolean): Spotted {
  const { activity, started } = hear(before.activity, voiced)
  const recent = [...before.recent, samples].slice(-LEAD)
  const state: Spotting = { ...before, activity, recent, at: before.at + 1 }
  if (activity.phase === 'speech' && activity.silent >= TAIL) return fellSilent(state)
  const fed = state.runs.map((run) => ({ ...run, fed: run.fed + 1 }))
  const feeds = fed.map(({ id }): SpotOrder => ({ do: 'feed', run: id, frames: [samples] }))
  const newest = fed.at(-1)
  if (newest === undefined ? started || isSpeech(activity) : newest.fed >= LONG) {
    const opened = open({ ...state, runs: fed })
    return { state: opened.state, orders: [...feeds, ...opened.orders] }
  }
  const [oldest, second] = fed
  if (oldest === undefined || second === undefined || second.fed < OVERLAP) {
    return { state: { ...state, runs: fed }, orders: feeds }
  }
  return { state: { ...state, runs: [second] }, orders: [...feeds, { do: 'close', run: oldest.id }] }
}

const isSpeech = ({ phase }: Activity): boolean => phase === 'speech'

function open(state: Spotting): Spotted {
  const run: Run = { id: state.next, fed: 0, words: 0 }
  return {
    state: { ...state, runs: [...state.runs, run], next: state.next + 1 },
    orders: [
      { do: 'open', run: run.id },
      { do: 'feed', run: run.id, frames: state.recent },
    ],
  }
}

function told(state: Spotting, run: number, count: number): Spotted {
  const known = [...state.ending, ...state.runs].find(({ id }) => id === run)
  if (known === undefined || count <= known.words) return { state, orders: [] }
  const counted = (each: Run): Run => (each.id === run ? { ...each, words: count } : each)
  const next = { ...state, runs: state.runs.map(counted), ending: state.ending.map(counted) }
  if (state.at - state.told_at < REPEAT) return { state: next, orders: [] }
  return { state: { ...next, told_at: state.at }, orders: [{ do: 'word' }] }
}
