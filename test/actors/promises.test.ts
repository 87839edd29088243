/** The page of promises in `behavior.ts`, number by number. */
import { describe, expect, it } from 'vitest'
import type { Effect, Message, OutsidePort, Ref } from '../../src/actors/index.ts'
import { MAX_CONTROL } from '../../src/actors/mailbox.ts'
import { requestId } from '../../src/host/index.ts'
import { type at, bench, breaking, doing, note, numbers, placed, probe, types } from './probe.ts'

const send = (to: Ref, message: Message): Effect => ({ type: 'send', to, message })
const ask = (name: string, to: Ref | ReturnType<typeof at>, deadline_ms = 1_000): Effect => ({
  type: 'ask',
  id: requestId(name),
  to,
  message: { type: 'question' },
  deadline_ms,
})
const read = (name: string): Effect => ({ type: 'read', id: requestId(name), to: 'shelf', op: 'get' })

/** A system with probes `a`, `b`, … that have started. */
function probes(count: number, options: Parameters<typeof bench>[0] = {}) {
  const system = bench(options)
  const refs = Array.from({ length: count }, (_, i) =>
    system.runtime.spawn({ kind: 'probe', key: String.fromCharCode(97 + i) }),
  )
  system.advance(1)
  return { ...system, refs }
}

const failureOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise
    return 'answered'
  } catch (error) {
    return (error as { code?: string }).code ?? error
  }
}

