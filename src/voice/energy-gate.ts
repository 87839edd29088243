/**
 * Whether a frame is loud enough to be the person speaking: above the room's noise and not too far below the loudest
 * of the last seconds. Both are tracked, so that a quiet voice in a quiet room counts and a fan does not.
 */

/** Below this nothing is speech: a quiet voice at three metres reaches about −50 dBFS on a laptop microphone. */
const LEAST_DBFS = -58
/** Above the noise floor. Less lets the noise's own fluctuation through, more loses weak word ends. */
const ABOVE_FLOOR_DB = 4
/** Below the recent peak: final consonants fade about 35 dB below the vowels before them. */
const BELOW_PEAK_DB = 38

/** The floor rises 3 dB a second, so that a fan that starts is noise after a few seconds, and falls at once. */
const FLOOR_RISE_DB = 3 / 50
/** The peak fades 8 dB a second: a shout is forgotten within the next sentence. */
const PEAK_FALL_DB = 8 / 50
/** A room as loud as this drowns speech; what is louder from the first frame on is somebody talking. */
const LOUDEST_ROOM_DBFS = -35
/** Whatever the room: digital silence has no level at all. */
const LOWEST_FLOOR_DBFS = -75

export class EnergyGate {
  #floor: number | undefined
  #peak = LEAST_DBFS

  /** `level` of one frame in dBFS. */
  isOpen(level: number): boolean {
    this.#floor = Math.max(
      LOWEST_FLOOR_DBFS,
      // The first frame is taken for the room, unless it is as loud as speech.
      Math.min(level, (this.#floor ?? LOUDEST_ROOM_DBFS) + FLOOR_RISE_DB),
    )
    this.#peak = Math.max(level, this.#peak - PEAK_FALL_DB)
    return level > Math.max(LEAST_DBFS, this.#floor + ABOVE_FLOOR_DB, this.#peak - BELOW_PEAK_DB)
  }
}
