/**
 * Tests start what the program starts beside itself, engines, skills and the threads of the store, as it is shipped: from the bundle,
 * which loads in a third of the time. Stands in for `src/host/layout.ts` (vitest.config.ts); bundles before the first test if a source
 * is newer.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as layout from '../src/host/layout.ts'

export { COMMAND, PACKAGE, PAGE_FOLDER } from '../src/host/layout.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(ROOT, 'dist/')
const shipped = (name: keyof typeof layout.PROGRAMS): string => join(DIST, `${name}.js`)

export const PROGRAMS: typeof layout.PROGRAMS = {
  engine: shipped('engine'),
  skills: shipped('skills'),
  timeline: shipped('timeline'),
  replica: shipped('replica'),
}
export const SKILLS_FOLDER: typeof layout.SKILLS_FOLDER = DIST
export const SCRIPT_FOLDERS: typeof layout.SCRIPT_FOLDERS = []

/** Before the first test. */
export default async function setup(): Promise<void> {
  const made = madeAt(join(DIST, 'main.js'))
  const sources = ['src', 'sdk'].flatMap((folder) => filesIn(join(ROOT, folder)))
  if (sources.some((path) => madeAt(path) > made) || madeAt(join(ROOT, 'package-lock.json')) > made) {
    await (await import('../bin/bundle.ts')).bundle(DIST)
  }
}

const madeAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
