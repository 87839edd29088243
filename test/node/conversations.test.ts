/** Conversations of a household: each lives on one node, all nodes list it, and a text for it is carried out where it lives. */
import { describe, expect, it } from 'vitest'
import type { Outside } from '../../src/actors/index.ts'
import { failureOf } from '../../src/api/failure.ts'
import type { Cluster } from '../../src/cluster/index.ts'
import { LoqaError, type NodeId, nodeId } from '../../src/host/index.ts'
import { householdOf, listSessions, moveSession, PLACED } from '../../src/node/conversations.ts'
import {
  ENDPOINT_TIMES,
  type Privacy,
  type PrivacyWanted,
  type TurnView,
  Voice,
  type VoiceChannel,
  type VoiceEvent,
} from '../../src/voice/index.ts'
import { PlacingHouse } from '../cluster/placement/house.ts'
import type { StageNode } from '../cluster/remote/stage.ts'
import { houseUnderstanding } from '../voice/house.ts'

const understanding = houseUnderstanding()

interface Home {
  readonly node: StageNode
  readonly voice: Voice
  readonly events: VoiceEvent[]
  open(session?: string, privacy?: PrivacyWanted): VoiceChannel
  ask(text: string, session?: string, privacy?: PrivacyWanted): Promise<TurnView>
  list(): Promise<readonly string[]>
}

class Town {
  readonly house = new PlacingHouse()

  add(name: string, room: string, privacy?: (wanted: PrivacyWanted) => Privacy): Home {
    const { house } = this
    const { stage } = house
    const noWork: Outside['infer'] = () => undefined
    const voice: Voice = new Voice({
      clock: stage.host.clock,
      random: stage.host.random,
      understanding,
      engines: { request: noWork as never, cancel: () => undefined, actorGone: () => undefined },
      capabilities: { stt: 'stt', llm: 'llm', tts: 'tts' },
      detectors: () => ({ isVoiced: () => false, close: () => undefined }),
      voice: undefined,
      room,
      endpointing: ENDPOINT_TIMES,
      play_ahead_ms: 200,
      reply_cache_bytes: 1_000_000,
      session_idle_ms: 60_000,
      dropped: () => undefined,
      ...(privacy === undefined ? {} : { privacy }),
      household: householdOf({
        self: name as never,
        placing: {
          taken: (address) => house.of(node).taken(address),
          livesOn: (address) => house.of(node).livesOn(address),
          isYielding: (address) => house.of(node).isYielding(address),
        },
        cluster: () => house.viewOf(name),
      }),
    })
    const node: StageNode = house.add(name, PLACED, {
      behaviors: voice.behaviors,
      outside: () => voice.outside,
    })
    node.runtime.start({ id: 'house', children: [{ id: 'registrar', kind: 'registrar' }] })
    voice.connect(node.runtime)
    stage.advance(5)
    const events: VoiceEvent[] = []
    const settled = async <T>(work: Promise<T>): Promise<T> => {
      work.catch(() => undefined)
      // Promises between two nodes are settled between steps of the clock.
      for (let i = 0; i < 20; i += 1) {
        await new Promise((done) => setImmediate(done))
        stage.advance(50)
      }
      return work
    }
    return {
      node,
      voice,
      events,
      open: (session, wanted = {}) =>
        voice.open(
          { ...wanted, ...(session === undefined ? {} : { session }) },
          {
            audio: () => undefined,
            event: (event) => events.push(event),
          },
        ),
      ask: (text, session, privacy = {}) =>
        settled(
          voice.ask(
            { text, ...privacy, ...(session === undefined ? {} : { session }) },
            new AbortController().signal,
          ),
        ),
      list: async () => {
        const rows = await settled(
          listSessions({ self: node.id, voice, runtime: node.runtime, cluster: house.viewOf(name) }),
        )
        return rows.map(({ id, node: at, room: where }) => `${id} ${at} ${where}`).sort()
      },
    }
  }
}

async function two() {
  const town = new Town()
  const [a, b] = [town.add('node-a', 'kitchen'), town.add('node-b', 'attic')]
  await town.house.link(a.node, b.node)
  return { town, a, b }
}

