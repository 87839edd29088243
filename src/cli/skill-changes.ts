/** Changes of a skill's files, those that building writes left out; several at once are one. */
import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'

/** An editor writes a file in several steps. */
const SETTLE_MS = 15
/** Of libraries and of the editor; nothing of a skill is in there. */
const ELSEWHERE = new Set(['node_modules', '.git', '.loqa'])
const WRITTEN_BY_US = /\.(wasm|loqa)$|~$|\.sw[px]$/
/** A skill has a few folders; whoever points at a home directory is not followed through all of it. */
const MAX_FOLDERS = 256

export class Changes {
  readonly #folder: string
  /** One for each folder: watching a tree by its files loses those that an editor replaces. */
  readonly #watchers = new Map<string, FSWatcher>()
  #changed = Promise.withResolvers<void>()

  constructor(folder: string) {
    this.#folder = folder
    this.#look()
  }

  /** Resolves when something changed since it was last asked, and a moment later. */
  async next(): Promise<void> {
    await this.#changed.promise
    await new Promise<void>((done) => void setTimeout(done, SETTLE_MS))
    this.#changed = Promise.withResolvers<void>()
    this.#look()
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #look(): void {
    const folders = foldersOf(this.#folder)
    for (const [folder, watcher] of this.#watchers) {
      if (folders.includes(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder)
  }

  #watch(folder: string): void {
    const watcher = watch(folder, (_event, file) => {
      if (file !== null && !WRITTEN_BY_US.test(file) && !ELSEWHERE.has(file)) this.#changed.resolve()
    })
    // The folder went; its parent tells.
    watcher.on('error', () => undefined)
    this.#watchers.set(folder, watcher)
  }
}

function foldersOf(root: string): string[] {
  const folders = [root]
  for (const folder of folders) {
    if (folders.length >= MAX_FOLDERS) break
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && !ELSEWHERE.has(entry.name)) folders.push(join(folder, entry.name))
      }
    } catch {
      // Gone meanwhile.
    }
  }
  return folders
}
