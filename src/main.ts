/** argv → command line. `main.ts node …` runs a node, anything else is a command for `loqa`. */
import { realWorld, runLoqa, runNodeCommand } from './cli/index.ts'

const world = realWorld()
const args = process.argv.slice(2)

const code =
  args[0] === 'node'
    ? await runNodeCommand(args.slice(1), world, async () => (await import('./node.ts')).startNode)
    : await runLoqa(args, world)

// What is still open (idle sockets, a paused input) must not keep a finished command from ending; what was printed must
// be out first.
process.stdout.write('', () => process.exit(code))
