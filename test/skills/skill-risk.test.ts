import { describe, expect, it } from 'vitest'
import { nodeId } from '../../src/host/index.ts'
import { actsOf } from '../../src/skills/acts.ts'
import type { CallOutcome, Change, Heard, SkillCall } from '../../src/skills/call.ts'
import type { Device, SkillArgs } from '../../src/skills/index.ts'
import { APPROVE_WITHIN_MS } from '../../src/skills/skill-risk.ts'
import { SkillStage } from './stage.ts'

/** A1–A4 of `skill-risk.ts`. */

const door: Device = { id: 'door', name: 'front door', room: 'hall', kind: 'lock', state: { locked: true } }
const lamp: Device = { id: 'lamp', name: 'lamp', room: 'hall', kind: 'light', state: { on: false } }
const garage: Device = { id: 'g', name: 'garage door', room: '', kind: 'cover', state: {} }
const blind: Device = { id: 'b', name: 'kitchen blind', room: 'kitchen', kind: 'cover', state: {} }
const UNLOCK: Change = { change: 'device', device: 'door', command: 'unlock' }
const LIGHT: Change = { change: 'device', device: 'lamp', command: 'on' }

const ARGS: SkillArgs = {
  name: 'home',
  node: nodeId('here'),
  confirm: { 'home.unlock': 'Shall I unlock it?' },
  risk: { 'home.unlock': 'high', 'home.wipe': 'critical' },
  intents: ['home.unlock', 'home.guest', 'home.wipe'],
  may_speak: true,
  hears: true,
  vouched: true,
  zone: 'UTC',
}
const saying = (speech: string, ...changes: Change[]): CallOutcome => {
  const acts = actsOf(changes, [door, lamp])
  return { ok: true, result: { answer: { speech }, changes, ...(acts.length === 0 ? {} : { acts }) } }
}

function scripted(
  script: (call: SkillCall, number: number) => CallOutcome,
  args: Partial<SkillArgs> = {},
): {
  stage: SkillStage
  calls: SkillCall[]
} {
  const calls: SkillCall[] = []
  const stage = new SkillStage({ ...ARGS, ...args }, (call) => {
    calls.push(call)
    return script(call, calls.length)
  })
  return { stage, calls }
}
const audited = (stage: SkillStage): string[] =>
  stage.effects.flatMap((effect) =>
    effect.type === 'audit' && effect.what === 'skill.approval'
      ? [`${effect.object}: ${effect.outcome}`]
      : [],
  )
const commands = (stage: SkillStage): unknown[] => [...stage.outside.values()].map(({ body }) => body)
const wanted = (stage: SkillStage) =>
  stage.published.find(({ type }) => type === 'approval.wanted') as unknown as {
    id: string
    words: string
    risk: string
  }

describe('how much harm a change can do', () => {
  const risk = (change: Change): string => actsOf([change], [door, lamp, garage, blind])[0]?.risk ?? 'low'
  const command = (device: string, name: string): Change => ({ change: 'device', device, command: name })
  it.each([
    [command('door', 'unlock'), 'high'],
    [command('door', 'open'), 'high'],
    [command('door', 'anything_else'), 'high'],
    [command('door', 'lock'), 'low'],
    [command('g', 'open'), 'high'],
    [command('g', 'close'), 'low'],
    [command('b', 'open'), 'low'],
    [command('lamp', 'on'), 'low'],
    [command('nobody-knows', 'on'), 'high'],
    [{ change: 'http', id: 'a', method: 'GET', url: 'https://a.example', headers: {} }, 'low'],
    [{ change: 'http', id: 'a', method: 'POST', url: 'https://a.example', headers: {} }, 'medium'],
    [{ change: 'put', key: 'a', value: 'b' }, 'low'],
  ] satisfies [Change, string][])('%j is %s', (change, expected) => {
    expect(risk(change)).toBe(expected)
  })
})

