/** Who listens at a TCP port of this machine: for `loqa doctor`, when a node cannot. Linux tells; elsewhere only that somebody does. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { errorShape } from './errors.ts'
import type { Network } from './host.ts'
import { listenersAt, type PortHolder } from './port-holder.ts'

/** Undefined: it is free. Never rejects. */
export async function portHolder(
  network: Pick<Network, 'listen'>,
  host: string,
  port: number,
): Promise<PortHolder | undefined> {
  try {
    await (await network.listen({ host, port }, (connection) => connection.abort())).close()
    return undefined
  } catch (thrown) {
    if (errorShape(thrown).code !== 'port-in-use') return undefined
  }
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(text))
  const sockets = new Set(
    tables.flatMap((table) => listenersAt(port, table)).map((inode) => `socket:[${inode}]`),
  )
  for (const pid of await names('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    for (const file of await names(`/proc/${pid}/fd`)) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '')
      if (sockets.has(target)) return { program: (await text(`/proc/${pid}/comm`)).trim(), pid: Number(pid) }
    }
  }
  return {}
}

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
const names = (path: string): Promise<string[]> => readdir(path).catch(() => [])
