/** Actors of several nodes over links that break, are replaced and go silent: what holds whatever happens. Prints its seed when not. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Behavior, type Message, next, type Ref } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import { probe } from '../actors/probe.ts'
import { afar, onNode, Stage, type StageNode } from '../cluster/remote/stage.ts'

/** The same runs every time: what they have to meet, they always meet. `LOQA_SEED` draws others. */
const SEED = Number(process.env.LOQA_SEED ?? 20_261_126)

/** Asks when told to, and notes how each ask ended and when. */
interface Asked {
  readonly id: string
  readonly how: string
  readonly at: number
}
const asker: Behavior<{ readonly ended: readonly Asked[] }, Message> = {
  kind: 'asker',
  start: () => next({ ended: [] }),
  receive(state, message, { now, replyTo }) {
    if (replyTo !== undefined) {
      return next(state, [
        { type: 'reply', to: replyTo, message: { type: 'ended', ended: state.ended } as Message },
      ])
    }
    const { id, to, wait, error } = message as Message & {
      id: string
      to: Ref['address']
      wait: number
      error?: { code: string }
    }
    if (message.type === 'go') {
      return next(state, [
        { type: 'ask', id: requestId(id), to, message: { type: 'report' }, deadline_ms: wait },
      ])
    }
    return next({ ended: [...state.ended, { id, how: error?.code ?? message.type, at: now }] })
  },
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('tell' as const), from: fc.nat(), to: fc.nat() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      from: fc.nat(),
      to: fc.nat(),
      wait: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), from: fc.nat(), to: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('link' as const), from: fc.nat(), to: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), from: fc.nat(), to: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'heal' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60 }) }),
  },
)

/** A deadline fires at most so late: one slot of the wheel, and the look at the clock. */
const LATE_MS = 10

