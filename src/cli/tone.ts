/** The short tone that says "I am still here" to who waits for an answer (`voice/tones.ts` in the node). */
const RATE = 16_000
const TONE_MS = 150
/** Above the pitch of most voices; soft, for it may come at night. */
const PITCH_HZ = 660
const HEIGHT = 0.06
const FADE_MS = 20

/** 16 kHz mono. */
export function tone(): Int16Array {
  const length = (TONE_MS * RATE) / 1_000
  const fade = (FADE_MS * RATE) / 1_000
  return Int16Array.from({ length }, (_, i) => {
    const edge = Math.min(1, i / fade, (length - 1 - i) / fade)
    return Math.round(32_767 * HEIGHT * edge * Math.sin((2 * Math.PI * PITCH_HZ * i) / RATE))
  })
}
