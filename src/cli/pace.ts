/** Sends sound as a microphone would: a frame of 20 ms when its last sample has been spoken, never early. */
import type { Clock } from '../host/host.ts'
import { FRAME_MS, FRAME_SAMPLES } from '../host/limits.ts'

export interface Paced {
  /** Frames sent so far. */
  readonly sent: number
  stop(): void
}

/**
 * Calls `frame(index)` in real time until it returns false. Late timers are caught up with, so the stream as a whole
 * keeps the speed of speech.
 */
export function pace(clock: Clock, frame: (index: number) => boolean): Paced {
  const begin = clock.monotonic()
  let sent = 0
  let cancel = (): void => undefined
  const due = (): number => begin + (sent + 1) * FRAME_MS
  const step = (): void => {
    while (due() <= clock.monotonic()) {
      if (!frame(sent)) return
      sent += 1
    }
    cancel = clock.after(due() - clock.monotonic(), step)
  }
  cancel = clock.after(FRAME_MS, step)
  return {
    get sent() {
      return sent
    },
    stop: () => cancel(),
  }
}

/** Frame `index` of a recording; zeros behind its end. */
export function frameOf(samples: Int16Array, index: number): Int16Array {
  const frame = new Int16Array(FRAME_SAMPLES)
  frame.set(samples.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES))
  return frame
}
