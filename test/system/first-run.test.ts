import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ActorView, SessionView, StatusView, TurnView } from '../../src/api/index.ts'
import { fixture, RunningNode } from './running-node.ts'
import { hear } from './wav.ts'

let node: RunningNode
beforeAll(async () => {
  node = await RunningNode.start()
}, 60_000)
afterAll(() => node.dispose())

describe('a fresh node', () => {
  it('says what it is, what it can do and how well', async () => {
    const status = await node.json<StatusView>('status')
    expect(status.node).toMatchObject({ name: 'tester', room: 'kitchen', pid: node.pid })
    expect(status.health.state).toBe('ok')
    expect(status.notices.join('\n')).toMatch(/synthesized voices only[\s\S]*inference\.models_dir/)
    const tags = status.capabilities.map((capability) => capability.tag.split('.')[0])
    expect(tags).toEqual(expect.arrayContaining(['stt', 'llm', 'tts']))
    expect(status.capabilities.every((capability) => capability.state === 'ready')).toBe(true)
  })

  it('hears a command, acts, and answers aloud', async () => {
    const reply = join(node.data, 'reply.wav')
    const turn = await node.json<TurnView>('listen', fixture('set-a-timer-for-five-minutes.wav'), '-o', reply)
    expect(turn).toMatchObject({
      room: 'kitchen',
      transcript: 'set a timer for five minutes',
      intent: 'timer.set',
      slots: { duration: 300 },
      cut_off: false,
      reply_wav: reply,
    })
    expect(turn.reply).toMatch(/five minutes/i)
    expect(turn.partials.length).toBeGreaterThan(1)
    for (const hop of ['endpoint', 'skill', 'tts', 'total'] as const)
      expect(turn.latency_ms[hop]).toBeTypeOf('number')
    const heard = hear(reply)
    expect(heard.seconds).toBeGreaterThan(0.5)
    expect(heard.voiced).toBeGreaterThan(0.4)
    expect(heard.peak).toBeGreaterThan(3000)
  })

  it('lists the timer it has set', async () => {
    const turn = await node.json<TurnView>('ask', 'which timers do i have')
    expect(turn.reply).toMatch(/five.minute|5.minute|minutes/i)
  })

  it('speaks so that its own recogniser understands it', async () => {
    const said = join(node.data, 'said.wav')
    const result = await node.loqa('say', 'what time is it', '-o', said)
    expect(result.code, result.stderr).toBe(0)
    expect((await node.json<TurnView>('listen', said)).intent).toBe('clock.time')
  })

  it('says that it did not understand what no one taught it', async () => {
    const turn = await node.json<TurnView>('listen', fixture('where-did-you-put-my-keys.wav'))
    expect(turn.intent).toBe('none')
    expect(turn.reply).toMatch(/not understand|didn't understand/i)
  })

  it('asks back for what is missing and takes the answer', async () => {
    const question = await node.json<TurnView>('ask', 'set a pasta timer')
    expect(question.reply).toBe('For how long?')
    const answer = await node.json<TurnView>('ask', 'five minutes', '--session', question.session)
    expect(answer).toMatchObject({ intent: 'timer.set', slots: { name: 'pasta', duration: 300 } })
  })

  it('is honest about what is not connected', async () => {
    const turn = await node.json<TurnView>('ask', 'turn on the kitchen lights')
    expect(turn).toMatchObject({ intent: 'light.on', slots: { room: 'kitchen' } })
    expect(turn.reply).toMatch(/kitchen/i)
    expect(turn.reply).not.toMatch(/\b(done|okay|ok)\b/i)
  })

  it('lists its actors and sessions', async () => {
    const actors = await node.json<ActorView[]>('actors')
    expect(actors.map((actor) => actor.kind)).toEqual(expect.arrayContaining(['session', 'skill', 'replica']))
    expect(actors.every((actor) => actor.address.startsWith('loqa:'))).toBe(true)
    const sessions = await node.json<SessionView[]>('sessions')
    expect(sessions.length).toBeGreaterThan(0)
  })

  it('keeps what is private private', () => {
    expect(statSync(node.data).mode & 0o077).toBe(0)
    expect(existsSync(join(node.data, 'runtime.json'))).toBe(true)
    expect(node.output).not.toMatch(/pasta|kitchen lights/)
  })
})
