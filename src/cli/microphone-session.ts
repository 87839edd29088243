/** `loqa listen mic`: a conversation through the microphone of this machine, until Ctrl-C. */
import type { Call } from './call.ts'
import { LivePartial } from './live-partial.ts'
import { writeRecording } from './recording.ts'
import { microphone, play } from './sound-tools.ts'
import { isAudible } from './speech-clock.ts'
import { tone } from './tone.ts'
import { TurnCollector } from './turn-collector.ts'
import { TurnPrinter } from './turn-printer.ts'
import { openLine, type VoiceLineHandlers } from './voice-line.ts'
import { listenRequest } from './voice-request.ts'
import { EXIT, type ExitCode } from './world.ts'

export async function listenToMicrophone(call: Call): Promise<ExitCode> {
  const { world, options } = call
  const programs = { path: world.environment.PATH, disk: world.disk }
  const collector = new TurnCollector()
  const partial = new LivePartial(world.terminal, !call.json)
  const printer = new TurnPrinter(call)
  let printed: Promise<void> = Promise.resolve()
  let speaker: AbortController | undefined

  const handlers: VoiceLineHandlers = {
    audio: (samples) => collector.audio(samples, world.clock.monotonic()),
    event(event) {
      partial.event(event)
      printer.remark(event)
      if (event.type === 'stop-playback') speaker?.abort()
      // Where there is no loudspeaker nobody waits for a sound.
      if (event.type === 'tone')
        play(once(writeRecording([tone()])), programs, world.interrupted).catch(() => undefined)
      const turn = collector.event(event)
      if (turn === undefined) return
      partial.clear()
      printed = printer.print(turn)
      if (printer.output === undefined && turn.reply.some(isAudible)) {
        speaker = new AbortController()
        const wav = writeRecording(turn.reply)
        play(once(wav), programs, AbortSignal.any([speaker.signal, world.interrupted])).catch(
          (error: unknown) => {
            if (error instanceof Error && error.name !== 'AbortError')
              world.terminal.err(`${error.message}\n`)
          },
        )
      }
    },
    closed: (error) => world.terminal.err(`${error.message}\n`),
  }
  const connection = await openLine(await call.where(), listenRequest(options), handlers, world.clock)
  world.terminal.err('Speak; Ctrl-C ends.\n')
  let carry: Uint8Array = new Uint8Array(0)
  try {
    for await (const part of microphone(programs, world.interrupted)) {
      const bytes = Buffer.concat([carry, part])
      const whole = bytes.length - (bytes.length % 2)
      carry = bytes.subarray(whole)
      const samples = new Int16Array(new Uint8Array(bytes.subarray(0, whole)).buffer)
      if (isAudible(samples)) collector.speechSent(world.clock.monotonic())
      connection.send(samples)
    }
  } finally {
    connection.close()
    partial.clear()
  }
  await printed
  return EXIT.ok
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