describe('actors of several nodes', () => {
  it('A22 order per pair and nothing twice, A24 every ask ends once and in time, whatever links do', async () => {
    const bit = { unreachable: 0, timeout: 0, answer: 0, replaced: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 0, max: 8 }),
        fc.array(step, { minLength: 10, maxLength: 80 }),
        async (count, latency_ms, steps) => {
          const stage = new Stage({ latency_ms })
          const behaviors = { probe, asker }
          const nodes = Array.from({ length: count }, (_, i) => stage.add(`n${i}`, { behaviors }))
          for (const node of nodes) {
            node.runtime.spawn({ kind: 'probe', path: 'ear' })
            node.runtime.spawn({ kind: 'asker', path: 'asker' })
          }
          const pick = (n: number): StageNode => nodes[n % count]!
          const link = async (a: StageNode, b: StageNode) => {
            const dialled = a.mesh.dial(b.mesh.places[0]!, b.id).catch(() => undefined)
            stage.advance(40)
            if (stage.network.isCut(a.id, b.id)) return
            const opened = await dialled
            if (opened !== undefined) stage.use(a, opened)
          }
          for (const [i, a] of nodes.entries()) for (const b of nodes.slice(i + 1)) await link(a, b)
          let said = 0
          const asked = new Map<string, { at: number; wait: number }>()
          for (const each of steps) {
            if (each.do === 'wait') stage.advance(each.ms)
            else if (each.do === 'heal') stage.network.heal()
            else {
              const [a, b] = [pick(each.from), pick(each.to)]
              if (a === b) continue
              if (each.do === 'tell') {
                said += 1
                a.runtime.tell(onNode(b, 'ear'), { type: 'note', from: a.id, n: said } as Message)
              } else if (each.do === 'ask') {
                said += 1
                asked.set(`${said}`, { at: stage.host.clock.monotonic(), wait: each.wait })
                const go = { type: 'go', id: `${said}`, to: onNode(b, 'ear'), wait: each.wait } as Message
                a.runtime.tell(onNode(a, 'asker'), go)
                stage.advance(0)
              } else if (each.do === 'break') a.links.get(b.id)?.link.abort('broken')
              else if (each.do === 'cut') stage.network.cut(a.id, b.id)
              else {
                if (a.remote.peers().some(({ node, linked }) => node === b.id && linked)) bit.replaced += 1
                await link(a, b)
              }
            }
          }
          stage.advance(500)
          const ends = new Map<string, number>()
          for (const node of nodes) {
            const heard = (await stage.heard(node, onNode(node, 'ear'))) as (Message & {
              from: string
              n: number
            })[]
            for (const from of nodes) {
              const numbers = heard
                .filter((each) => each.type === 'note' && each.from === from.id)
                .map(({ n }) => n)
              expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y))
            }
            const report = node.runtime.ask(onNode(node, 'asker'), { type: 'report' }, { deadline_ms: 100 })
            stage.advance(20)
            for (const { id, how, at } of ((await report) as Message & { ended: Asked[] }).ended) {
              ends.set(id, (ends.get(id) ?? 0) + 1)
              const { at: begun, wait } = asked.get(id)!
              expect(at - begun).toBeLessThanOrEqual(wait + LATE_MS)
              if (how in bit) bit[how as 'answer'] += 1
              expect(['answer', 'unreachable', 'timeout']).toContain(how)
            }
            expect(node.faults).toEqual([])
            for (const peer of node.remote.peers()) expect(peer.asks).toBe(0)
          }
          expect([...ends.keys()].sort()).toEqual([...asked.keys()].sort())
          expect([...ends.values()].every((times) => times === 1)).toBe(true)
        },
      ),
      { numRuns: 250, seed: SEED },
    )
    for (const [what, times] of Object.entries(bit)) expect(times, what).toBeGreaterThan(0)
  }, 120_000)

  it('A25 a watch ends once, with the right reason, whatever happens to link, actor and node', async () => {
    const seen = new Set<string>()
    const happening = fc.constantFrom('break', 'link', 'stop', 'kill', 'return', 'verdict', 'wait')
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 10 }), async (happenings) => {
        const stage = new Stage()
        const a = stage.add('a')
        let b = stage.add('b')
        await stage.link(a, b)
        const watcher = a.runtime.spawn({ kind: 'probe', path: 'watcher' })
        const watched = afar(b.runtime.spawn({ kind: 'probe', path: 'watched' }))
        a.runtime.tell(watcher, { type: 'do', effects: [{ type: 'watch', target: watched }] } as Message)
        stage.advance(10)
        let alive = true
        let ended = false
        for (const what of happenings) {
          if (what === 'break') a.links.get(b.id)?.link.abort('broken')
          else if (what === 'link' && alive) await stage.link(b, a)
          else if (what === 'stop' && alive) {
            b.runtime.stop(onNode(b, 'watched'))
            ended = true
          } else if (what === 'kill' && alive) {
            stage.network.kill(b.id)
            b.remote.close()
            alive = false
            ended = true
          } else if (what === 'return' && !alive) {
            b = stage.add('b')
            alive = true
            b.runtime.spawn({ kind: 'probe', path: 'watched' })
            await stage.link(b, a)
          } else if (what === 'verdict') {
            a.remote.dead(b.id)
            ended = true
          }
          stage.advance(10)
        }
        const ends = async () =>
          ((await stage.heard(a, watcher)) as (Message & { reason: { kind: string } })[])
            .filter(({ type }) => type === 'terminated')
            .map(({ reason }) => reason.kind)
        const before = await ends()
        expect(before.length).toBeLessThanOrEqual(ended ? 1 : 0)
        // In the end somebody comes to a verdict.
        a.remote.dead(b.id)
        stage.advance(10)
        const after = await ends()
        expect(after).toHaveLength(1)
        seen.add(after[0]!)
      }),
      { numRuns: 300, seed: SEED },
    )
    expect([...seen].sort()).toEqual(['node-gone', 'stopped', 'unknown-actor'])
  }, 60_000)
})
