/**
 * `loqa listen`: turns by voice. The recording is sent in real time as a microphone would, then silence until the reply has
 * come; the clock of `speech-clock.ts` runs beside it.
 */
import { resolve } from 'node:path'
import { InvalidInputError, LoqaError } from '../../host/errors.ts'
import { FRAME_MS, FRAME_SAMPLES } from '../../host/limits.ts'
import type { Call, Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { LivePartial } from '../live-partial.ts'
import { outputFile } from '../output.ts'
import { frameOf, pace } from '../pace.ts'
import { readRecording } from '../recording.ts'
import { holdsSpeech, speechWindows } from '../speech-clock.ts'
import { duration } from '../table.ts'
import { type HeardTurn, TurnCollector } from '../turn-collector.ts'
import { TurnPrinter } from '../turn-printer.ts'
import { openLine, type VoiceLineHandlers } from '../voice-line.ts'
import { listenRequest } from '../voice-request.ts'
import { EXIT, type World } from '../world.ts'

const DEFAULT_WAIT_S = 10
/** When the node has not ended a turn by itself after so much silence, it is told that nothing follows. */
const FINISH_AFTER_MS = 4_000
/** Longer recordings are announced: they take as long as they are. */
const LONG_S = 60

export const run: Run = async (call) => {
  const source = call.args[0]!
  if (typeof call.options.output === 'string') await outputFile(call.world, call.options.output)
  if (source === 'mic') {
    const { listenToMicrophone } = await import('../microphone-session.ts')
    return listenToMicrophone(call)
  }
  const wait_ms = waitOf(call.options.wait)
  const samples = await recordingFrom(call.world, source)
  const { turns, wake } = await speak(call, samples, wait_ms)
  if (turns.length === 0 && wake === 'elsewhere') {
    if (call.json) call.world.terminal.out(`${JSON.stringify({ wake: 'elsewhere' })}\n`)
    return EXIT.ok
  }
  if (turns.length === 0 && call.options.wake === true && wake === 'none') {
    throw new LoqaError('nothing-heard', 'The node did not hear the wake word in this recording', {
      hint: 'It is "hey loqa". Without --wake everything is heard.',
    })
  }
  if (turns.length === 0) {
    throw new LoqaError('nothing-heard', 'The node heard no command in this recording', {
      hint: 'Is it speech, and loud enough? See what the node knows: loqa status',
    })
  }
  return turns.some(({ view }) => view.error !== undefined) ? EXIT.failed : EXIT.ok
}

function waitOf(given: unknown): number {
  if (given === undefined) return DEFAULT_WAIT_S * 1000
  const seconds = Number(given)
  if (seconds >= 0.5 && seconds <= 600) return seconds * 1000
  throw new UsageError(`--wait takes seconds from 0.5 to 600, not ${String(given)}`)
}

/** 16 kHz mono s16. Errors: `invalid-input` for what is no WAV, empty or silent. */
async function recordingFrom(world: World, source: string): Promise<Int16Array> {
  const bytes =
    source === '-' ? await allInput(world) : await world.disk.read(resolve(world.directory, source))
  const name = source === '-' ? 'Standard input' : source
  const { samples, truncated } = readRecording(name, bytes)
  if (!speechWindows(samples).includes(true)) {
    throw new InvalidInputError(`${name} holds only silence`, 'Record something louder than −60 dBFS.')
  }
  if (truncated) world.terminal.err(`${name} is cut off; what is there is sent.\n`)
  const seconds = samples.length / 16_000
  if (seconds > LONG_S) world.terminal.err(`${name}: ${duration(seconds)}, sent in real time; Ctrl-C ends.\n`)
  return samples
}

/** More than this cannot be a command; a WAV of ten minutes at 192 kHz in stereo has 460 MB. */
const MAX_INPUT_BYTES = 512 * 1024 * 1024

async function allInput(world: World): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of world.input()) {
    size += part.length
    if (size > MAX_INPUT_BYTES) throw new InvalidInputError('Standard input is larger than 512 MB')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

interface Listened {
  readonly turns: readonly HeardTurn[]
  /** Who answers the wake word, if it was heard. */
  readonly wake: 'none' | 'here' | 'elsewhere'
}

/** Sends the recording, prints each turn as it is complete, returns when the reply to the last words has come. */
async function speak(call: Call, samples: Int16Array, wait_ms: number): Promise<Listened> {
  const { world, options } = call
  const { clock, terminal } = world
  const windows = speechWindows(samples)
  const frames = Math.ceil(samples.length / FRAME_SAMPLES)
  const collector = new TurnCollector()
  const partial = new LivePartial(terminal, !call.json)
  const printer = new TurnPrinter(call)
  const turns: HeardTurn[] = []
  let wake: Listened['wake'] = 'none'
  const { promise: over, resolve: end, reject: fail } = Promise.withResolvers<void>()
  /** Frames after the end of the recording since anything last came from the node. */
  let quiet = 0
  let ended = false

  const take = (turn: HeardTurn | undefined): void => {
    if (turn === undefined) return
    turns.push(turn)
    partial.clear()
    const printed = printer.print(turn)
    if (ended && !collector.speechPending) printed.then(end, fail)
  }

  const handlers: VoiceLineHandlers = {
    audio(received) {
      quiet = 0
      collector.audio(received, clock.monotonic())
    },
    event(event) {
      quiet = 0
      // It waits for the wake word, which is in no part of the recording any more.
      if (event.type === 'sleep' && ended) end()
      partial.event(event)
      printer.remark(event)
      if (event.type === 'wake') {
        wake = event.answers ? 'here' : 'elsewhere'
        if (!event.answers) end()
      }
      take(collector.event(event))
      // Told that nothing follows, the node says so; silence would be followed by the same again.
      if (event.type === 'error' && event.code === 'nothing-heard' && ended) end()
    },
    closed: fail,
  }
  const connection = await openLine(await call.where(), listenRequest(options), handlers, clock)
  const interrupted = (): void => fail(new LoqaError('interrupted', 'Interrupted'))
  world.interrupted.addEventListener('abort', interrupted)
  if (world.interrupted.aborted) interrupted()

  const sender = pace(clock, (index) => {
    connection.send(frameOf(samples, index))
    const start = index * FRAME_SAMPLES
    if (index < frames) {
      if (holdsSpeech(windows, start, start + FRAME_SAMPLES)) collector.speechSent(clock.monotonic())
      return true
    }
    if (!ended) {
      ended = true
      if (turns.length > 0 && !collector.speechPending) end()
    }
    quiet += 1
    if (quiet * FRAME_MS === FINISH_AFTER_MS) connection.finish()
    if (quiet * FRAME_MS > wait_ms) {
      take(collector.giveUp())
      end()
      return false
    }
    return true
  })
  try {
    await over
  } finally {
    sender.stop()
    connection.close()
    world.interrupted.removeEventListener('abort', interrupted)
    partial.clear()
  }
  return { turns, wake }
}