describe('handling', () => {
  it('A1 carries out effects in order, after the state is stored', async () => {
    const system = bench()
    const seen: string[] = []
    system.runtime.subscribe('one', () => seen.push('one'))
    system.runtime.subscribe('two', () => seen.push('two'))
    const publish = (topic: string): Effect => ({ type: 'publish', topic, message: { type: topic } })
    system.runtime.spawn({ kind: 'probe', key: 'a', args: { atStart: [publish('one'), publish('two')] } })
    system.advance(1)
    expect(seen).toEqual(['one', 'two'])
  })

  it('A2 delivers in the order of telling, per pair', async () => {
    const { runtime, refs, advance, heard } = probes(3)
    const [a, b, c] = refs as [Ref, Ref, Ref]
    for (let n = 0; n < 100; n += 1) {
      runtime.tell(a, doing(send(c, note(n))))
      runtime.tell(b, doing(send(c, note(1_000 + n))))
    }
    advance(1)
    const told = numbers(await heard(c))
    expect(told.filter((n) => n < 1_000)).toEqual(Array.from({ length: 100 }, (_, n) => n))
    expect(told.filter((n) => n >= 1_000)).toEqual(Array.from({ length: 100 }, (_, n) => 1_000 + n))
  })

  it('A2 delivers many sends of one step in order, whoever else is sent to in between', async () => {
    const { runtime, refs, advance, heard } = probes(3)
    const [a, b, c] = refs as [Ref, Ref, Ref]
    const sends = Array.from({ length: 100 }, (_, n) => send(n % 10 === 0 ? b : c, note(n)))
    runtime.tell(a, doing(...sends))
    advance(1)
    expect(numbers(await heard(b))).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90])
    expect(numbers(await heard(c))).toEqual(
      Array.from({ length: 100 }, (_, n) => n).filter((n) => n % 10 !== 0),
    )
  })

  it('A1 carries out what stands before an effect that is none, and nothing after it', async () => {
    const { runtime, refs, advance, heard, row } = probes(2)
    const [a, b] = refs as [Ref, Ref]
    runtime.tell(a, doing(send(b, note(1)), send(b, note(2)), undefined as never, send(b, note(3))))
    advance(1_000)
    expect(numbers(await heard(b))).toEqual([1, 2])
    expect(row(a)?.restarts).toBe(1)
  })

  it('A3 counts what reaches nobody, by reason, without its content', () => {
    const { runtime, refs, advance } = probes(2)
    const [a, b] = refs as [Ref, Ref]
    expect(runtime.tell(placed('nobody'), note(7))).toBe(false)
    expect(runtime.tell('loqa://elsewhere/x' as never, note(7))).toBe(false)
    runtime.tell(b, breaking('throw'))
    advance(1)
    runtime.tell(b, note(7))
    runtime.stop(b)
    advance(1)
    runtime.tell(a, doing(send(b, note(7))))
    advance(1)
    const { counts, last } = runtime.deadLetters()
    expect(counts).toEqual({ 'unknown-actor': 2, unreachable: 1, 'failed-on': 1, stopped: 1 })
    expect(last.map(({ reason, to, type }) => [reason, to, type])).toContainEqual([
      'stopped',
      b.address,
      'note',
    ])
    expect(JSON.stringify(last)).not.toContain('7"')
    expect(last.every((letter) => !('n' in letter))).toBe(true)
  })

  it('A3 keeps the last hundred dead letters and counts all', () => {
    const { runtime } = probes(0)
    for (let n = 0; n < 250; n += 1) runtime.tell(placed(`x${n}`), note(n))
    const { counts, last } = runtime.deadLetters()
    expect(counts['unknown-actor']).toBe(250)
    expect(last.map(({ to }) => to)).toEqual(Array.from({ length: 100 }, (_, n) => placed(`x${150 + n}`)))
  })

  it('A4 lets a stop overtake control, and control overtake data', async () => {
    const { runtime, refs, advance, heard } = probes(2, {
      outside: () => ({
        read: ({ id }, deliver) => deliver({ type: 'outcome', id, event: 'done' }),
      }),
    })
    const [a, b] = refs as [Ref, Ref]
    runtime.tell(a, doing(send(a, note(1)), send(a, note(2)), read('r')))
    advance(1)
    expect(types(await heard(a))).toEqual(['outcome', 'note', 'note'])
    runtime.tell(b, note(1))
    runtime.stop(b)
    advance(1)
    expect(runtime.deadLetters().counts).toEqual({ stopped: 1 })
  })

  it('A4 lets an ended child overtake control and data that came before it', async () => {
    let deliver: (() => void) | undefined
    const { runtime, refs, advance, heard } = probes(1, {
      outside: () => ({
        read: ({ id }, tell) => {
          deliver = () => tell({ type: 'outcome', id, event: 'done' })
        },
      }),
    })
    const [a] = refs as [Ref]
    const spawn: Effect = { type: 'spawn', kind: 'probe', key: 'child', restart: 'temporary' }
    runtime.tell(a, doing(read('r'), spawn))
    advance(1)
    // The child has its turn first and ends in it: by then the other two wait.
    runtime.stop(placed('child'), { kill: true })
    runtime.tell(a, note(1))
    deliver!()
    advance(1)
    expect(types(await heard(a))).toEqual(['child-exited', 'outcome', 'note'])
  })

  const bounded = (overflow: 'reject' | 'drop-oldest' | 'drop-newest') => {
    const system = bench()
    const mailbox = { capacity: 4, overflow }
    const full = system.runtime.spawn({ kind: 'probe', key: 'full', mailbox })
    const taken = Array.from({ length: 6 }, (_, n) => system.runtime.tell(full, note(n)))
    return { ...system, full, taken }
  }

  it('A5 sheds data as the policy says', async () => {
    for (const [overflow, kept, told] of [
      ['reject', [0, 1, 2, 3], [true, true, true, true, false, false]],
      ['drop-newest', [0, 1, 2, 3], [true, true, true, true, false, false]],
      ['drop-oldest', [2, 3, 4, 5], [true, true, true, true, true, true]],
    ] as const) {
      const { full, taken, runtime, advance, heard } = bounded(overflow)
      const asked = failureOf(runtime.ask(full, { type: 'question' }, { deadline_ms: 100 }))
      advance(1)
      expect(taken).toEqual(told)
      expect(await asked).toBe('overloaded')
      expect(numbers(await heard(full))).toEqual(kept)
    }
  })

  it('A5 sheds the same way when many are sent in one step', async () => {
    for (const [overflow, kept, counted] of [
      ['reject', [0, 1, 2, 3], { overflow: 2 }],
      ['drop-newest', [0, 1, 2, 3], { overflow: 2 }],
      ['drop-oldest', [2, 3, 4, 5], { 'dropped-oldest': 2 }],
    ] as const) {
      const { runtime, refs, advance, heard } = probes(1)
      const full = runtime.spawn({ kind: 'probe', key: 'full', mailbox: { capacity: 4, overflow } })
      advance(1)
      runtime.tell(refs[0]!, doing(...Array.from({ length: 6 }, (_, n) => send(full, note(n)))))
      advance(1)
      expect(numbers(await heard(full))).toEqual(kept)
      expect(runtime.deadLetters().counts).toEqual(counted)
    }
  })

  it('A5 gives up outside work whose chunks pile up', async () => {
    const cancelled: string[] = []
    let flood: (() => void) | undefined
    const { runtime, refs, advance, heard } = probes(1, {
      outside: () => ({
        read: ({ id }, deliver) => {
          flood = () => {
            for (let i = 0; i < MAX_CONTROL + 10; i += 1) deliver({ type: 'outcome', id, event: 'chunk' })
          }
        },
        cancel: (id) => cancelled.push(id),
      }),
    })
    runtime.tell(refs[0]!, doing(read('r')))
    advance(1)
    flood!()
    advance(1)
    const outcomes = (await heard(refs[0]!)) as (Message & { event: string })[]
    expect(outcomes).toHaveLength(MAX_CONTROL + 1)
    expect(outcomes.at(-1)).toMatchObject({ event: 'failed', error: { code: 'overloaded' } })
    expect(cancelled).toEqual(['r'])
  })

  it('A6 puts messages aside and back, in order of arrival', async () => {
    const system = bench({
      behaviors: {
        probe,
        gate: {
          behavior: {
            kind: 'gate',
            start: () => ({ state: { open: false, seen: [] as number[] }, effects: [] }),
            receive(state: unknown, message: Message) {
              const { open, seen } = state as { open: boolean; seen: number[] }
              if (message.type === 'open') {
                return { state: { open: true, seen }, effects: [{ type: 'unstash' as const }] }
              }
              if (!open) return { state, effects: [{ type: 'stash' as const }] }
              const { n } = message as Message & { n: number }
              const told: Effect = { type: 'publish', topic: 'seen', message: note(n) }
              return { state: { open, seen: [...seen, n] }, effects: [told] }
            },
          },
        },
      },
    })
    const seen: Message[] = []
    system.runtime.subscribe('seen', (message) => seen.push(message))
    const gate = system.runtime.spawn({ kind: 'gate', key: 'g' })
    for (let n = 0; n < 3; n += 1) system.runtime.tell(gate, note(n))
    system.advance(1)
    expect(seen).toEqual([])
    system.runtime.tell(gate, { type: 'open' })
    system.runtime.tell(gate, note(3))
    system.advance(1)
    expect(numbers(seen)).toEqual([0, 1, 2, 3])
  })

  it('A7 brings what is published to every subscriber, until it unsubscribes or ends', async () => {
    const { runtime, refs, advance, heard } = probes(3)
    const [a, b, c] = refs as [Ref, Ref, Ref]
    const seen: Message[] = []
    const unsubscribe = runtime.subscribe('news', (message) => seen.push(message))
    for (const ref of [a, b]) runtime.tell(ref, doing({ type: 'subscribe', topic: 'news' }))
    advance(1)
    runtime.tell(c, doing({ type: 'publish', topic: 'news', message: note(1) }))
    advance(1)
    runtime.tell(a, doing({ type: 'unsubscribe', topic: 'news' }))
    runtime.stop(b)
    advance(1)
    runtime.publish('news', note(2))
    unsubscribe()
    runtime.publish('news', note(3))
    advance(1)
    expect(numbers(await heard(a))).toEqual([1])
    expect(numbers(seen)).toEqual([1, 2])
    expect(runtime.deadLetters().counts).toEqual({})
  })
})

