/** `loqa say TEXT`: speech from the loudspeaker, or into a WAV file. */
import type { Run } from '../call.ts'
import { outputFile } from '../output.ts'
import { sizedWav } from '../wav-size.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, args, options, json, client }) => {
  const { output } = options
  const path = typeof output === 'string' && output !== '-' ? await outputFile(world, output) : undefined
  const speech = await (await client()).stream('/api/v1/say', {
    text: args.join(' '),
    ...(typeof options.voice === 'string' ? { voice: options.voice } : {}),
  })
  const { terminal, disk } = world
  if (output === '-') {
    for await (const part of speech) terminal.outBytes(part)
    return EXIT.ok
  }
  if (path === undefined) {
    const { play } = await import('../sound-tools.ts')
    await play(speech, { path: world.environment.PATH, disk }, world.interrupted)
    return EXIT.ok
  }
  const wav = sizedWav(await collect(speech))
  await disk.write(path, wav.bytes, { mode: 0o644 })
  if (json) terminal.out(`${JSON.stringify({ wav: output, seconds: wav.seconds })}\n`)
  else terminal.err(`${output}: ${wav.seconds.toFixed(1)} s\n`)
  return EXIT.ok
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all)
}
