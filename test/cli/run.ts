/** Runs a command of the terminal in this process against a world of its own, and keeps what it prints. */
import { runLoqa, type World } from '../../src/cli/index.ts'
import type { PortHolder } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import type { SimulatedHost } from '../../src/host/simulated/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'

export interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly bytes: Buffer
}

export interface Desk {
  readonly disk: SimulatedHost['disk']
  readonly controller: AbortController
  run(
    args: readonly string[],
    changes?: Partial<World['terminal']> & {
      input?: Uint8Array
      taken?: Readonly<Record<number, PortHolder>>
    },
  ): Promise<Printed>
}

/** A person's home with a data directory; `http` is the port of the node that runs there, if one does. */
export async function desk(http?: number, environment: Record<string, string> = {}): Promise<Desk> {
  const { disk } = simulatedHost(1)
  const controller = new AbortController()
  for (const path of ['/home/ada/.local/share/loqa', '/work']) await disk.makeDirectory(path)
  if (http !== undefined) {
    const runtime = { pid: 1, http, p2p: 0, wyoming: 0, version: '0.1.0' }
    const bytes = new TextEncoder().encode(JSON.stringify(runtime))
    await disk.write('/home/ada/.local/share/loqa/runtime.json', bytes)
  }
  return {
    disk,
    controller,
    async run(args, changes = {}) {
      const printed = { out: '', err: '', bytes: [] as Uint8Array[] }
      const { input, taken, ...terminal } = changes
      const world: World = {
        terminal: {
          out: (text) => {
            printed.out += text
          },
          err: (text) => {
            printed.err += text
          },
          outBytes: (bytes) => printed.bytes.push(bytes),
          outIsTty: false,
          errIsTty: false,
          columns: 100,
          color: false,
          ...terminal,
        },
        clock: realHost().clock,
        disk,
        environment,
        home: '/home/ada',
        host_name: 'pantry',
        directory: '/work',
        runtime: 'v24.0.0',
        interrupted: controller.signal,
        portHolder: async (_host, port) => taken?.[port],
        input: async function* () {
          if (input !== undefined) yield input
        },
      }
      const code = await runLoqa(args, world)
      return { code, out: printed.out, err: printed.err, bytes: Buffer.concat(printed.bytes) }
    },
  }
}
