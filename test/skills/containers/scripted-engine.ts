/** A container engine that does what a test says, and notes what it was asked. */
import type { Clock } from '../../../src/host/index.ts'
import type { containerFor } from '../../../src/skills/containers/description.ts'
import type {
  EngineAnswer,
  EngineApi,
  EngineOrder,
  Hearer,
} from '../../../src/skills/containers/engine-http.ts'

type Said = EngineAnswer | Error | 'nothing'

const OK = { status: 200, body: 'OK' }

export class ScriptedEngine implements EngineApi {
  readonly asked: string[] = []
  readonly sent: Uint8Array[] = []
  /** What it answers instead of what an honest engine would, by the beginning of method and path. */
  readonly says = new Map<string, Said>()
  hearer: Hearer | undefined
  /** Containers it has. */
  readonly here = new Set<string>()
  readonly #clock: Clock
  #made: ReturnType<typeof containerFor> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  ask({ method, path, body }: EngineOrder, within_ms: number): Promise<EngineAnswer> {
    const order = `${method} ${path}`
    this.asked.push(order)
    const [, said] = [...this.says].find(([beginning]) => order.startsWith(beginning)) ?? []
    if (said === 'nothing') {
      return new Promise((_, late) => {
        this.#clock.after(within_ms, () => late(new Error('the engine does not answer')))
      })
    }
    if (said instanceof Error) return Promise.reject(said)
    return Promise.resolve(said ?? this.#honest(method, path, body))
  }

  async attach(_: string, hearer: Hearer): Promise<{ send(bytes: Uint8Array): void; close(): void }> {
    this.hearer = hearer
    return { send: (bytes) => void this.sent.push(bytes), close: () => hearer.end() }
  }

  #honest(method: string, path: string, body: unknown): EngineAnswer {
    if (method === 'DELETE') {
      this.here.delete(path.split(/[/?]/)[2]!)
      return { status: 204, body: '' }
    }
    if (path.startsWith('/containers/json'))
      return { status: 200, body: [...this.here].map((Id) => ({ Id })) }
    if (path === '/containers/create') {
      this.#made = body as ReturnType<typeof containerFor>
      const Id = `${this.asked.length}`.padStart(12, '0')
      this.here.add(Id)
      return { status: 201, body: { Id } }
    }
    if (path.endsWith('/start')) return { status: 204, body: '' }
    if (path.startsWith('/containers/')) {
      const { HostConfig, User, Tty } = this.#made!
      return { status: 200, body: { Mounts: [], Config: { User, Tty }, HostConfig } }
    }
    return path.startsWith('/images/') ? { status: 200, body: { Config: {} } } : OK
  }
}
