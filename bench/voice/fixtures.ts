/**
 * Makes the few recordings tests speak with: test/fixtures/audio/*.wav, 16 kHz mono, by voices held out of the training.
 *
 *   node bench/voice/fixtures.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { seeded } from '../../training/seeded.ts'
import { espeakClip, inNoise, RATE } from './clips.ts'

const FOLDER = new URL('../../test/fixtures/audio/', import.meta.url).pathname
const DECIBELS = 35

const SENTENCES: readonly { readonly text: string; readonly voice: string }[] = [
  { text: 'set a timer for five minutes', voice: 'max' },
  { text: 'what time is it', voice: 'm5' },
  { text: 'add milk to the shopping list', voice: 'f3' },
  { text: 'turn on the kitchen lights', voice: 'm5' },
  { text: 'set a timer', voice: 'travis' },
  { text: 'five minutes', voice: 'travis' },
  { text: 'where did you put my keys', voice: 'max' },
  { text: 'hey loqa', voice: 'max' },
  { text: 'what is on the shopping list', voice: 'max' },
  { text: 'remind me what we need to buy', voice: 'max' },
]

mkdirSync(FOLDER, { recursive: true })
for (const { text, voice } of SENTENCES) {
  const clip = espeakClip(text, voice, seeded(4))
  const { samples } = inNoise(clip, DECIBELS, seeded(5))
  // Half a second after the last word is enough for every test; the bench's clips have more.
  const length = Math.min(samples.length, Math.round(RATE * 0.8) + clip.samples.length)
  writeFileSync(`${FOLDER}${text.replaceAll(' ', '-')}.wav`, wav(samples.subarray(0, length)))
}

/** A 16-bit mono WAV. */
function wav(samples: Float32Array): Buffer {
  const data = Buffer.alloc(samples.length * 2)
  for (const [i, sample] of samples.entries()) data.writeInt16LE(Math.round(sample * 32_767), i * 2)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(RATE, 24)
  head.writeUInt32LE(RATE * 2, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(data.length, 40)
  return Buffer.concat([head, data])
}
