/**
 * The containers of one node: which engine there is, what its images are, and that nothing of a node that ended stays behind.
 *
 * C1 No engine is spoken to before a container skill is there, or somebody asks how things are.
 * C2 A skill runs only if an engine answers and has its image; otherwise there are words for it, before anything is started.
 * C3 What this node started and nobody uses is removed before the next container is made: also what a node that was killed left.
 */
import type { Clock, Monotonic } from '../../host/index.ts'
import { type SkillErrorShape, skillError } from '../errors.ts'
import type { StartProcess } from '../sandbox/process.ts'
import { ContainerProcess, type Place, succeeded } from './container-process.ts'
import { type Bounds, listedSchema, NODE_LABEL } from './description.ts'
import { type EngineApi, engineOver, type OpenEngine } from './engine-http.ts'

/** Nobody who asks for a timer waits longer to hear that there is no engine. */
const LOOK_WITHIN_MS = 1_000
const CLEAR_WITHIN_MS = 5_000
/** One that could not be started is not tried again for so long: whoever calls hears why instead of waiting. */
const FAILED_FOR_MS = 10_000
/** At the end of a node: the engine goes on removing by itself. */
const CLOSE_WITHIN_MS = 1_500

export interface ContainersParts {
  readonly clock: Clock
  /** Paths of sockets, the first that answers is taken; none: containers are switched off here. */
  readonly sockets: readonly string[]
  /** Whose containers these are. */
  readonly node: string
  readonly open?: OpenEngine
}

export type EngineState =
  | { readonly state: 'off' | 'none' | 'forbidden' }
  | { readonly state: 'there'; readonly socket: string; readonly name: string }

interface Found {
  readonly socket: string
  readonly api: EngineApi
}

type Looked = Found | { readonly error: SkillErrorShape; readonly state: 'off' | 'none' | 'forbidden' }

const OFF = skillError(
  'skill-runtime',
  'It runs in a container, and this node runs none: skills.container_engine is off',
  'Set skills.container_engine to auto, or to the path of an engine’s socket.',
)
const NONE = skillError(
  'skill-runtime',
  'It runs in a container, and no container engine answers on this machine',
  'Install Podman and start its socket: systemctl --user enable --now podman.socket; or name a socket: skills.container_engine',
)
const forbidden = (socket: string): SkillErrorShape =>
  skillError(
    'skill-runtime',
    `It runs in a container, and this user may not use the container engine at ${socket}`,
    'Podman runs without rights of root: systemctl --user enable --now podman.socket',
  )
const failed = (why: string): SkillErrorShape =>
  skillError(
    'skill-runtime',
    `Its container could not be started: ${why}`,
    'Try the engine by hand: podman run IMAGE',
  )
const wantsDisk = (image: string): SkillErrorShape =>
  skillError('skill-runtime', `Its image wants a place on the disk, which no skill gets: ${image}`)
const noImage = (image: string): SkillErrorShape =>
  skillError('skill-runtime', `Its image is not on this machine: ${image}`, `Fetch it: podman pull ${image}`)

export class Containers {
  readonly #parts: ContainersParts
  readonly #open: OpenEngine
  /** Made and not removed yet. */
  readonly #alive = new Set<string>()
  /** Images whose containers could not be started lately. */
  readonly #failures = new Map<string, { readonly why: string; readonly at: Monotonic }>()
  readonly #waiting = new Set<() => void>()
  readonly #place: Place
  #found: Found | undefined
  #turn: Promise<unknown> = Promise.resolve()
  /** Whatever an earlier life of this node left is still there. */
  #isClear = false

