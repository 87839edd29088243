/**
 * Conversations of a household in virtual time: real runtimes, the real remote layer over links in memory, real placing, voice, recorder
 * and handing over of steps. Cables are cut and plugged; only the verdict that somebody is dead is scripted.
 */
import type { Outside } from '../../../src/actors/index.ts'
import type { NodeId } from '../../../src/host/index.ts'
import { sessionId } from '../../../src/host/index.ts'
import { householdOf, PLACED } from '../../../src/node/conversations.ts'
import { Joining } from '../../../src/node/joining.ts'
import { Recorder } from '../../../src/node/recording.ts'
import type { TimelineEvent, TimelineHead } from '../../../src/store/index.ts'
import {
  ENDPOINT_TIMES,
  type PrivacyWanted,
  sessionAddress,
  type TurnView,
  Voice,
  type VoiceChannel,
} from '../../../src/voice/index.ts'
import { PlacingHouse } from '../../cluster/placement/house.ts'
import type { StageNode } from '../../cluster/remote/stage.ts'
import { houseUnderstanding } from '../../voice/house.ts'

const understanding = houseUnderstanding()
const noWork: Outside['infer'] = () => undefined

/** What is kept of conversations, without a file. */
export class Steps {
  readonly #kept = new Map<string, { readonly head: TimelineHead; readonly events: TimelineEvent[] }>()

  begin = (head: TimelineHead): void => {
    if (!this.#kept.has(head.session)) this.#kept.set(head.session, { head, events: [] })
  }
  append = (event: TimelineEvent): void => void this.#kept.get(event.session_id)?.events.push(event)
  end = (session: string): void => void this.#kept.delete(session)
  left = (session: string): void => void this.#kept.delete(session)
  read = async (session: string): Promise<readonly TimelineEvent[]> => this.of(session)
  of = (session: string): readonly TimelineEvent[] => [...(this.#kept.get(session)?.events ?? [])]
}

export interface Home {
  readonly node: StageNode
  readonly voice: Voice
  readonly steps: Steps
  open(session: string): VoiceChannel
  /** Begins to ask; the town goes on until it is settled. */
  ask(text: string, session: string, privacy?: PrivacyWanted): Promise<TurnView>
}

export class Town {
  readonly house = new PlacingHouse()
  readonly homes: Home[] = []

  add(name: string, room: string): Home {
    const { stage } = this.house
    const { clock, random } = stage.host
    const steps = new Steps()
    const placing = () => this.house.of(node)
    const voice: Voice = new Voice({
      ...{ clock, random, understanding, room, endpointing: ENDPOINT_TIMES, voice: undefined },
      engines: { request: noWork as never, cancel: () => undefined, actorGone: () => undefined },
      capabilities: { stt: 'stt', llm: 'llm', tts: 'tts' },
      detectors: () => ({ isVoiced: () => false, close: () => undefined }),
      play_ahead_ms: 200,
      reply_cache_bytes: 1_000_000,
      session_idle_ms: 600_000,
      dropped: () => undefined,
      household: householdOf({
        self: name as NodeId,
        placing: {
          taken: (address) => placing().taken(address),
          livesOn: (address) => placing().livesOn(address),
          isYielding: (address) => placing().isYielding(address),
        },
        cluster: () => this.house.viewOf(name),
      }),
    })
    const recorder = new Recorder({
      ...{ timeline: steps, clock, random, tier: 'balanced' },
      allowed: (agreed) => agreed,
      permissions: () => undefined,
    })
    const joining = new Joining({
      ...{ self: name as NodeId, clock, random, timeline: steps, recorder, voice },
      owner: (address) => placing().livesOn(address),
      log: () => undefined,
    })
    const node: StageNode = this.house.add(name, PLACED, {
      behaviors: voice.behaviors,
      outside: () => voice.outside,
      observe: { timeline: (step, actor) => recorder.step(step, actor) },
      yields: (address, to) => joining.yields(address, to),
      connect: (runtime) => joining.connect(runtime, runtime.fromAfar),
    })
    node.runtime.subscribe('session.phase', (message) => {
      const { session, phase } = message as unknown as { session: string; phase: string }
      if (phase === 'ended') recorder.ended(session)
    })
    node.runtime.start({ id: 'house', children: [{ id: 'registrar', kind: 'registrar' }] })
    voice.connect(node.runtime)
    stage.advance(5)
    const home: Home = {
      ...{ node, voice, steps },
      open: (session) => voice.open({ session }, { audio: () => undefined, event: () => undefined }),
      ask: (text, session, privacy = {}) =>
        voice.ask({ text, session, ...privacy }, new AbortController().signal),
    }
    this.homes.push(home)
    return home
  }

  /** Promises between nodes are settled between steps of the clock. */
  async pass(span_ms: number, step_ms = 50): Promise<void> {
    for (let gone = 0; gone < span_ms; gone += step_ms) {
      this.house.stage.advance(step_ms)
      await new Promise((done) => setImmediate(done))
    }
  }

  async settled<T>(work: Promise<T>): Promise<T> {
    let over = false
    work.then(
      () => (over = true),
      () => (over = true),
    )
    for (let i = 0; i < 400 && !over; i += 1) await this.pass(10, 10)
    return work
  }

  async join(a: Home, b: Home): Promise<void> {
    await this.house.link(a.node, b.node)
  }

  cut(a: Home, b: Home): void {
    this.house.cut(a.node, b.node)
  }

  /** Names of nodes on which a copy of it lives. */
  copies(session: string): string[] {
    const address = sessionAddress(sessionId(session))
    return this.homes
      .filter(({ node }) => node.runtime.find(address) !== undefined)
      .map(({ node }) => node.id)
  }

  ownerBy(home: Home, session: string): string | undefined {
    return home.node.remote.whereIs(sessionAddress(sessionId(session)))
  }
}
