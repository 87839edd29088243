/**
 * Sound of this machine: its microphone and its loudspeaker, through the programs that are there (ALSA's, PulseAudio's, SoX).
 *
 * What is done when a program starts, is heard, ends or finds no device is decided by two pure machines (`ear.ts`, `mouth.ts`);
 * `machine-satellite.ts` gives them processes (`process.ts`) and binds them to a conversation. A device that is pulled out is looked for
 * until it is back. `tools.ts` knows the programs and their arguments, `cards.ts` what the kernel says is plugged in.
 *
 * Imports host alone; the conversation is given. Read `ear.ts` first.
 */
export { cardsOf, type SoundCards } from './cards.ts'
export {
  type EarStatus,
  MachineSatellite,
  type MouthStatus,
  type SatelliteOptions,
} from './machine-satellite.ts'
export { type SoundEvents, type SoundProcess, type StartSound, startSound } from './process.ts'
export { recorderFor, type SoundCommand, streamPlayerFor, wavPlayer } from './tools.ts'