  constructor(parts: ContainersParts) {
    this.#parts = parts
    this.#open = parts.open ?? engineOver(parts.clock)
    this.#place = {
      ...{ clock: parts.clock, node: parts.node },
      engine: () => this.#engine(),
      inTurn: (make) => this.#inTurn(make),
      born: (id) => void this.#alive.add(id),
      buried: (id) => this.#gone(id),
      lost: (id) => {
        this.#isClear = false
        this.#gone(id)
      },
      started: (image, why) => {
        if (why === undefined) this.#failures.delete(image)
        else this.#failures.set(image, { why, at: parts.clock.monotonic() })
      },
    }
  }

  /** Why this image cannot run here now; undefined when it can. */
  async look(image: string): Promise<SkillErrorShape | undefined> {
    const looked = await this.#look()
    if ('error' in looked) return looked.error
    try {
      const path = `/images/${image}/json`
      const { status, body } = await looked.api.ask({ method: 'GET', path }, LOOK_WITHIN_MS)
      if (status === 404) return noImage(image)
      if (status >= 300) return NONE
      if (hasVolumes(body)) return wantsDisk(image)
      const failure = this.#failures.get(image)
      const isLately = failure !== undefined && this.#parts.clock.monotonic() - failure.at < FAILED_FOR_MS
      return isLately ? failed(failure.why) : undefined
    } catch {
      this.#found = undefined
      return NONE
    }
  }

  starter(bounds: Bounds, skill: string): StartProcess {
    return (events) => new ContainerProcess(this.#place, bounds, skill, events)
  }

  /** For `loqa doctor`. */
  async state(): Promise<EngineState> {
    const looked = await this.#look()
    if ('error' in looked) return { state: looked.state }
    const { socket, api } = looked
    try {
      const { body } = succeeded(await api.ask({ method: 'GET', path: '/version' }, LOOK_WITHIN_MS))
      return { state: 'there', socket, name: nameIn(body) }
    } catch {
      return { state: 'there', socket, name: 'an engine' }
    }
  }

  /** After all were told to end: when they have, or soon. */
  closed(): Promise<void> {
    if (this.#alive.size === 0) return Promise.resolve()
    return new Promise((done) => {
      const late = this.#parts.clock.after(CLOSE_WITHIN_MS, done)
      this.#waiting.add(() => {
        late()
        done()
      })
    })
  }

  async #engine(): Promise<EngineApi> {
    const looked = await this.#look()
    if ('error' in looked) throw new Error(looked.error.message)
    return looked.api
  }

  #inTurn<T>(make: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      await this.#clear()
      return make()
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  #gone(id: string): void {
    this.#alive.delete(id)
    if (this.#alive.size > 0) return
    for (const tell of this.#waiting) tell()
    this.#waiting.clear()
  }

  /** Removes what has this node's name and no process here. */
  async #clear(): Promise<void> {
    if (this.#isClear || this.#found === undefined) return
    const { api } = this.#found
    const label = encodeURIComponent(JSON.stringify({ label: [`${NODE_LABEL}=${this.#parts.node}`] }))
    const path = `/containers/json?all=true&filters=${label}`
    const { body } = succeeded(await api.ask({ method: 'GET', path }, CLEAR_WITHIN_MS))
    for (const { Id } of listedSchema.parse(body)) {
      if (this.#alive.has(Id)) continue
      await api.ask({ method: 'DELETE', path: `/containers/${Id}?force=true&v=true` }, CLEAR_WITHIN_MS)
    }
    this.#isClear = true
  }

  async #look(): Promise<Looked> {
    const { sockets } = this.#parts
    if (sockets.length === 0) return { state: 'off', error: OFF }
    if (this.#found !== undefined && (await this.#answers(this.#found)) === 'yes') return this.#found
    this.#found = undefined
    this.#isClear = false
    let shut: string | undefined
    for (const socket of sockets) {
      const found = { socket, api: this.#open(socket) }
      const answer = await this.#answers(found)
      if (answer === 'yes') {
        this.#found = found
        return found
      }
      if (answer === 'forbidden') shut ??= socket
    }
    return shut === undefined
      ? { state: 'none', error: NONE }
      : { state: 'forbidden', error: forbidden(shut) }
  }

  async #answers({ api }: Found): Promise<'yes' | 'no' | 'forbidden'> {
    try {
      return (await api.ask({ method: 'GET', path: '/_ping' }, LOOK_WITHIN_MS)).status === 200 ? 'yes' : 'no'
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code === 'EACCES' ? 'forbidden' : 'no'
    }
  }
}

function hasVolumes(image: unknown): boolean {
  const { Config } = (image ?? {}) as { readonly Config?: { readonly Volumes?: unknown } }
  const { Volumes } = Config ?? {}
  return typeof Volumes === 'object' && Volumes !== null && Object.keys(Volumes).length > 0
}

/** e.g. `Podman Engine 4.3.1`. */
function nameIn(body: unknown): string {
  const { Components, Version } = (body ?? {}) as { Components?: unknown; Version?: unknown }
  const [first] = Array.isArray(Components) ? (Components as { Name?: unknown; Version?: unknown }[]) : []
  const words = [first?.Name ?? 'Engine', first?.Version ?? Version].filter(
    (word) => typeof word === 'string',
  )
  return words
    .join(' ')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 60)
}
