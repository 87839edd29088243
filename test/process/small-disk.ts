/** A file system of its own that a test may fill; only root can have one. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LoqaError } from '../../src/host/index.ts'

export interface SmallDisk {
  readonly directory: string
  /** False: nobody may mount here, and the directory is an ordinary one. */
  readonly mounted: boolean
  unmount(): void
}

/** `size` as `mount` takes it, e.g. `3m`. */
export function mountSmallDisk(name: string, size: string): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), name))
  let mounted = true
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    mounted = false
  }
  return {
    directory,
    mounted,
    unmount() {
      if (mounted) execFileSync('umount', ['-l', directory])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Whatever is left goes to somebody else. */
export function fill(file: string): void {
  for (let size = 1 << 20; size >= 512; size >>= 1) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch {}
  }
}

export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'worked',
    (thrown: unknown) => (thrown instanceof LoqaError ? thrown.code : String(thrown)),
  )