describe('conversations of two nodes', () => {
  it('are listed by both, each with its node', async () => {
    const { a, b } = await two()
    a.open('by-voice')
    await b.ask('turn on the lights', 'by-text')
    const all = ['by-text node-b attic', 'by-voice node-a kitchen']
    expect(await a.list()).toEqual(all)
    expect(await b.list()).toEqual(all)
  })

  it('a text is carried out where its conversation lives, and answered where it was asked', async () => {
    const { a, b } = await two()
    const said = await a.ask('turn on the lights', 'dinner')
    // What was said before is known there.
    const turn = await b.ask('say that again', 'dinner')
    expect(turn).toMatchObject({ session: 'dinner', room: 'kitchen', reply: said.reply })
    expect(said.reply).not.toBe('')
    expect(b.voice.sessions()).toEqual([])
    expect(b.node.runtime.actors().some(({ kind }) => kind === 'session')).toBe(false)
  })

  it('a conversation without a name is had on the node where it is asked', async () => {
    const { a, b } = await two()
    await a.ask('turn on the lights')
    await b.ask('turn on the lights')
    expect(a.voice.sessions().map(({ id }) => id)).toEqual(['text-kitchen-node-a'])
    expect(b.voice.sessions()).toHaveLength(1)
  })

  it('keeps the scope it began with: asked under another it refuses, here and from afar', async () => {
    const { a, b } = await two()
    const ephemeral = { scope: 'ephemeral' } as const
    await a.ask('turn on the lights', 'dinner')
    await expect(a.ask('turn on the lights', 'dinner', ephemeral)).rejects.toThrow(
      /began with the scope session/,
    )
    await expect(b.ask('turn on the lights', 'dinner', ephemeral)).rejects.toThrow(/lives on another machine/)
    await a.ask('turn on the lights', 'supper', ephemeral)
    expect(await a.ask('say that again', 'supper', ephemeral)).toMatchObject({ session: 'supper' })
    expect(await a.ask('say that again', 'supper')).toMatchObject({ session: 'supper' })
    await expect(a.ask('say that again', 'supper', { scope: 'session' })).rejects.toThrow(/ephemeral/)
  })

  it('tells whoever begins it when its steps cannot be kept as asked, by voice and by text', async () => {
    const town = new Town()
    const notice = 'Nobody consented.'
    const home = town.add('node-a', 'kitchen', ({ scope = 'session' }) =>
      scope === 'persistent' ? { scope: 'session', notice } : { scope },
    )
    home.open('by-voice', { scope: 'persistent' })
    expect(home.events).toMatchObject([
      { type: 'ready', session: 'by-voice' },
      { type: 'notice', message: notice },
    ])
    expect(await home.ask('turn on the lights', 'by-text', { scope: 'persistent' })).toMatchObject({ notice })
    expect(await home.ask('turn on the lights', 'other')).not.toHaveProperty('notice')
    home.open('quiet', { scope: 'ephemeral' })
    expect(home.events.filter(({ type }) => type === 'notice')).toHaveLength(1)
    expect(home.voice.sessions().map(({ id, privacy }) => `${id} ${privacy.scope}`)).toEqual([
      'by-voice session',
      'by-text session',
      'other session',
      'quiet ephemeral',
    ])
  })

  it('without a name, each scope is a conversation of its own', async () => {
    const { a } = await two()
    const ids = []
    for (const scope of [undefined, 'ephemeral', 'session', 'ephemeral'] as const) {
      ids.push((await a.ask('turn on the lights', undefined, scope === undefined ? {} : { scope })).session)
    }
    expect(new Set(ids).size).toBe(3)
    expect(ids[1]).toBe(ids[3])
  })

  it('one whose node died is gone from the list, and an ask to it begins a new one here', async () => {
    const { town, a, b } = await two()
    a.open('by-voice')
    await b.list()
    town.house.kill(a.node)
    expect(await b.list()).toEqual([])
    expect(await b.ask('turn on the lights', 'by-voice')).toMatchObject({ room: 'attic', intent: 'light.on' })
    expect(await b.list()).toEqual(['by-voice node-b attic'])
  })

  it('so it is before anybody came to a verdict: a lost link is enough', async () => {
    const { town, a, b } = await two()
    a.open('by-voice')
    town.house.stage.advance(10)
    town.house.stage.network.kill(a.node.id)
    town.house.stage.nodes.delete(a.node.id)
    town.house.stage.advance(10)
    expect(await b.ask('turn on the lights', 'by-voice')).toMatchObject({ room: 'attic' })
  })

  it('who asked a node that dies before it answered is told at once: the text may have been carried out', async () => {
    const { town, a, b } = await two()
    await a.ask('turn on the lights', 'dinner')
    town.house.stage.advance(10)
    // The language model is asked for this, and never answers.
    const asking = b.ask('the quick brown fox jumps over it', 'dinner')
    await new Promise((done) => setImmediate(done))
    town.house.stage.network.kill(a.node.id)
    const error: unknown = await asking.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'unreachable', retryable: true })
    expect(failureOf(error).status).toBe(503)
  })

  it('one that ended there while it was asked begins anew here', async () => {
    const { town, a, b } = await two()
    a.open('by-voice')
    town.house.stage.advance(10)
    a.node.runtime.stop('loqa:/session/by-voice' as never, { kill: true })
    // Its end was not told yet.
    const turn = await b.ask('turn on the lights', 'by-voice')
    expect(turn).toMatchObject({ room: 'attic', intent: 'light.on' })
  })

  it('one that was killed is not listed, and begins anew with the next text, here as well', async () => {
    const { town, a, b } = await two()
    await a.ask('turn on the lights', 'dinner')
    a.node.runtime.stop('loqa:/session/dinner' as never, { kill: true })
    town.house.stage.advance(5)
    expect(await a.list()).toEqual([])
    expect(await b.list()).toEqual([])
    expect(await a.ask('turn on the lights', 'dinner')).toMatchObject({ room: 'kitchen', intent: 'light.on' })
    expect(await b.list()).toEqual(['dinner node-a kitchen'])
  })

  it('had on both sides of a partition there is one after it, and who lost theirs goes on in a new one', async () => {
    const { town, a, b } = await two()
    a.node.links.get(b.node.id)!.link.abort('cut')
    town.house.stage.advance(10)
    town.house.verdict(a.node, b.node)
    town.house.verdict(b.node, a.node)
    a.open('same')
    const channel = b.open('same')
    town.house.stage.advance(50)
    await town.house.link(a.node, b.node)
    town.house.stage.advance(100)
    const rows = await a.list()
    expect(rows.filter((row) => row.startsWith('same '))).toEqual(['same node-a kitchen'])
    expect(channel.session).not.toBe('same')
    expect(rows).toContain(`${channel.session} node-b attic`)
    expect(b.events.filter(({ type }) => type === 'ready')).toHaveLength(2)
  })

  it('a microphone takes its conversation along: the latest one has it', async () => {
    const { town, a, b } = await two()
    a.open('mine')
    town.house.stage.advance(10)
    b.open('mine')
    town.house.stage.advance(100)
    expect((await a.list()).filter((row) => row.startsWith('mine '))).toEqual(['mine node-b attic'])
  })
})

