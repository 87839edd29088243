/**
 * A household in virtual time: nodes with the real runtime, the real actor of a skill and the real news of the household, over a
 * shared store in memory. Processes are killed, stopped and started, machines lose power, cables are cut; how soon others notice
 * is what was measured of real nodes. The skill is a script: it sets and cancels timers by their names, and says the name of one
 * that rings; and it keeps a list.
 */

import { noHosting } from '../../../src/actors/hosting.ts'
import { type EntryChange, type Followed, type Outside, placedAddress } from '../../../src/actors/index.ts'
import { createRuntime, type Runtime } from '../../../src/actors/runtime.ts'
import type { ClusterListener } from '../../../src/cluster/index.ts'
import { type Clock, type Monotonic, type NodeId, nodeId, sessionId, wall } from '../../../src/host/index.ts'
import { SimulatedClock, SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { type HouseNewsParts, tellSkills } from '../../../src/node/house-news.ts'
import type { CallResult, SkillCall } from '../../../src/skills/call.ts'
import { type Announce, type SkillArgs, type SkillInvoke, skill } from '../../../src/skills/index.ts'
import { Replica, type Version } from './replica.ts'

/** Spans of what happens, ms: least and most. */
const SPANS = {
  read: [1, 15],
  write: [1, 20],
  call: [1, 60],
  /** From one node's disk to the other one's. */
  told: [10, 80],
  sheet: [2, 30],
  /** A closed stream is noticed, a silent one is suspected. */
  closed: [5, 20],
  silent: [900, 1_200],
  /** Dialled, greeted and alive again; then all that was missed is there. */
  linked: [300, 2_000],
  missed: [20, 1_000],
} as const

export interface Ring {
  readonly timer: string
  readonly node: string
  readonly at: number
}

export interface Fault {
  readonly what: 'kill' | 'power' | 'cut' | 'heal' | 'start' | 'pause' | 'resume' | 'speakers'
  readonly node: string
  readonly at: number
}

/** A timer as it was last set, in the time of the world. */
export interface SetTimer {
  readonly due: number
  readonly at: number
  readonly by: string
}

type Listening = Required<Pick<ClusterListener, 'linked' | 'unlinked' | 'member' | 'sheet'>>

/** One life of a node's process. */
class Process {
  readonly node: SimulatedNode
  readonly clock: Clock
  readonly runtime: Runtime
  readonly listeners: Partial<Listening>[] = []
  readonly linked = new Set<SimulatedNode>()
  readonly sheets = new Map<SimulatedNode, readonly string[]>()
  ended = false
  #follow: ((followed: Followed) => void) | undefined

  constructor(node: SimulatedNode) {
    this.node = node
    const { house } = node
    this.clock = {
      monotonic: () => house.clock.monotonic(),
      wall: () => wall(house.clock.wall() + node.skew_ms),
      after: (delay_ms, run) => house.clock.after(delay_ms, () => this.#run(run)),
      soon: (run) => house.clock.soon(() => this.#run(run)),
    }
    this.runtime = createRuntime({
      node: node.id,
      host: { clock: this.clock, random: house.random.fork() },
      behaviors: { skill },
      outside: this.#outside(),
      observe: { log: () => undefined, metric: () => undefined, audit: () => undefined },
      hosting: noHosting,
      choose: (count) => house.random.below(count),
    })
    this.runtime.subscribe('announce', (message) => house.rang(node, (message as Announce).speech))
    const others = () => [...this.linked]
    const clustering: HouseNewsParts['clustering'] = {
      listen: (listener) => void this.listeners.push(listener as Partial<Listening>),
      speakersAre: (rooms) => {
        for (const other of others()) house.tellSheet(node, other, rooms)
      },
      expectsOthers: () => house.nodes.length > 1,
      cluster: {
        members: () => others().map(({ id }) => ({ id, standing: { status: 'alive' } })) as never,
        linkTo: (id) => (others().some((other) => other.id === id) ? ({} as never) : undefined),
        sheets: () =>
          new Map(
            [...this.sheets].map(([{ id }, speakers]) => [id, { boot: '', sheet: { speakers } }]),
          ) as never,
      },
    }
    const { clock, runtime } = this
    tellSkills({ self: node.id, clock, runtime, skills: () => ['timer'], store: ALWAYS_IN_STEP, clustering })
    this.runtime.publish('loudspeakers', { type: 'loudspeakers', rooms: node.speakers } as never)
    this.runtime.spawn({
      kind: 'skill',
      key: 'timer',
      args: { ...ARGS, node: node.id },
      restart: 'permanent',
    })
  }

  get usable(): boolean {
    return !this.ended && this.node.process === this
  }

  say(what: keyof Listening): void {
    for (const listener of this.listeners) (listener[what] as (() => void) | undefined)?.()
  }

  hear(changes: readonly EntryChange[], whole = false): void {
    if (changes.length > 0 || whole) this.#follow?.({ whole, changes })
  }

  /** A stopped process does it when it goes on, in the order in which it would have. */
  #run(run: () => void): void {
    if (this.ended) return
    if (this.node.paused === undefined) run()
    else this.node.paused.push(() => this.#run(run))
  }

  #outside(): Outside {
    const { node } = this
    const later = (span: keyof typeof SPANS, run: () => void): void => {
      this.clock.after(node.house.draw(span), run)
    }
    return {
      read: ({ id }, deliver) =>
        later('read', () => {
          this.#follow = (body) => deliver({ type: 'outcome', id, event: 'chunk', body })
          this.hear(node.replica.entries(), true)
        }),
      write: ({ id, body }, deliver) =>
        later('write', () => {
          const changes = body as readonly EntryChange[]
          const versions = node.replica.write(changes)
          deliver({ type: 'outcome', id, event: 'done' })
          this.hear(changes)
          node.house.written(node, versions)
        }),
      invoke: ({ id, body }, deliver) =>
        later('call', () =>
          deliver({ type: 'outcome', id, event: 'done', body: scripted(body as SkillCall) }),
        ),
    }
  }
}

export class SimulatedNode {
  readonly house: SimulatedHouse
  readonly id: NodeId
  readonly name: string
  readonly replica: Replica
  speakers: readonly string[] = []
  skew_ms = 0
  /** Nodes of one number reach each other. */
  side = 0
  process: Process | undefined
  /** While its process stands still: what it will do when it goes on. */
  paused: (() => void)[] | undefined

  constructor(house: SimulatedHouse, name: string) {
    this.house = house
    this.name = name
    this.id = nodeId(name)
    this.replica = new Replica()
  }

  get alive(): boolean {
    return this.process !== undefined
  }
}

export class SimulatedHouse {
  readonly clock = new SimulatedClock()
  readonly random: SimulatedRandom
  readonly nodes: readonly SimulatedNode[]
  readonly rings: Ring[] = []
  readonly faults: Fault[] = []
  /** As each was last set, where that is durable. */
  readonly set = new Map<string, SetTimer>()
  /** Those that every living node had a second before they were due. */
  readonly known = new Set<string>()
  readonly #start = this.clock.wall()

  constructor(seed: number, count: number) {
    this.random = new SimulatedRandom(seed)
    this.nodes = Array.from({ length: count }, (_, index) => new SimulatedNode(this, `node-${index}`))
  }

  get now(): Monotonic {
    return this.clock.monotonic()
  }

  draw(span: keyof typeof SPANS): number {
    const [least, most] = SPANS[span]
    return least + this.random.float() * (most - least)
  }

  // — what people do —

  tell(
    node: SimulatedNode,
    verb: 'set' | 'cancel' | 'add' | 'remove',
    timer: string,
    delay_ms = 0,
    room = '',
  ): void {
    const message: SkillInvoke = {
      type: 'skill.invoke',
      intent: { name: `timer.${verb}`, slots: { timer, delay_ms } },
      session: sessionId('s'),
      room,
      confirmed: false,
    }
    node.process?.runtime.tell(placedAddress('skill', 'timer'), message)
  }

  // — what happens to nodes —

  start(node: SimulatedNode): void {
    this.#note('start', node)
    node.process = new Process(node)
    for (const other of this.nodes) if (other !== node) this.#link(node, other)
  }

  /** The process ends; the machine closes its connections. Without power it does not. */
  kill(node: SimulatedNode, how: 'kill' | 'power' = 'kill'): void {
    this.#note(how, node)
    if (node.process !== undefined) node.process.ended = true
    node.process = undefined
    node.paused = undefined
    for (const other of this.nodes) {
      if (other !== node) this.#unlink(other, node, how === 'kill' ? 'closed' : 'silent')
    }
  }

  cut(node: SimulatedNode, side: number): void {
    this.#note('cut', node)
    node.side = side
    for (const other of this.nodes) {
      if (other === node || other.side === side) continue
      this.#unlink(other, node, 'silent')
      this.#unlink(node, other, 'silent')
    }
  }

  heal(): void {
    for (const node of this.nodes) {
      if (node.side === 0) continue
      this.#note('heal', node)
      node.side = 0
      for (const other of this.nodes) if (other !== node) this.#link(node, other)
    }
  }

  pause(node: SimulatedNode): void {
    this.#note('pause', node)
    node.paused = []
    for (const other of this.nodes) if (other !== node) this.#unlink(other, node, 'silent')
  }

  resume(node: SimulatedNode): void {
    if (node.paused === undefined) return
    this.#note('resume', node)
    const waiting = node.paused
    node.paused = undefined
    for (const run of waiting) run()
    for (const other of this.nodes) if (other !== node) this.#link(node, other)
  }

  speakersAre(node: SimulatedNode, rooms: readonly string[]): void {
    this.#note('speakers', node)
    node.speakers = rooms
    node.process?.runtime.publish('loudspeakers', { type: 'loudspeakers', rooms } as never)
  }

  // — what nodes do —

  rang(node: SimulatedNode, timer: string): void {
    this.rings.push({ timer, node: node.name, at: this.now })
  }

  written(node: SimulatedNode, versions: readonly Version[]): void {
    for (const { key, value } of versions) this.#noteTimer(node, key, value)
    for (const other of node.process?.linked ?? []) this.#send(node, other, versions, 'told')
  }

  tellSheet(node: SimulatedNode, other: SimulatedNode, rooms: readonly string[]): void {
    this.clock.after(this.draw('sheet'), () => {
      if (!this.#reaches(node, other) || rooms !== node.speakers) return
      other.process?.sheets.set(node, rooms)
      this.#inTurn(other, () => other.process?.say('sheet'))
    })
  }

  #noteTimer(node: SimulatedNode, key: string, value: unknown): void {
    if (!key.startsWith('timer/')) return
    const timer = key.slice('timer/'.length)
    if (value === undefined) return
    const { due_wall } = value as { due_wall: number }
    const due = due_wall - node.skew_ms - this.#start
    this.set.set(timer, { due, at: this.now, by: node.name })
    this.clock.after(Math.max(0, due - 1_000 - this.now), () => {
      if (this.nodes.every(({ alive, replica }) => !alive || replica.has(key))) this.known.add(timer)
    })
  }

  /** What was sent arrives while the link lives, if late; else it is among what was missed. */
  #send(from: SimulatedNode, to: SimulatedNode, versions: readonly Version[], span: 'told' | 'missed'): void {
    const life = from.process
    const arrive = (): void => {
      if (from.process !== life || life === undefined || !life.linked.has(to)) return
      if (!this.#reaches(from, to)) return void this.clock.after(100, arrive)
      const { process } = to
      // Its store is a part of its process.
      this.#inTurn(to, () => {
        if (process?.usable === true) process.hear(to.replica.merge(versions))
      })
    }
    this.clock.after(this.draw(span), arrive)
  }

  #inTurn(node: SimulatedNode, run: () => void): void {
    if (node.paused === undefined) run()
    else node.paused.push(run)
  }

  #reaches = (a: SimulatedNode, b: SimulatedNode): boolean => a.alive && b.alive && a.side === b.side

  #link(a: SimulatedNode, b: SimulatedNode): void {
    const lives = [a.process, b.process]
    this.clock.after(this.draw('linked'), () => {
      if (a.process !== lives[0] || b.process !== lives[1] || !this.#reaches(a, b)) return
      if (a.paused !== undefined || b.paused !== undefined) return
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const) {
        one.process!.linked.add(other)
        one.process!.sheets.set(other, other.speakers)
      }
      for (const [one, other] of [
        [a, b],
        [b, a],
      ] as const) {
        one.process!.say('linked')
        this.#send(one, other, one.replica.all(), 'missed')
      }
    })
  }

  /** `of` is no longer in use by `node`, if that is still so by then. */
  #unlink(node: SimulatedNode, of: SimulatedNode, how: 'closed' | 'silent'): void {
    const lives = [node.process, of.process]
    this.clock.after(this.draw(how), () => {
      const { process } = node
      if (process === undefined || process !== lives[0]) return
      if (
        of.process !== undefined &&
        of.process === lives[1] &&
        this.#reaches(node, of) &&
        of.paused === undefined
      )
        return
      if (of.process !== lives[1]) return
      this.#inTurn(node, () => {
        if (process.linked.delete(of)) process.say('unlinked')
      })
    })
  }

  #note(what: Fault['what'], node: SimulatedNode): void {
    this.faults.push({ what, node: node.name, at: this.now })
  }
}

