/** The runs of the wake-word engine as `spotting.ts` orders them. */
import type { EngineEvent, EngineStream } from '../../inference/index.ts'
import { toFloat32 } from '../audio.ts'
import type { SpotInput, SpotOrder } from './spotting.ts'

/** A run of the engine: what it says comes after this returned. It may fail at once. */
export type OpenWakeRun = (onEvent: (event: EngineEvent) => void) => EngineStream

export class WakeRuns {
  readonly #open: OpenWakeRun
  readonly #told: (input: SpotInput) => void
  readonly #runs = new Map<number, EngineStream>()
  #drained: (() => void) | undefined

  constructor(open: OpenWakeRun, told: (input: SpotInput) => void) {
    this.#open = open
    this.#told = told
  }

  carry(order: Exclude<SpotOrder, { do: 'word' }>): void {
    switch (order.do) {
      case 'open':
        this.#begin(order.run)
        break
      case 'feed':
        for (const frame of order.frames) {
          this.#runs.get(order.run)?.feed({ type: 'audio', samples: toFloat32(frame) })
        }
        break
      case 'finish':
        this.#runs.get(order.run)?.finish()
        break
      case 'close':
        this.#runs.get(order.run)?.cancel()
        this.#runs.delete(order.run)
        break
    }
  }

  /** Nothing follows: `done` when every run has said what it heard. */
  finish(done: () => void): void {
    this.#drained = done
    for (const run of this.#runs.values()) run.finish()
    this.#look()
  }

  #look(): void {
    if (this.#runs.size > 0) return
    const done = this.#drained
    this.#drained = undefined
    done?.()
  }

  close(): void {
    for (const run of this.#runs.values()) run.cancel()
    this.#runs.clear()
  }

  #begin(run: number): void {
    const stream = this.#open((event) => {
      if (event.type === 'partial' || event.type === 'final')
        this.#told({ type: 'words', run, count: wordsIn(event.text) })
      else if (event.type === 'done' || event.type === 'failed') {
        this.#runs.delete(run)
        this.#told({ type: 'ended', run })
        this.#look()
      }
    })
    this.#runs.set(run, stream)
  }
}

const wordsIn = (text: string): number => text.split(' ').filter((word) => word !== '').length