it('on a node that is alone nothing of this is asked of anybody', async () => {
  const town = new Town()
  const a = town.add('node-a', 'kitchen')
  expect(await a.ask('turn on the lights', 'mine')).toMatchObject({ session: 'mine', intent: 'light.on' })
  expect(await a.list()).toEqual(['mine node-a kitchen'])
  expect(a.node.runtime.deadLetters().counts).toEqual({})
})

describe('a conversation that is to move', () => {
  const nodes = [
    { id: 'node-aaaaaa', name: 'attic' },
    { id: 'node-bbbbbb', name: 'hall' },
    { id: 'node-cccccc', name: 'hall' },
  ]
  const attempt = async (to: string | { readonly room: string }, refuse?: LoqaError) => {
    const noted: string[] = []
    const parts = {
      cluster: { self: nodeId('node-aaaaaa'), nodes: () => nodes } as unknown as Cluster,
      moving: {
        move: async (address: string, node: NodeId) => {
          if (refuse !== undefined) throw refuse
          expect(address).toBe('loqa:/session/walk')
          return { from: nodeId('node-aaaaaa'), to: node, away_ms: 1.26 }
        },
      },
      rooms: {
        move: async (session: string, room: string) => {
          if (room !== 'office') throw new LoqaError('not-found', 'There is no speaker there')
          expect(session).toBe('walk')
          return { room, from: nodeId('node-aaaaaa'), to: nodeId('node-bbbbbb'), away_ms: 0.44 }
        },
      },
      noted: async (object: string, outcome: string) => void noted.push(`${object} ${outcome}`),
    }
    const outcome = await moveSession('walk', typeof to === 'string' ? { node: to } : to, parts).catch(
      (thrown: LoqaError) => thrown,
    )
    return { outcome, noted }
  }

  it('goes to a node by its name, its id or the end of one, and is noted in the audit log', async () => {
    for (const to of ['attic', 'node-aaaaaa', 'aaaaaa']) {
      expect(await attempt(to)).toEqual({
        outcome: { session: 'walk', from: 'node-aaaaaa', to: 'node-aaaaaa', away_ms: 1.3 },
        noted: ['walk from node-aaaaaa to node-aaaaaa'],
      })
    }
    expect((await attempt('bbbbbb')).outcome).toMatchObject({ to: 'node-bbbbbb' })
  })

  it('goes to a room, whatever node that is on', async () => {
    expect((await attempt({ room: ' Office ' })).outcome).toEqual({
      ...{ session: 'walk', room: 'office', from: 'node-aaaaaa', to: 'node-bbbbbb', away_ms: 0.4 },
    })
    expect(await attempt({ room: 'attic' })).toMatchObject({
      outcome: { code: 'not-found' },
      noted: ['walk refused: not-found'],
    })
  })

  it('says why not', async () => {
    expect((await attempt('cellar')).outcome).toMatchObject({
      code: 'not-found',
      hint: 'loqa nodes lists them.',
    })
    expect((await attempt('hall')).outcome).toMatchObject({ code: 'ambiguous' })
    const refusal = new LoqaError('not-moved', 'A turn is under way')
    expect(await attempt('attic', refusal)).toEqual({ outcome: refusal, noted: ['walk refused: not-moved'] })
    expect(failureOf(refusal).status).toBe(409)
  })
})
