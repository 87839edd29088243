/** A `loqa-node` whose node is a script: `start` and `stop` do what LOQA_SCRIPT says. Run as a process of its own. */
import { realWorld, runNodeCommand } from '../../src/cli/index.ts'
import { LoqaError } from '../../src/host/index.ts'

const script = process.argv[2]
// Keeps the process alive as a real node's sockets do.
setInterval(() => undefined, 1_000)

const code = await runNodeCommand(process.argv.slice(3), realWorld(), async () => async ({ config }) => {
  if (script === 'owned')
    throw new LoqaError('data-directory-busy', '/d is in use by process 7', { hint: 'Use --data.' })
  if (script === 'port')
    throw new LoqaError('port-in-use', 'Port 7420 is in use', { hint: 'Use --http-port.' })
  if (script === 'defect') throw new TypeError('x is not a function')
  if (script === 'slow-start') await new Promise(() => undefined)
  return {
    url: `http://127.0.0.1:${config.api.port}`,
    name: config.node.name,
    room: config.node.room,
    stop: () => (script === 'stuck' ? new Promise(() => undefined) : Promise.resolve()),
  }
})
process.exit(code)
