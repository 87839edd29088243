/**
 * Where the program's own files are. From sources each process starts at its file under `src/`; bundled (bin/bundle.ts) all
 * that runs is in `dist/`, side by side.
 */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const isBundled = !import.meta.url.endsWith('.ts')
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** What came with the program: models, skills, intents. Ends with a slash. */
export const PACKAGE = at(isBundled ? '../' : '../../')

/** In a clone the commands are not on the PATH. */
export const COMMAND = PACKAGE.includes('/node_modules/') ? 'loqa' : 'bin/loqa'

/** What this program starts beside itself: processes, and the threads of the store. */
export const PROGRAMS = {
  engine: at(isBundled ? './engine.js' : '../inference/child/child.ts'),
  skills: at(isBundled ? './skills.js' : '../skills/sandbox/runner/main.ts'),
  timeline: at(isBundled ? './timeline.js' : '../store/timeline/thread.ts'),
  replica: at(isBundled ? './replica.js' : '../store/crdt/thread.ts'),
} as const

/** The files of the page at `/`, by their names below `src`; bundled, scripts have no types any more. Ends with a slash. */
export const PAGE_FOLDER = at(isBundled ? './page/' : '../')

/** All that the process of the skills needs to read in order to start. Ends with a slash. */
export const SKILLS_FOLDER = at(isBundled ? './' : '../skills/')

/**
 * And what it needs for scripts, unless it is in the bundle: where each package is looked for, and where it is. Each ends
 * with a slash.
 */
export const SCRIPT_FOLDERS: readonly string[] = isBundled
  ? []
  : ['quickjs-emscripten-core', '@jitl/quickjs-wasmfile-release-sync', '@jitl/quickjs-ffi-types'].flatMap(
      (name) => [`${PACKAGE}node_modules/${name}/`, packageFolder(name)],
    )

function packageFolder(name: string): string {
  return `${dirname(dirname(createRequire(import.meta.url).resolve(name)))}/`
}
