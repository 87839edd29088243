/**
 * Where the program's own files are. From sources each process starts at its file under `src/`; bundled (bin/bundle.ts) all
 * that runs is in `dist/`, side by side.
 */
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

/** All that the process of the skills needs to read in order to start. Ends with a slash. */
export const SKILLS_FOLDER = at(isBundled ? './' : '../skills/')
