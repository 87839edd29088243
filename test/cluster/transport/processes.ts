/** Meshes in processes of their own (`peer.ts`), for tests that kill, flood and weigh them. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Report } from './peer.ts'

export interface Peer {
  readonly child: ChildProcess
  readonly port: number
  report(): Promise<Report>
  /** How it ended, when it has: an unhandled rejection ends it too. */
  readonly exit: Promise<number | null>
}

export async function startPeer(mode: 'serve' | 'flood', index: number, port?: number): Promise<Peer> {
  const child = fork(new URL('./peer.ts', import.meta.url), [mode, `${index}`, `${port ?? 0}`], {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', '--unhandled-rejections=strict'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  const [ready] = (await Promise.race([
    once(child, 'message'),
    exit.then((code) => Promise.reject(new Error(`the peer ended with ${code}`))),
  ])) as [{ port: number }]
  return {
    child,
    port: ready.port,
    exit,
    report: async () => {
      child.send('report')
      const [report] = (await once(child, 'message')) as [Report]
      return report
    },
  }
}
