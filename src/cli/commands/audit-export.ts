/** `loqa audit export`: the whole log as lines of JSON, with the checkpoints it is held against. */
import type { Run } from '../call.ts'
import { outputFile } from '../output.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, options, json, client }) => {
  const { output } = options
  const { terminal, disk } = world
  const path = typeof output === 'string' && output !== '-' ? await outputFile(world, output) : undefined
  const parts = await (await client()).stream('/api/v1/audit/export')
  if (path === undefined) {
    for await (const part of parts) terminal.outBytes(part)
    return EXIT.ok
  }
  // A log may be larger than the memory; half of one is never found under the name that was asked for.
  const unfinished = `${path}.part`
  await disk.remove(unfinished)
  let lines = 0
  try {
    await disk.append(unfinished, new Uint8Array())
    for await (const part of parts) {
      lines += part.reduce((sum, byte) => (byte === 0x0a ? sum + 1 : sum), 0)
      await disk.append(unfinished, part)
    }
    await disk.sync(unfinished)
    await disk.rename(unfinished, path)
  } catch (thrown) {
    await disk.remove(unfinished)
    throw thrown
  }
  if (json) terminal.out(`${JSON.stringify({ file: output, lines })}\n`)
  else terminal.err(`${output}: ${lines} lines\n`)
  return EXIT.ok
}