describe('A1 what a person asked for', () => {
  it('is asked back with what would be done, and nothing of the call counts until the yes', async () => {
    const { stage, calls } = scripted(() =>
      saying('Come in.', { change: 'put', key: 'a', value: 'b' }, LIGHT, UNLOCK),
    )
    expect(await stage.ask('home.guest')).toMatchObject({
      speech: 'Shall I unlock the front door?',
      follow_up: { confirm: true },
    })
    expect([stage.stored.size, stage.outside.size]).toEqual([0, 0])
    void stage.tellAsk('home.guest', {}, true)
    await stage.settle()
    expect(commands(stage)).toEqual([
      { device: 'lamp', command: 'on' },
      { device: 'door', command: 'unlock' },
    ])
    expect(calls).toHaveLength(2)
    expect(audited(stage)).toEqual([
      'home: unlock the front door: asked',
      'home: unlock the front door: confirmed',
    ])
  })

  it('is not done by a yes to something else', async () => {
    const { stage } = scripted(() => saying('', UNLOCK))
    // The skill asked something harmless itself; the yes to that is not a yes to the door.
    expect((await stage.ask('home.guest', {}, true)).speech).toBe('Shall I unlock the front door?')
    expect(stage.outside.size).toBe(0)
  })

  it('is not done by a yes that was given for another act', async () => {
    const { stage } = scripted((_, number) =>
      saying('', number === 1 ? { ...UNLOCK, command: 'open' } : UNLOCK),
    )
    await stage.ask('home.guest')
    expect((await stage.ask('home.guest', {}, true)).speech).toBe('Shall I unlock the front door?')
    expect(stage.outside.size).toBe(0)
  })

  it('needs no second question where the manifest declares the risk and asks itself', async () => {
    const { stage } = scripted(() => saying('Open.', UNLOCK))
    expect(await stage.ask('home.unlock')).toMatchObject({
      speech: 'Shall I unlock it?',
      follow_up: { confirm: true },
    })
    void stage.tellAsk('home.unlock', {}, true)
    await stage.settle()
    expect(commands(stage)).toEqual([{ device: 'door', command: 'unlock' }])
  })

  it('needs the node’s own question where nobody vouched for those of the manifest', async () => {
    const { stage } = scripted(() => saying('Open.', UNLOCK), { vouched: false })
    await stage.ask('home.unlock')
    expect((await stage.ask('home.unlock', {}, true)).speech).toBe('Shall I unlock the front door?')
    expect(stage.outside.size).toBe(0)
    void stage.tellAsk('home.unlock', {}, true)
    await stage.settle()
    expect(commands(stage)).toEqual([{ device: 'door', command: 'unlock' }])
  })

  it('is not done by a yes to what the skill asks after the no', async () => {
    const { stage } = scripted((_, number) =>
      number === 2 ? saying('Shall I play music?') : saying('', UNLOCK),
    )
    await stage.ask('home.guest')
    // No. Then the same again, and now the skill asks something harmless.
    expect((await stage.ask('home.guest')).speech).toBe('Shall I play music?')
    expect((await stage.ask('home.guest', {}, true)).speech).toBe('Shall I unlock the front door?')
    expect(stage.outside.size).toBe(0)
    expect(audited(stage)).toContain('home: unlock the front door: not confirmed')
  })

  it('that nobody says yes to is recorded as not confirmed, and a later yes counts for nothing', async () => {
    const { stage } = scripted(() => saying('', UNLOCK))
    await stage.ask('home.guest')
    await stage.advance(60_001)
    expect(audited(stage).at(-1)).toBe('home: unlock the front door: not confirmed')
    expect((await stage.ask('home.guest', {}, true)).speech).toBe('Shall I unlock the front door?')
    expect(stage.outside.size).toBe(0)
  })
})

describe('A1 what nobody asked for', () => {
  const ring = async (stage: SkillStage): Promise<void> => {
    await stage.settle()
    stage.tell({ type: 'topic.said', topic: 'none', data: '', from: 'x', hops: 1 })
    stage.write({ change: 'put', key: 'timer/t', value: { due_wall: 0, delay_ms: 1, by: 'here' } })
    await stage.advance(10)
  }

  it('waits until somebody allows it; the rest of the call counts', async () => {
    const { stage, calls } = scripted((call) =>
      call.entry === 'due' ? saying('', LIGHT, UNLOCK) : saying(''),
    )
    await ring(stage)
    expect(commands(stage)).toEqual([{ device: 'lamp', command: 'on' }])
    await stage.ends(undefined)
    expect(wanted(stage)).toMatchObject({ words: 'unlock the front door', risk: 'high' })
    stage.tell({ type: 'approval.decided', id: wanted(stage).id, allowed: true, by: 'cli' })
    await stage.settle()
    expect(commands(stage)).toEqual([{ device: 'door', command: 'unlock' }])
    expect(JSON.parse(calls.at(-1)!.input) as Heard).toMatchObject({ of: 'approval', ok: true })
  })

  it.each(['denied', 'not decided in time'])(
    'is not done when it is %s, and a later word changes nothing',
    async (how) => {
      const { stage, calls } = scripted((call) => (call.entry === 'due' ? saying('', UNLOCK) : saying('')))
      await ring(stage)
      const { id } = wanted(stage)
      if (how === 'denied') stage.tell({ type: 'approval.decided', id, allowed: false, by: 'cli' })
      // A3: should nobody say that the time is over, the actor knows by itself.
      else await stage.advance(APPROVE_WITHIN_MS + 2_000)
      await stage.settle()
      stage.tell({ type: 'approval.decided', id, allowed: true, by: 'cli' })
      await stage.settle()
      expect(stage.outside.size).toBe(0)
      expect(JSON.parse(calls.at(-1)!.input) as Heard).toMatchObject({ of: 'approval', ok: false })
    },
  )

  it('of too much at once is denied', async () => {
    const { stage } = scripted((call) => (call.entry === 'due' ? saying('', UNLOCK) : saying('')))
    await stage.settle()
    for (let i = 0; i < 12; i += 1) {
      stage.write({ change: 'put', key: `timer/t${i}`, value: { due_wall: 0, delay_ms: 1, by: 'here' } })
    }
    await stage.advance(10)
    expect(stage.published.filter(({ type }) => type === 'approval.wanted')).toHaveLength(8)
    expect(audited(stage).filter((line) => line.endsWith('too many wait'))).toHaveLength(4)
  })
})

describe('A2 what is critical', () => {
  it('is asked back, and then must be allowed by hand; what it says then is said aloud', async () => {
    const { stage, calls } = scripted(() => saying('Wiped.', { change: 'put', key: 'a', value: 'b' }))
    expect(await stage.ask('home.wipe')).toMatchObject({ follow_up: { confirm: true } })
    expect((await stage.ask('home.wipe', {}, true)).speech).toContain('allowed by hand')
    expect([stage.stored.size, calls.length]).toEqual([0, 1])
    expect(wanted(stage)).toMatchObject({ words: 'do what home.wipe does', risk: 'critical' })
    stage.tell({ type: 'approval.decided', id: wanted(stage).id, allowed: true, by: 'cli' })
    await stage.settle()
    expect([stage.stored.size, calls.length]).toEqual([1, 2])
    expect(stage.announced).toMatchObject([{ speech: 'Wiped.', room: 'kitchen' }])
  })
})