describe('asking', () => {
  it('A8 ends with an answer, in whichever way the question came', async () => {
    const { runtime, refs, advance, heard } = probes(2)
    const [a, b] = refs as [Ref, Ref]
    runtime.tell(a, doing(ask('q', b)))
    advance(1)
    expect(await heard(a)).toMatchObject([{ type: 'answer', id: 'q', message: { type: 'report' } }])
  })

  it('A8 ends with a typed error otherwise', async () => {
    const { runtime, refs, advance } = probes(1)
    const quiet = (key: string): Ref => runtime.spawn({ kind: 'probe', key, args: { silent: true } })
    const from = (target: Ref | ReturnType<typeof at>, signal?: AbortSignal) => {
      const options = signal === undefined ? { deadline_ms: 100 } : { deadline_ms: 100, signal }
      return failureOf(runtime.ask(target, { type: 'question' }, options))
    }
    const [stopping, failing, late, given] = [quiet('s'), quiet('f'), quiet('l'), quiet('g')]
    const giveUp = new AbortController()
    const endings = Promise.all([
      from(placed('nobody')),
      from('loqa://elsewhere/x' as never),
      from(stopping),
      from(failing),
      from(late),
      from(given, giveUp.signal),
      from(given, AbortSignal.abort()),
    ])
    advance(1)
    runtime.stop(stopping)
    runtime.tell(failing, breaking('throw'))
    giveUp.abort()
    advance(200)
    expect(await endings).toEqual([
      ...['not-found', 'unreachable', 'stopped', 'actor-failed', 'timeout', 'cancelled', 'cancelled'],
    ])
    expect(refs).toHaveLength(1)
  })

  it('A8 fails the question an actor fails on, and those still in its mailbox when it stops', async () => {
    const { runtime, refs, advance } = probes(1)
    const target = refs[0]!
    const failing = failureOf(runtime.ask(target, breaking('throw'), { deadline_ms: 100 }))
    advance(1)
    const waiting = failureOf(runtime.ask(target, { type: 'question' }, { deadline_ms: 10_000 }))
    runtime.stop(target)
    advance(1)
    expect(await failing).toBe('actor-failed')
    expect(await waiting).toBe('stopped')
  })

  it('A8 does not handle a question that is over, and buries a late answer', async () => {
    const { runtime, refs, advance, heard } = probes(2)
    const [slow, other] = refs as [Ref, Ref]
    runtime.tell(slow, breaking('throw'))
    const asked = failureOf(runtime.ask(slow, note(1), { deadline_ms: 1 }))
    // It rests for at least 10 ms before it is started again: the question is over by then.
    advance(1_000)
    expect(await asked).toBe('timeout')
    expect(await heard(slow)).toEqual([])
    expect(runtime.deadLetters().counts).toMatchObject({ expired: 1 })
    runtime.tell(other, doing({ type: 'reply', to: { actor: undefined, id: 1 }, message: note(1) }))
    advance(1)
    expect(runtime.deadLetters().counts).toMatchObject({ 'late-answer': 1 })
  })

  it('A9 lets the deadline travel: a further ask never outlives the first', async () => {
    const waits: (number | undefined)[] = []
    const relay = {
      kind: 'relay',
      start: () => ({ state: undefined, effects: [] }),
      receive(_state: unknown, message: Message, context: { deadline_ms: number | undefined }) {
        waits.push(context.deadline_ms)
        if (message.type !== 'question') return { state: undefined, effects: [] }
        return { state: undefined, effects: [ask('next', placed('deaf'), 60_000)] }
      },
    }
    const system = bench({ behaviors: { probe, relay } })
    const first = system.runtime.spawn({ kind: 'relay', key: 'r' })
    system.runtime.spawn({ kind: 'probe', key: 'deaf', args: { silent: true } })
    const asked = failureOf(system.runtime.ask(first, { type: 'question' }, { deadline_ms: 250 }))
    system.advance(300)
    expect(await asked).toBe('timeout')
    expect(waits[0]).toBe(250)
    expect(system.trace().filter((line) => line.includes('"ask-failed","id":"next"'))).toHaveLength(1)
    expect(
      Number(
        system
          .trace()
          .find((line) => line.includes('ask-failed'))!
          .split(' ')[0],
      ),
    ).toBeLessThan(270)
  })

  it('A9 fires a deadline not early and at most 10 ms late', async () => {
    const { runtime, refs, advance, host } = probes(1)
    runtime.tell(refs[0]!, doing())
    const quiet = runtime.spawn({ kind: 'probe', key: 'quiet', args: { silent: true } })
    for (const deadline_ms of [1, 7, 8, 9, 100, 4_096, 5_000, 60_000]) {
      const begin = host.clock.monotonic()
      let took: number | undefined
      void failureOf(runtime.ask(quiet, { type: 'question' }, { deadline_ms })).then(() => {
        took ??= host.clock.monotonic() - begin
      })
      while (took === undefined) {
        advance(1)
        await Promise.resolve()
        await Promise.resolve()
        await Promise.resolve()
        await Promise.resolve()
      }
      expect(took).toBeGreaterThanOrEqual(deadline_ms)
      expect(took).toBeLessThanOrEqual(deadline_ms + 10)
    }
  })

  it('A10 lets an answer be given later, once, also by somebody else', async () => {
    const { runtime, refs, advance } = probes(1)
    const keeper = runtime.spawn({ kind: 'probe', key: 'keeper', args: { silent: true } })
    const asked = runtime.ask(keeper, { type: 'question' }, { deadline_ms: 1_000 })
    advance(10)
    const reply: Effect = { type: 'reply', to: { actor: undefined, id: 1 }, message: note(1) }
    runtime.tell(refs[0]!, doing(reply, { ...reply, message: note(2) }))
    advance(1)
    expect(await asked).toEqual(note(1))
    expect(runtime.deadLetters().counts).toEqual({ 'late-answer': 1 })
  })

  it('A11 handles nothing about an id after its cancel, not even what was queued', async () => {
    const cancelled: string[] = []
    const { runtime, refs, advance, heard } = probes(2, {
      outside: () => ({
        read: ({ id }, deliver) => {
          deliver({ type: 'outcome', id, event: 'chunk' })
          deliver({ type: 'outcome', id, event: 'done' })
        },
        write: () => undefined,
        cancel: (id) => cancelled.push(id),
      }),
    })
    const [a, b] = refs as [Ref, Ref]
    const cancel = (name: string): Effect => ({ type: 'cancel', id: requestId(name) })
    const later: Effect = { type: 'schedule', id: requestId('s'), delay_ms: 5, message: note(1) }
    runtime.tell(a, doing(read('r'), cancel('r'), later, cancel('s'), ask('q', b), cancel('q')))
    const write: Effect = { type: 'write', id: requestId('w'), to: 'shelf', op: 'put' }
    runtime.tell(a, doing(write, cancel('w')))
    advance(100)
    expect(await heard(a)).toEqual([])
    // The reading was over when it was cancelled; only the writing had to be called off.
    expect(cancelled).toEqual(['w'])
  })

  it('A11 replaces what has the same id', async () => {
    const { runtime, refs, advance, heard } = probes(1)
    const later = (delay_ms: number, n: number): Effect => ({
      type: 'schedule',
      id: requestId('s'),
      delay_ms,
      message: note(n),
    })
    runtime.tell(refs[0]!, doing(later(5, 1), later(10, 2)))
    advance(100)
    expect(numbers(await heard(refs[0]!))).toEqual([2])
  })

  it('A12 brings outcomes in order, to the life that asked, and nothing after the end', async () => {
    let deliver: Parameters<NonNullable<ReturnType<typeof portsOf>['read']>>[1] | undefined
    const gone: Ref[] = []
    const portsOf = () => ({
      read: (_effect: OutsidePort, to: (outcome: never) => void) => {
        deliver = to
      },
      actorGone: (ref: Ref) => gone.push(ref),
    })
    const { runtime, refs, advance, heard } = probes(1, { outside: portsOf as never })
    const [a] = refs as [Ref]
    const tell = (event: string, body?: unknown): void =>
      deliver!({ type: 'outcome', id: requestId('r'), event, body } as never)
    runtime.tell(a, doing(read('r')))
    advance(1)
    for (const part of [1, 2]) tell('chunk', part)
    tell('done', 3)
    tell('chunk', 4)
    tell('done', 5)
    advance(1)
    expect((await heard(a)).map((message) => (message as Message & { body: number }).body)).toEqual([1, 2, 3])
    runtime.tell(a, doing(read('r')))
    advance(1)
    runtime.tell(a, breaking('throw'))
    advance(1_000)
    tell('done', 6)
    advance(1)
    expect(await heard(a)).toEqual([])
    runtime.stop(a)
    advance(1)
    expect(gone).toMatchObject([{ address: a.address }])
  })

  it('A12 answers for a port that is missing or throws', async () => {
    const { runtime, refs, advance, heard } = probes(1, {
      outside: () => ({
        write: () => {
          throw new Error('a defect of the port')
        },
      }),
    })
    const write: Effect = { type: 'write', id: requestId('w'), to: 'shelf', op: 'put' }
    runtime.tell(refs[0]!, doing(read('r'), write))
    advance(1)
    expect(await heard(refs[0]!)).toMatchObject([
      { id: 'r', event: 'failed', error: { code: 'unavailable' } },
      { id: 'w', event: 'failed', error: { code: 'unexpected' } },
    ])
  })
})
