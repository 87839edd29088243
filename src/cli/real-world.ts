/** The terminal and machine this process runs on. The first Ctrl-C asks to stop, the second stops. */
import { homedir, hostname } from 'node:os'
import { realHost } from '../host/real.ts'
import { portHolder } from '../host/real-ports.ts'
import { EXIT, type World } from './world.ts'

export function realWorld(): World {
  const { env, stdout, stderr } = process
  const { clock, disk, network } = realHost()
  // A reader that went away (`loqa metrics | head`) is no error.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(EXIT.ok)
    })
  }
  const width = stdout.isTTY ? stdout.columns : stderr.isTTY ? stderr.columns : Number.POSITIVE_INFINITY
  const controller = new AbortController()
  let asked = false
  const interrupt = (): void => {
    if (asked) process.exit(EXIT.interrupted)
    asked = true
    controller.abort()
  }
  return {
    terminal: {
      out: (text) => stdout.write(text),
      err: (text) => stderr.write(text),
      outBytes: (bytes) => stdout.write(bytes),
      outIsTty: stdout.isTTY === true,
      errIsTty: stderr.isTTY === true,
      columns: width || 80,
      color: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
    },
    clock,
    disk,
    environment: env,
    home: homedir(),
    host_name: hostname(),
    directory: process.cwd(),
    runtime: process.version,
    get interrupted() {
      if (process.listenerCount('SIGINT') === 0) process.on('SIGINT', interrupt)
      return controller.signal
    },
    portHolder: (host, port) => portHolder(network, host, port),
    input: () => process.stdin,
  }
}