/** How soon what was missed arrives is drawn, not told. */
const ALWAYS_IN_STEP = { replication: () => undefined }

const ARGS: Omit<SkillArgs, 'node'> = {
  name: 'timer',
  confirm: {},
  intents: ['timer.set', 'timer.cancel', 'timer.add', 'timer.remove'],
  may_speak: true,
  zone: 'UTC',
}

/** The timer skill in ten lines. */
function scripted({ entry, input, storage, timers }: SkillCall): CallResult {
  const silent = { speech: '' }
  if (entry === 'due') {
    const { timer } = JSON.parse(input) as { timer: string }
    // Its words came and went with it.
    if (storage[timer] === undefined) return { answer: silent, changes: [] }
    return {
      answer: silent,
      changes: [
        { change: 'delete', key: timer },
        { change: 'announce', speech: timer, room: '', session: '' },
      ],
    }
  }
  const { intent, slots } = JSON.parse(input) as {
    intent: string
    slots: { timer: string; delay_ms: number }
  }
  const { timer, delay_ms } = slots
  // A list beside the timers: an entry for each thing.
  if (intent === 'timer.add')
    return { answer: silent, changes: [{ change: 'put', key: `item/${timer}`, value: '1' }] }
  if (intent === 'timer.remove')
    return { answer: silent, changes: [{ change: 'delete', key: `item/${timer}` }] }
  if (intent === 'timer.set') {
    return {
      answer: silent,
      changes: [
        { change: 'put', key: timer, value: 'its words' },
        { change: 'timer-set', timer, delay_ms: Math.round(delay_ms) },
      ],
    }
  }
  if (timers[timer] === undefined) return { answer: silent, changes: [] }
  return {
    answer: silent,
    changes: [
      { change: 'delete', key: timer },
      { change: 'timer-cancel', timer },
    ],
  }
}
