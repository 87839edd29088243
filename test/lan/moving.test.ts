import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditRow, SessionMoved, SessionView, TurnView } from '../../src/api/index.ts'
import { Lan, type LanNode, together, whyNoLan } from './rig.ts'

describe.skipIf(whyNoLan !== undefined)('conversations that move', () => {
  let lan: Lan
  let a: LanNode
  let b: LanNode
  beforeAll(async () => {
    lan = new Lan()
    ;[a, b] = (await lan.start(['a', 'b'])) as [LanNode, LanNode]
    await together([a, b], 20_000)
  }, 60_000)
  afterAll(() => lan.close())

  const ask = (node: LanNode, ...text: string[]) => node.json<TurnView>('ask', ...text)
  const sessions = (node: LanNode) => node.json<SessionView[]>('sessions')

  it('an open question is answered on the node it moved to, whoever asks there', async () => {
    const asked = await ask(a, '--session', 'walk', 'set a tea timer')
    expect(asked.reply).toMatch(/how long/i)
    const moved = await a.json<SessionMoved>('session', 'move', 'walk', '--node', 'b')
    // From the node where it began, by the network, while the question is open: twenty seconds, which are short on a busy machine.
    expect((await ask(a, '--session', 'walk', 'ten minutes')).reply).toMatch(/tea timer set for ten minutes/i)
    const [at] = await sessions(b)
    expect(at).toMatchObject({ id: 'walk', node: moved.to, phase: 'idle' })
    expect(await sessions(a)).toEqual(await sessions(b))
    expect((await ask(b, '--session', 'walk', 'how long is left on the tea timer')).reply).toMatch(/minutes/)
  }, 60_000)

  it('it moves back, asked for on a node where it does not live, and keeps what it waits for', async () => {
    expect((await ask(b, '--session', 'walk', 'set an egg timer')).reply).toMatch(/how long/i)
    const moved = await a.json<SessionMoved>('session', 'move', 'walk', '--node', 'a')
    expect((await sessions(b)).map(({ id, node }) => [id, node])).toEqual([['walk', moved.to]])
    expect((await ask(b, '--session', 'walk', 'four minutes')).reply).toMatch(
      /egg timer set for four minutes/i,
    )
    expect(moved.away_ms).toBeLessThan(2_000)
    const noted = await a.json<AuditRow[]>('audit', 'ls')
    expect(noted.some(({ what, object }) => what === 'session.moved' && object === 'walk')).toBe(true)
  }, 60_000)

  it('it follows who asks for it from another node again and again, by itself', async () => {
    await ask(a, '--session', 'follow', 'what time is it')
    for (let turn = 0; turn < 3; turn += 1) await ask(b, '--session', 'follow', 'what time is it')
    const line = await a.until(
      () => a.lines.find(({ message }) => message === 'A conversation moved by itself'),
      30_000,
      'a move',
    )
    expect(line).toMatchObject({ session: 'follow', to: 'b', why: 'asked-there' })
    const rows = await sessions(a)
    expect(rows.find(({ id }) => id === 'follow')).toMatchObject({ node: b.id, phase: 'idle' })
    const noted = await a.json<AuditRow[]>('audit', 'ls')
    expect(noted.find(({ object }) => object === 'follow')?.outcome).toMatch(/by itself: asked-there$/)
    expect((await a.loqa('metrics')).stdout).toMatch(/^loqa_relocations_total .*asked-there.* 1$/m)
  }, 120_000)

  it('says why it is not moved', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      try {
        await a.json('session', 'move', ...args)
        return 'moved'
      } catch (thrown) {
        return String(thrown)
      }
    }
    await ask(a, '--session', 'secret', '--scope', 'ephemeral', 'what time is it')
    expect(await refused('secret', '--node', 'b')).toMatch(/ephemeral/)
    expect(await refused('walk', '--node', 'a')).toMatch(/lives there already/)
  }, 60_000)
})
