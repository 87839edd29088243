/** The wake word in this node: its engine, whom its words are told, and what is noted of them. */
import type { WakeWordListener, WakeWordWatch } from '../api/index.ts'
import { limits, type NodeId } from '../host/index.ts'
import type { Model, Pool } from '../inference/index.ts'
import type { Log, Metrics } from '../observe/index.ts'
import {
  bytesOf,
  Resampler,
  samplesOf,
  toFloat32,
  toInt16,
  type Voice,
  type VoiceOptions,
} from '../voice/index.ts'
import type { Clustering } from './clustering.ts'

const WAKE = 'wake'

export interface WakingParts {
  readonly self: NodeId
  /** `voice.wake`. */
  readonly always: boolean
  readonly pool: Pick<Pool, 'has' | 'want' | 'run'>
  readonly clustering: Pick<Clustering, 'cluster'>
  readonly log: Log
  readonly metrics: Pick<Metrics, 'add'>
}

/** Nothing when no model of the kind is installed. */
export function wakeOf({
  self,
  always,
  pool,
  clustering,
  log,
  metrics,
}: WakingParts): Pick<VoiceOptions, 'wake'> {
  if (!pool.has(WAKE)) return {}
  // It listens from the first sound on: a client that connects must not wait for the engine.
  if (always) void pool.want(WAKE)
  return {
    wake: {
      node: self,
      always,
      want: () => pool.want(WAKE),
      open: (onEvent) => pool.run(WAKE, { kind: 'wake', sample_rate: limits.SAMPLE_RATE }, onEvent),
      peers: () => {
        const { cluster } = clustering
        return (cluster?.members() ?? [])
          .map(({ id }) => id)
          .filter((id) => cluster?.linkTo(id) !== undefined)
      },
      decided({ verdict, after_ms, by, snr_db, energy_db }) {
        metrics.add('loqa_wake_words_total', 1, { verdict })
        log.info('The wake word was heard', {
          verdict,
          after_ms: Math.round(after_ms),
          answers: by.node,
          room: by.room,
          snr_db: Math.round(snr_db * 10) / 10,
          energy_db: Math.round(energy_db * 10) / 10,
        })
      },
    },
  }
}

/** Model and phrase of what can be listened for. */
export const wakeWordsOf = (models: readonly Model[]) =>
  models
    .filter(({ kind }) => kind === WAKE)
    .slice(0, 1)
    .map(({ id, parameters }) => ({ model: id, phrase: String(parameters.phrase ?? id) }))

export function watchWakeWord(
  voice: Pick<Voice, 'spot'>,
  sample_rate: number,
  listener: WakeWordListener,
): WakeWordWatch {
  const spotter = voice.spot(listener)
  if (sample_rate === limits.SAMPLE_RATE) return spotter
  const resampler = new Resampler(sample_rate)
  return {
    push: (pcm) => spotter.push(bytesOf(toInt16(resampler.process(toFloat32(samplesOf(pcm)))))),
    finish: (done) => spotter.finish(done),
    close: () => spotter.close(),
  }
}
