/** `loqa-node`: resolves the configuration, starts the node, says where it is, ends it on a signal. */
import { flushCompileCache } from 'node:module'
import type { Resolved } from '../config.ts'
import type { Clock } from '../host/host.ts'
import { COMMAND } from '../host/layout.ts'
import { VERSION } from '../host/version.ts'
import { exitCodeOf, report } from './failures.ts'
import type { NodeRequest } from './node-request.ts'
import { EXIT, type ExitCode, type World } from './world.ts'

export interface RunningNode {
  /** e.g. `http://127.0.0.1:7420`. */
  readonly url: string
  /** Where other machines find it, over https, and the SHA-256 of its certificate as browsers show it; absent: nowhere. */
  readonly elsewhere?: { readonly url: string; readonly fingerprint: string }
  readonly name: string
  readonly room: string
  /** Resolves when the node is to be started anew, under another identity. */
  readonly again?: Promise<void>
  /** Lets turns finish, makes everything durable, ends the engines. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** A copy of the store to go back to. */
  readonly restore: string | undefined
}

export type StartNode = (resolved: Resolved, options: StartOptions) => Promise<RunningNode>

/** Draining may take so long; then the process ends anyway. A service manager kills after 10 s or more. */
const STOP_TIMEOUT_MS = 4_500

/**
 * What the first start compiled is written for the next one when the node ends; after this time in any case, for a node
 * may be killed. Nothing else runs for the half second that takes, so not while the first words are awaited.
 */
const KEEP_COMPILED_MS = 60_000

export async function runNode(
  world: World,
  request: NodeRequest,
  load: () => Promise<StartNode>,
): Promise<ExitCode> {
  const { terminal } = world
  terminal.out(`loqa-node ${VERSION} starts (Node ${world.runtime}, pid ${process.pid})\n`)
  const stopped = stopSignal(world.clock)
  try {
    const { loadConfig } = await import('../config.ts')
    const resolved = await loadConfig(world.disk, world, request)
    terminal.out(`data in ${resolved.config.node.data_dir}\n`)
    const start = await load()
    for (let restore = request.restore; ; restore = undefined) {
      const node = await Promise.race([start(resolved, { restore }), stopped.then(() => undefined)])
      if (node === undefined) return EXIT.ok
      terminal.out(`${node.name} is ready, room ${node.room}: ${node.url}\n`)
      if (node.elsewhere !== undefined) {
        const { url, fingerprint } = node.elsewhere
        terminal.out(`on a phone: ${url}/#token=... (its certificate: SHA-256 ${fingerprint})\n`)
      }
      if (terminal.outIsTty) terminal.out(`Try in a second terminal: ${COMMAND} ask what time is it\n`)
      world.clock.after(KEEP_COMPILED_MS, flushCompileCache)
      const why = await Promise.race([stopped.then(() => 'stop'), node.again?.then(() => 'again') ?? stopped])
      terminal.out(why === 'again' ? 'starting anew\n' : 'stopping\n')
      if (why !== 'again') return await stopWithin(node, world)
      await node.stop()
    }
  } catch (thrown) {
    report(terminal, thrown, { json: false, debug: Boolean(world.environment.LOQA_DEBUG) })
    return exitCodeOf(thrown)
  }
}

/**
 * A second signal so soon after the first is the same wish twice: Ctrl-C under npm and the end of `timeout` reach the
 * process directly and through its parent.
 */
const SAME_WISH_MS = 700

/** Resolves at the first SIGTERM, SIGINT or SIGHUP; a later one ends the process at once. */
function stopSignal(clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked_at: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked_at === undefined) asked_at = clock.monotonic()
      else if (clock.monotonic() - asked_at > SAME_WISH_MS) process.exit(EXIT.failed)
      resolve()
    })
  }
  return promise
}

async function stopWithin(node: RunningNode, world: World): Promise<ExitCode> {
  const late = new Promise<'late'>((resolve) => {
    world.clock.after(STOP_TIMEOUT_MS, () => resolve('late'))
  })
  const ended = await Promise.race([node.stop().then(() => 'stopped' as const), late])
  if (ended === 'late') world.terminal.err('It did not stop in time; what was acknowledged is safe.\n')
  return EXIT.ok
}
