/** argv → command line. `main.ts node …` runs a node, anything else is a command for `loqa`. */
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// The launchers in bin name this folder before Node.js starts, `npm start` does not. Compiled code that is kept makes the
// next start sooner and smaller; engine processes use it too.
process.env.NODE_COMPILE_CACHE ||= join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'loqa/compiled',
)
enableCompileCache(process.env.NODE_COMPILE_CACHE)
const { realWorld, runLoqa, runNodeCommand } = await import('./cli/index.ts')

const world = realWorld()
const args = process.argv.slice(2)

const code =
  args[0] === 'node'
    ? await runNodeCommand(args.slice(1), world, async () => (await import('./node.ts')).startNode)
    : await runLoqa(args, world)

// What is still open (idle sockets, a paused input) must not keep a finished command from ending; what was printed must
// be out first.
process.stdout.write('', () => process.exit(code))
