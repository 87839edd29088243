/** The same word at different levels in a house of real nodes: who answered, and how soon that was decided. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { type LanNode, ROOT } from './rig.ts'

export interface WakeEvent {
  readonly answers: boolean
  readonly why: string
  readonly after_ms: number
}

/** In the order of the nodes: what each microphone was told, in order. */
export type Trial = readonly (readonly WakeEvent[])[]

export const WAKE_ARGS = ['--set', 'voice.wake=on'] as const

export class Microphones {
  readonly #children: ChildProcess[]
  readonly #waiting: ((line: string) => void)[][]

  constructor(nodes: readonly LanNode[], wav: string) {
    this.#waiting = nodes.map(() => [])
    this.#children = nodes.map(({ host }, i) => {
      const script = `${ROOT}test/lan/wake-satellite.ts`
      const child = spawn('ip', ['netns', 'exec', host.namespace, process.execPath, script, wav], {
        cwd: ROOT,
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      createInterface({ input: child.stdout! }).on('line', (line) => this.#waiting[i]!.shift()?.(line))
      return child
    })
  }

  /** `gains[i]` is how loud node `i` hears it, 1 as recorded. */
  async hear(gains: readonly number[]): Promise<Trial> {
    await this.#all(() => 'open')
    const lines = await this.#all((i) => `play ${gains[i]}`)
    return lines.map((line) => JSON.parse(line) as WakeEvent[])
  }

  #all(order: (i: number) => string): Promise<string[]> {
    return Promise.all(
      this.#children.map((child, i) => {
        child.stdin!.write(`${order(i)}\n`)
        return new Promise<string>((resolve) => this.#waiting[i]!.push(resolve))
      }),
    )
  }

  close(): void {
    for (const child of this.#children) child.kill()
  }
}

/** Nodes whose microphone listens in the end. */
export const answering = (trial: Trial): number[] =>
  trial.flatMap((events, i) => (events.at(-1)?.answers === true ? [i] : []))
