/** A folder that stands for a sound card, with programs of the names that are looked for on the PATH. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PATIENCE_MS = 60_000

export class SoundCard {
  readonly folder = mkdtempSync(join(tmpdir(), 'loqa-sound-'))

  constructor() {
    for (const name of ['arecord', 'aplay']) {
      const program = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
      const path = join(this.folder, name)
      writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${program}' '${this.folder}' "$@"\n`)
      chmodSync(path, 0o755)
    }
  }

  /** Whole at once: who looks for it must not find half of it. */
  put(name: string, bytes: Uint8Array = new Uint8Array(0)): void {
    writeFileSync(join(this.folder, `${name}.new`), bytes)
    renameSync(join(this.folder, `${name}.new`), join(this.folder, name))
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name))
  }

  take(name: string): void {
    rmSync(join(this.folder, name))
  }

  /** Empty while there is no such file. */
  read(name: string): Buffer {
    return this.has(name) ? readFileSync(join(this.folder, name)) : Buffer.alloc(0)
  }

  /** How often the loudspeaker began, and how often all was played. */
  get plays(): { readonly begun: number; readonly whole: number } {
    const log = this.read('aplay.log').toString()
    return { begun: log.split('begin').length - 1, whole: log.split('end').length - 1 }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}
