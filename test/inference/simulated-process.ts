/** Engine processes in memory, played by the test, so that a pool runs in virtual time. */
import {
  decodeToChild,
  encodeJson,
  type Frame,
  FrameCutter,
  type ToChild,
} from '../../src/inference/frames.ts'
import type { ProcessEvents, StartProcess } from '../../src/inference/process.ts'

export class SimulatedProcess {
  readonly heard: ToChild[] = []
  killed = false
  /** Whether it answers pings by itself. */
  answersPings = true
  readonly #events: ProcessEvents

  constructor(events: ProcessEvents) {
    this.#events = events
  }

  say(message: object): void {
    if (!this.killed) this.#events.data(encodeJson(message))
  }

  exit(how: string): void {
    this.#events.exited(how)
  }

  /** Says what a healthy process says until it is ready. */
  become(admits: number): void {
    this.say({ type: 'started' })
    this.say({ type: 'loaded', admits })
  }

  hear(frame: Frame): void {
    const message = decodeToChild(frame)
    this.heard.push(message)
    if (message.type === 'ping' && this.answersPings) {
      this.say({ type: 'pong', ping: message.ping, rss_bytes: 50 * 2 ** 20 })
    }
  }

  /** Streams opened in it, in order. */
  get streams(): number[] {
    return this.heard.flatMap((message) => (message.type === 'open' ? [message.stream] : []))
  }
}

/** Keeps every process that was started, the latest last. */
export function simulatedProcesses(): { started: SimulatedProcess[]; start: StartProcess } {
  const started: SimulatedProcess[] = []
  const start: StartProcess = (events) => {
    const process = new SimulatedProcess(events)
    const cutter = new FrameCutter((frame) => process.hear(frame))
    started.push(process)
    return {
      pid: started.length,
      write: (bytes) => cutter.push(bytes),
      kill: () => {
        process.killed = true
      },
      lastWords: () => '',
    }
  }
  return { started, start }
}
