/** The embedded voice: the same words are the same samples, whatever was said before, so that another node can go on with them. */
import { expect, it } from 'vitest'
import { FormantEngine } from '../../src/inference/child/formant.ts'
import type { EngineEvent } from '../../src/inference/engine.ts'

it('says a sentence to the sample as before, in between other words, other voices and other speeds', async () => {
  const engine = new FormantEngine()
  await engine.load({ parameters: {} } as never)
  const say = async (text: string, more: { voice?: string; speed?: number } = {}): Promise<Buffer> => {
    const pieces: Uint8Array[] = []
    await new Promise<void>((done, failed) => {
      engine.open({ kind: 'tts', text, ...more }, (event: EngineEvent) => {
        if (event.type === 'audio') pieces.push(new Uint8Array(event.samples.slice().buffer))
        if (event.type === 'failed') failed(new Error(event.error.message))
        if (event.type === 'done') done()
      })
    })
    return Buffer.concat(pieces)
  }
  const first = await say('There are two things on the list.')
  expect(first.length).toBeGreaterThan(22_050)
  await say('Okay.')
  expect(first.equals(await say('There are two things on the list.'))).toBe(true)
  const slow = await say('There are two things on the list.', { speed: 0.8, voice: 'en-gb-scotland' })
  expect(first.equals(slow)).toBe(false)
  await expect(say('Hello.', { voice: 'no-such-voice' })).rejects.toThrow(/no speaker/)
  expect(first.equals(await say('There are two things on the list.'))).toBe(true)
  await engine.unload()
})
