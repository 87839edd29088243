/** Wyoming at its own port and at those programs of its kind have as a rule; one of them that is taken costs nothing else. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { WyomingParts } from '../../src/api/index.ts'
import { loadConfig } from '../../src/config.ts'
import { EventCutter, encodeEvent, type NodeId, type WyomingEvent } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { type OpenWyoming, openWyoming } from '../../src/node/wyoming.ts'
import { silent } from '../inference/engines.ts'

const host = realHost()
/** The system chooses. */
const FREE = 0
const ready = { model: 'starter', state: 'ready' }
const view = {
  wakeWords: () => [],
  status: () => ({
    node: { version: '1' },
    capabilities: [
      { ...ready, tag: 'stt.sherpa:starter' },
      { ...ready, tag: 'tts.formant:starter' },
    ],
  }),
} as unknown as WyomingParts['view']

let open: OpenWyoming | undefined
afterEach(() => open?.stop())

async function offers(port: number): Promise<readonly string[]> {
  const socket = connect(port, '127.0.0.1')
  socket.write(encodeEvent({ type: 'describe', data: {}, payload: new Uint8Array(0) }))
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  const [info] = new EventCutter().push(bytes) as [WyomingEvent]
  return Object.entries(info.data).flatMap(([kind, list]) => ((list as unknown[]).length > 0 ? [kind] : []))
}

async function opened(
  more: Readonly<Record<string, unknown>>,
  usual: readonly (readonly ['asr' | 'tts', number])[],
) {
  const flags = Object.entries({ 'wyoming.port': 0, 'node.data_dir': '/tmp', ...more }).map(
    ([path, value]) => ({
      ...{ path, value, flag: '--set' },
    }),
  )
  const world = { environment: {}, home: '/nowhere', host_name: 'x', directory: '/nowhere' }
  const { config } = await loadConfig(host.disk, world, { flags })
  const warned: string[] = []
  const log = { ...silent, warn: (message: string) => void warned.push(message) }
  open = await openWyoming({ host, config, self: 'a'.repeat(16) as NodeId, view, log, usual })
  return { open, warned }
}

describe('Wyoming', () => {
  it('is off unless somebody switches it on', async () => {
    expect((await opened({}, [['asr', 0]])).open).toMatchObject({ port: null, more_ports: [] })
  })

  it('serves all at its own port, and one thing at each of the usual ones', async () => {
    const on = { 'wyoming.enabled': true, 'wyoming.usual_ports': true, 'wyoming.announce': false }
    const { open: all, warned } = await opened(on, [
      ['asr', FREE],
      ['tts', FREE],
    ])
    expect(await offers(all.port!)).toEqual(['asr', 'tts', 'handle'])
    expect(await Promise.all(all.more_ports.map(offers))).toEqual([['asr'], ['tts']])
    expect(warned).toEqual([])
  })

  it('leaves a usual port that is taken to who has it', async () => {
    const other = await host.network.listen({ host: '127.0.0.1', port: 0 }, () => undefined)
    const on = { 'wyoming.enabled': true, 'wyoming.usual_ports': true, 'wyoming.announce': false }
    const { open: all, warned } = await opened(on, [
      ['asr', other.port],
      ['tts', FREE],
    ])
    expect(await Promise.all(all.more_ports.map(offers))).toEqual([['tts']])
    expect(warned).toHaveLength(1)
    await other.close()
  })

  it('opens no usual port where its own is any free one', async () => {
    const { open: all } = await opened({ 'wyoming.enabled': true, 'wyoming.announce': false }, [
      ['asr', FREE],
    ])
    expect(all.more_ports).toEqual([])
  })
})
