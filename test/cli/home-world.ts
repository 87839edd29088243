/** A command in this process, on this machine's own disk, in a home of its own: for commands that need no node. */
import { join } from 'node:path'
import { runLoqa } from '../../src/cli/index.ts'
import type { World } from '../../src/cli/world.ts'
import { realHost } from '../../src/host/real.ts'

export interface Said {
  out: string
  err: string
}

export function worldOf(home: string, said: Said, input = ''): World {
  const { clock, disk } = realHost()
  return {
    terminal: {
      out: (text) => {
        said.out += text
      },
      err: (text) => {
        said.err += text
      },
      outBytes: () => undefined,
      ...{ outIsTty: false, errIsTty: false, columns: 200, color: false },
    },
    ...{ clock, disk, home, directory: home, host_name: 'pantry', runtime: 'v24.0.0' },
    environment: { LOQA_DATA: join(home, 'data') },
    interrupted: new AbortController().signal,
    portHolder: async () => undefined,
    input: async function* () {
      yield Buffer.from(input)
    },
  }
}

export async function runAtHome(home: string, args: readonly string[], input?: string) {
  const said: Said = { out: '', err: '' }
  const code = await runLoqa(args, worldOf(home, said, input))
  return { code, ...said }
}
