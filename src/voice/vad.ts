/**
 * The voice detector: a verdict per 20 ms frame. Two judges must agree: WebRTC's detector (which knows what a voice
 * sounds like, and holds on for about 200 ms after it) and an energy gate (which knows when it ended, to the frame).
 *
 * The one importer of `@echogarden/fvad-wasm`.
 */
import openFvad from '@echogarden/fvad-wasm'
import { LoqaError } from '../host/index.ts'
import { FRAME_SAMPLES, levelDbfs, SAMPLE_RATE } from './audio.ts'
import { EnergyGate } from './energy-gate.ts'

/** Of 0 (lets everything through) to 3 (strict). 2 keeps weak voices and leaves fans and hum out. */
const STRICTNESS = 2

/** The part of the Emscripten module used here. */
interface FvadModule {
  readonly HEAP16: Int16Array
  _malloc(bytes: number): number
  _fvad_new(): number
  _fvad_free(handle: number): void
  _fvad_set_mode(handle: number, mode: number): number
  _fvad_set_sample_rate(handle: number, rate: number): number
  _fvad_process(handle: number, frame: number, length: number): number
}

export interface VoiceDetector {
  /** One frame of `FRAME_SAMPLES` samples. */
  isVoiced(frame: Int16Array): boolean
  /** Frees what the detector holds; it is not used afterwards. */
  close(): void
}

/** Loads the detector's code once (about 10 ms); detectors made from it cost a few kilobytes each. */
export async function loadVoiceDetectors(): Promise<() => VoiceDetector> {
  const module = (await openFvad()) as FvadModule
  // One buffer for all: a call copies in, decides and is done.
  const frameAddress = module._malloc(FRAME_SAMPLES * 2)
  return () => detector(module, frameAddress)
}

function detector(module: FvadModule, frameAddress: number): VoiceDetector {
  const handle = module._fvad_new()
  const ready =
    handle !== 0 &&
    module._fvad_set_mode(handle, STRICTNESS) === 0 &&
    module._fvad_set_sample_rate(handle, SAMPLE_RATE) === 0
  if (!ready) throw new LoqaError('engine-unavailable', 'The voice detector could not be started')
  const gate = new EnergyGate()
  return {
    isVoiced(frame) {
      // The heap moves when it grows, so it is looked up for every frame.
      module.HEAP16.set(frame, frameAddress >> 1)
      const voice = module._fvad_process(handle, frameAddress, frame.length) === 1
      return gate.isOpen(levelDbfs(frame)) && voice
    },
    close: () => module._fvad_free(handle),
  }
}
