/**
 * A satellite without a node: sends a recording in real time, then silence, and says what comes, line by line as JSON with the time. Ends
 * after the answer, with what it heard in a file of samples.
 *
 *   node test/lan/satellite-program.ts URL TOKEN_FILE RECORDING.wav OUT.pcm
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { frameOf, pace } from '../../src/cli/pace.ts'
import { readRecording } from '../../src/cli/recording.ts'
import { lastSpeechSample } from '../../src/cli/speech-clock.ts'
import { openLine } from '../../src/cli/voice-line.ts'
import { FRAME_SAMPLES } from '../../src/host/limits.ts'
import { realHost } from '../../src/host/real.ts'

const [, , url = '', tokenFile = '', recording = '', out = ''] = process.argv
const token = readFileSync(tokenFile, 'utf8').trim()
const { samples } = readRecording(recording, readFileSync(recording))
const { clock } = realHost()
const say = (line: Readonly<Record<string, unknown>>): void => {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), ...line })}\n`)
}

const heard: Int16Array[] = []
const { promise: over, resolve: end } = Promise.withResolvers<void>()
const line = await openLine(
  { url, token, from: url },
  { room: 'kitchen' },
  {
    audio(piece) {
      heard.push(piece)
      say({ type: 'audio', samples: piece.length })
    },
    event(event) {
      say(event)
      if (event.type === 'turn') end()
    },
    moved: (node) => say({ type: 'moved', node }),
    closed(error) {
      say({ type: 'closed', code: error.code })
      end()
    },
  },
  clock,
)
const lastFrame = Math.ceil((lastSpeechSample(samples) ?? 0) / FRAME_SAMPLES) - 1
const sender = pace(clock, (index) => {
  line.send(frameOf(samples, index))
  if (index === Math.floor(lastFrame / 2)) say({ type: 'half' })
  if (index === lastFrame) say({ type: 'spoken' })
  return true
})
await over
sender.stop()
line.close()
writeFileSync(out, Buffer.concat(heard.map((piece) => Buffer.from(piece.slice().buffer))))
say({ type: 'done' })
process.exit(0)
