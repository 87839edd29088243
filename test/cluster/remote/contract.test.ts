/** The same promises, whether the other actor is on this node or on another. Numbers as in `actors/behavior.ts`. */
import { describe, expect, it } from 'vitest'
import type { Address, Effect, Message, Ref } from '../../../src/actors/index.ts'
import { requestId } from '../../../src/host/index.ts'
import { doing, note, numbers, type ProbeArgs, type Terminated, types } from '../../actors/probe.ts'
import { afar, onNode, Stage, type StageNode } from './stage.ts'

interface Scene {
  readonly stage: Stage
  /** Where who acts lives, and where who is acted upon lives. */
  readonly here: StageNode
  readonly there: StageNode
  readonly actor: Ref
  /** Starts the other actor; its address, as the first knows it. */
  other(args?: ProbeArgs, capacity?: number): Ref
  /** Has the first actor do something. */
  act(...effects: readonly Effect[]): void
  heard(): Promise<readonly Message[]>
}

async function scene(nodes: 'one' | 'two'): Promise<Scene> {
  const stage = new Stage()
  const here = stage.add('here')
  const there = nodes === 'one' ? here : stage.add('there')
  if (here !== there) await stage.link(here, there)
  const actor = here.runtime.spawn({ kind: 'probe', path: 'actor' })
  return {
    ...{ stage, here, there, actor },
    other: (args, capacity) =>
      afar(
        there.runtime.spawn({
          ...{ kind: 'probe', path: 'other', args: args ?? {} },
          ...(capacity === undefined ? {} : { mailbox: { capacity, overflow: 'reject' as const } }),
        }),
      ),
    act: (...effects) => {
      here.runtime.tell(actor, doing(...effects))
      stage.advance(20)
    },
    heard: () => stage.heard(here, actor),
  }
}

const ask = (to: Ref | Address, deadline_ms = 300, name = 'q'): Effect => ({
  ...{ type: 'ask', id: requestId(name), to, message: { type: 'report' }, deadline_ms },
})
const codes = (messages: readonly Message[]): string[] =>
  messages.flatMap((each) =>
    each.type === 'ask-failed' ? [(each as never as { error: { code: string } }).error.code] : [],
  )
const reasons = (messages: readonly Message[]): string[] =>
  messages.flatMap((each) => (each.type === 'terminated' ? [(each as Terminated).reason.kind] : []))

