/**
 * What a microphone that waits for the wake word lets through. Pure: frames and tidings in, orders out; time is counted in frames.
 *
 * G1 Asleep, no frame reaches a conversation. G2 Awake, every frame does, from the end of the word on: who says it and the command in one
 * breath loses nothing. G3 Between the word and the verdict frames wait; without a verdict in time the microphone answers. G4 It falls
 * asleep when the conversation has been idle for `AWAKE`, or when another microphone turns out to answer.
 */
import { FRAME_MS } from '../audio.ts'
import type { Verdict } from './arbitration.ts'
import { type Loudness, loudNow, loudness, NO_LOUDNESS } from './loudness.ts'
import {
  NOT_SPOTTING,
  type SpotInput,
  type SpotOrder,
  type Spotting,
  spot,
  stopSpotting,
} from './spotting.ts'

const frames = (ms: number): number => ms / FRAME_MS

/** The engine tells the word about 150 ms after its end: the command behind it has begun meanwhile. */
const HANDED = frames(120)
/** A verdict takes 80 ms; an arbiter that is restarted takes longer. */
const PATIENCE = frames(500)
/** To begin to speak after the word, or to go on after an answer. */
const AWAKE = frames(7_000)

type Frame = { readonly samples: Int16Array; readonly voiced: boolean }

export type Gate = { readonly spotting: Spotting; readonly loudness: Loudness } & (
  | { readonly phase: 'asleep'; readonly recent: readonly Frame[] }
  | { readonly phase: 'deciding'; readonly held: readonly Frame[] }
  /** Frames since the conversation was last busy; `busy` while it is. */
  | { readonly phase: 'awake'; readonly idle: number; readonly busy: boolean }
)

export const ASLEEP: Gate = { spotting: NOT_SPOTTING, loudness: NO_LOUDNESS, phase: 'asleep', recent: [] }

export type GateInput =
  | SpotInput
  | { readonly type: 'verdict'; readonly verdict: Verdict }
  /** Of the conversation behind it. */
  | { readonly type: 'phase'; readonly idle: boolean }

export type GateOrder =
  | Exclude<SpotOrder, { do: 'word' }>
  | { readonly do: 'claim'; readonly snr_db: number; readonly energy_db: number }
  | { readonly do: 'hear'; readonly frames: readonly Frame[] }
  | { readonly do: 'wake' }
  | { readonly do: 'sleep'; readonly verdict?: Verdict }

export interface Gated {
  readonly state: Gate
  readonly orders: readonly GateOrder[]
}

export function gate(state: Gate, input: GateInput): Gated {
  switch (input.type) {
    case 'frame':
      return frame(state, { samples: input.samples, voiced: input.voiced })
    case 'words':
    case 'ended':
      return state.phase === 'asleep' ? spotted(state, input) : { state, orders: [] }
    case 'verdict':
      return verdict(state, input.verdict)
    case 'phase':
      if (state.phase !== 'awake') return { state, orders: [] }
      return { state: { ...state, busy: !input.idle, idle: 0 }, orders: [] }
  }
}

function frame(before: Gate, heard: Frame): Gated {
  const state: Gate = { ...before, loudness: loudness(before.loudness, heard.samples, heard.voiced) }
  switch (state.phase) {
    case 'asleep': {
      const recent = [...state.recent, heard].slice(-HANDED)
      return spotted({ ...state, recent }, { type: 'frame', ...heard })
    }
    case 'deciding': {
      const held = [...state.held, heard]
      return held.length < PATIENCE + HANDED ? { state: { ...state, held }, orders: [] } : awake(state, held)
    }
    case 'awake': {
      const idle = state.busy ? 0 : state.idle + 1
      if (idle < AWAKE) return { state: { ...state, idle }, orders: [{ do: 'hear', frames: [heard] }] }
      return { state: asleep(state), orders: [{ do: 'sleep' }] }
    }
  }
}

const asleep = ({ loudness: kept, spotting }: Gate): Gate => ({
  loudness: kept,
  // Runs are numbered on: what an old one still says must not be taken for a new one's.
  spotting: { ...NOT_SPOTTING, next: spotting.next },
  phase: 'asleep',
  recent: [],
})

function spotted(state: Extract<Gate, { phase: 'asleep' }>, input: SpotInput): Gated {
  const after = spot(state.spotting, input)
  const runs = after.orders.filter((order) => order.do !== 'word')
  if (runs.length === after.orders.length) return { state: { ...state, spotting: after.state }, orders: runs }
  const stopped = stopSpotting(after.state)
  const { snr_db, energy_db } = loudNow(state.loudness)
  // The end of the word is no speech of the command.
  const held = state.recent.map(({ samples }) => ({ samples, voiced: false }))
  return {
    state: { spotting: stopped.state, loudness: state.loudness, phase: 'deciding', held },
    orders: [...runs, ...withoutWords(stopped.orders), { do: 'claim', snr_db, energy_db }],
  }
}

const withoutWords = (orders: readonly SpotOrder[]) => orders.filter((order) => order.do !== 'word')

function verdict(state: Gate, given: Verdict): Gated {
  if (given === 'won') return state.phase === 'deciding' ? awake(state, state.held) : { state, orders: [] }
  if (state.phase === 'asleep') return { state, orders: [] }
  return { state: asleep(state), orders: [{ do: 'sleep', verdict: given }] }
}

const awake = ({ spotting, loudness: kept }: Gate, held: readonly Frame[]): Gated => ({
  state: { spotting, loudness: kept, phase: 'awake', idle: 0, busy: false },
  orders: [{ do: 'wake' }, { do: 'hear', frames: held }],
})
