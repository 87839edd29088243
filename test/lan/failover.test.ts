import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SessionView, TurnView } from '../../src/api/index.ts'
import { FailingHouse, LONG } from './failing-house.ts'
import { type LanNode, whyNoLan } from './rig.ts'
import { differenceOf, type HeardTurn } from './satellite.ts'

/** Generous, for a busy machine; `bench/cluster/failover.ts` measures. */
const TURN_MS = 60_000
/** Promised: never silence over this. */
const SILENCE_MS = 3_000
const SECOND = 16_000

describe.skipIf(whyNoLan !== undefined)('an answer whose node is lost', () => {
  const house = whyNoLan === undefined ? new FailingHouse() : undefined
  let reference: HeardTurn
  /** Where the conversation went that was let go of. */
  let next: LanNode
  beforeAll(async () => {
    await house!.start(1, 2)
    reference = await house!.speak(house!.nodes[0]!, LONG).turn(TURN_MS)
    expect(reference.view?.reply).toMatch(/things on the list/)
  }, 180_000)
  afterAll(() => house?.close())

  /** Ends a node when a second of the answer was heard. */
  async function lose(
    node: LanNode,
    signal: NodeJS.Signals,
  ): Promise<{ turn: HeardTurn; code: number | null }> {
    const satellite = house!.speak(node, LONG)
    await satellite.until(() => satellite.heard >= SECOND, TURN_MS, 'a second of the answer')
    const code = await node.end(signal)
    return { turn: await satellite.turn(TURN_MS), code }
  }

  const isWhole = ({ turn }: { turn: HeardTurn }): void => {
    expect(turn.view?.reply).toBe(reference.view?.reply)
    expect(differenceOf(turn.samples, reference.samples)).toEqual({ differs_at: null, more: 0 })
    expect(turn.longest_gap_ms).toBeLessThan(SILENCE_MS)
  }

  it('whose node is told to end goes on at another one, sample for sample, and the conversation lives there', async () => {
    const lost = await lose(house!.nodes[0]!, 'SIGTERM')
    isWhole(lost)
    expect(lost.code).toBe(0)
    const to = lost.turn.lines.findLast(({ type, node }) => type === 'moved' && node !== null)?.node
    next = house!.nodes.find(({ host }) => to === `http://${host.address}:7420`)!
    const sessions = await house!.json<SessionView[]>(next, 'sessions')
    expect(sessions).toContainEqual(
      expect.objectContaining({ id: lost.turn.view?.session, node: next.id, room: 'kitchen' }),
    )
  }, 120_000)

  it('whose node is killed, which recognised, understood and spoke too, goes on at another one, sample for sample', async () => {
    const session = ['--session', 'walk']
    const asked = await house!.json<TurnView>(next, 'ask', ...session, 'set a tea timer')
    expect(asked.reply).toMatch(/how long/i)
    isWhole(await lose(next, 'SIGKILL'))
    // And what was asked there before is answered here.
    const left = house!.nodes.find((node) => node !== house!.nodes[0] && node !== next)!
    const answer = await house!.json<TurnView>(left, 'ask', ...session, 'ten minutes')
    expect(answer.reply).toMatch(/tea timer set for ten minutes/i)
  }, 120_000)
})
