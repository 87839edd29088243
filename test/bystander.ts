/** A process that does nothing but look how late it is: what a busy machine does to everybody is no fault of who is tested. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const PROGRAM = `
import { watchEventLoop } from ${JSON.stringify(new URL('../src/observe/event-loop.ts', import.meta.url))}
const watch = watchEventLoop()
process.stdout.write('watching')
process.stdin.on('end', () => process.stdout.write(String(watch.read().p99_ms))).resume()
`

export class Bystander {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(): Promise<Bystander> {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(child.stdout!, 'data')
    return new Bystander(child)
  }

  /** Since it was started: how late 99 of 100 of its timers were at most. It ends. */
  async late_p99_ms(): Promise<number> {
    this.#child.stdin!.end()
    const [said] = (await once(this.#child.stdout!, 'data')) as [Buffer]
    return Number(said.toString())
  }

  kill(): void {
    this.#child.kill()
  }
}
