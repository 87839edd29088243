/** What is plugged in, as the kernel tells it in `/proc/asound/pcm`. Pure. */

/** Names of the devices, in the kernel's order; the same one may be in both lists. */
export interface SoundCards {
  readonly microphones: readonly string[]
  readonly loudspeakers: readonly string[]
}

/** A machine has a dozen at most; a few thousand characters hold them all. */
const MAX_LINES = 64

/** A line reads `00-00: ALC257 Analog : ALC257 Analog : playback 1 : capture 1`. */
export function cardsOf(text: string): SoundCards {
  const devices = text.split('\n', MAX_LINES).flatMap((line) => {
    const [, id, ...rest] = line.split(':').map((part) => part.trim())
    return id === undefined ? [] : [{ name: rest[0] || id, does: rest.slice(1).join(' ') }]
  })
  const those = (what: string): readonly string[] =>
    devices.filter(({ does }) => does.includes(what)).map(({ name }) => name)
  return { microphones: those('capture'), loudspeakers: those('playback') }
}