describe.each(['one', 'two'] as const)('actors on %s node(s)', (nodes) => {
  it('A2 messages arrive in the order of telling, once', async () => {
    const { stage, there, other, act } = await scene(nodes)
    const to = other()
    const count = 200
    act(...Array.from({ length: count }, (_, n): Effect => ({ type: 'send', to, message: note(n) })))
    expect(numbers(await stage.heard(there, to))).toEqual([...Array(count).keys()])
  })

  it('A3 a message that reaches nobody is a dead letter here', async () => {
    const { here, there, act } = await scene(nodes)
    act({ type: 'send', to: onNode(there, 'nobody'), message: note(1) })
    expect(here.runtime.deadLetters().counts).toEqual({ 'unknown-actor': 1 })
  })

  it('A5 a full mailbox rejects, and who told is told', async () => {
    const { here, other, act } = await scene(nodes)
    const to = other({}, 2)
    const put: Effect = { type: 'send', to, message: doing({ type: 'stash' }) }
    act(put)
    act(put)
    act(put)
    expect(here.runtime.deadLetters().counts).toEqual({ overflow: 1 })
  })

  it('A8 an ask ends once: answered', async () => {
    const { other, act, heard } = await scene(nodes)
    act(ask(other()))
    expect(types(await heard())).toEqual(['answer'])
  })

  it('A8 an ask ends once: not-found', async () => {
    const { there, act, heard } = await scene(nodes)
    act(ask(onNode(there, 'nobody')))
    expect(codes(await heard())).toEqual(['not-found'])
  })

  it('A8 an ask ends once: overloaded', async () => {
    const { other, act, heard } = await scene(nodes)
    const to = other({}, 1)
    act({ type: 'send', to, message: doing({ type: 'stash' }) })
    act(ask(to))
    expect(codes(await heard())).toEqual(['overloaded'])
  })

  it('A8 an ask ends once: stopped, before it answered', async () => {
    const { stage, there, other, act, heard } = await scene(nodes)
    const to = other({ silent: true })
    act(ask(to))
    there.runtime.stop(to)
    stage.advance(20)
    expect(codes(await heard())).toEqual(['stopped'])
  })

  it('A8 an ask ends once: actor-failed, before it answered', async () => {
    const { stage, there, other, act, heard } = await scene(nodes)
    const to = other({ silent: true })
    act(ask(to))
    there.runtime.tell(to, { type: 'break', fault: 'throw' } as Message)
    stage.advance(20)
    expect(codes(await heard())).toEqual(['actor-failed'])
  })

  it('A8 A9 an ask ends once: timeout, at its deadline', async () => {
    const { stage, other, act, heard } = await scene(nodes)
    act(ask(other({ silent: true }), 100))
    stage.advance(60)
    expect(codes(await heard())).toEqual([])
    stage.advance(20)
    expect(codes(await heard())).toEqual(['timeout'])
  })

  it('A8 an answer after the deadline is a dead letter, not an answer', async () => {
    const { stage, there, other, act, heard } = await scene(nodes)
    const to = other({ silent: true })
    act(ask(to, 30))
    stage.advance(50)
    // The one who answers does not know, and uses what it kept.
    const { runtime } = there
    runtime.tell(
      to,
      doing({ type: 'reply', to: { actor: undefined, id: 1, life: undefined }, message: note(1) }),
    )
    stage.advance(20)
    expect(types(await heard())).toEqual(['ask-failed'])
    expect(runtime.deadLetters().counts['late-answer']).toBe(1)
  })

  it('A9 the deadline travels: the asked one sees what is left', async () => {
    const { other, act, heard } = await scene(nodes)
    act(ask(other(), 250))
    const [answer] = (await heard()) as [Message & { message: { deadline_ms: number; sender: Ref } }]
    expect(answer.message.deadline_ms).toBeGreaterThan(200)
    expect(answer.message.deadline_ms).toBeLessThanOrEqual(250)
    expect(answer.message.sender.address).toBe('loqa://here/actor')
  })

  it('A11 after a cancel nothing about it is handled, and the asked one is spared it', async () => {
    const { stage, other, act, heard } = await scene(nodes)
    act(ask(other(), 250), { type: 'cancel', id: requestId('q') })
    stage.advance(300)
    expect(await heard()).toEqual([])
  })

  it('A11 the same id replaces', async () => {
    const { other, act, heard } = await scene(nodes)
    const to = other()
    act(ask(to), ask(to))
    expect(types(await heard())).toEqual(['answer'])
  })

  it('A16 a watch brings one terminated: when it ended, and at once when it is not there', async () => {
    const { stage, there, other, act, heard } = await scene(nodes)
    const target = other()
    act({ type: 'watch', target }, { type: 'watch', target })
    expect(reasons(await heard())).toEqual([])
    there.runtime.stop(target)
    stage.advance(20)
    act({ type: 'watch', target })
    expect(reasons(await heard())).toEqual(['stopped', 'unknown-actor'])
  })

  it('A16 an unwatch calls it off', async () => {
    const { stage, there, other, act, heard } = await scene(nodes)
    const target = other()
    act({ type: 'watch', target }, { type: 'unwatch', target })
    there.runtime.stop(target)
    stage.advance(20)
    expect(reasons(await heard())).toEqual([])
  })

  it('A17 a ref reaches only its incarnation, an address whoever lives there now', async () => {
    const { stage, here, there, other, act } = await scene(nodes)
    const old = other()
    there.runtime.stop(old)
    stage.advance(20)
    const now = other()
    act({ type: 'send', to: old, message: note(1) }, { type: 'send', to: old.address, message: note(2) })
    expect(numbers(await stage.heard(there, now))).toEqual([2])
    expect(here.runtime.deadLetters().counts).toEqual({ 'stale-incarnation': 1 })
  })
})
