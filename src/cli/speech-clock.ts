/**
 * The honest clock of a spoken turn, on the client: from having sent the last sample that holds speech to the arrival of
 * the first reply sample that can be heard. Pure; times are handed in.
 */

/** Speech is judged in windows of 10 ms. */
const WINDOW_SAMPLES = 160
/** A window holds speech when its level (RMS) is above this, relative to the loudest sample of the recording. */
const SPEECH_BELOW_PEAK_DB = -45
/** Quieter than this is silence whatever the recording: −60 dBFS. */
const SILENCE_PEAK = 33
/** A reply sample above this can be heard: −50 dBFS. */
const AUDIBLE = 104

/** 16 kHz mono s16 in; for every window whether it holds speech. All false when the recording is silent. */
export function speechWindows(samples: Int16Array): readonly boolean[] {
  let peak = 0
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample))
  const threshold = peak * 10 ** (SPEECH_BELOW_PEAK_DB / 20)
  const windows: boolean[] = []
  for (let start = 0; start < samples.length; start += WINDOW_SAMPLES) {
    const window = samples.subarray(start, start + WINDOW_SAMPLES)
    windows.push(peak > SILENCE_PEAK && rms(window) > threshold)
  }
  return windows
}

function rms(window: Int16Array): number {
  let energy = 0
  for (const sample of window) energy += sample * sample
  return Math.sqrt(energy / window.length)
}

/** Whether the samples from `start` to `end` touch a window with speech. */
export const holdsSpeech = (windows: readonly boolean[], start: number, end: number): boolean =>
  windows.slice(Math.floor(start / WINDOW_SAMPLES), Math.ceil(end / WINDOW_SAMPLES)).includes(true)

/** End of the last window with speech, in samples; undefined when there is none. */
export function lastSpeechSample(samples: Int16Array): number | undefined {
  const last = speechWindows(samples).lastIndexOf(true)
  return last === -1 ? undefined : Math.min(samples.length, (last + 1) * WINDOW_SAMPLES)
}

export function isAudible(samples: Int16Array): boolean {
  return samples.some((sample) => Math.abs(sample) > AUDIBLE)
}
