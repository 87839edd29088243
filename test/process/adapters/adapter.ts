/** Builds `adapter.c`, the program that runs as a container and as a native adapter. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SOURCE = fileURLToPath(new URL('./adapter.c', import.meta.url))

/** Without libraries, so that it runs where there are none. Undefined without a compiler. */
export function builtAdapter(file: string): Uint8Array | undefined {
  try {
    execFileSync('cc', ['-static', '-Os', '-s', '-o', file, SOURCE], { stdio: 'pipe' })
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw thrown
  }
  return readFileSync(file)
}
