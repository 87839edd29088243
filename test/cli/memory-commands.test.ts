import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Live, live } from '../api/live.ts'
import { scriptedTimeline, scriptedTurn } from '../api/scripted-view.ts'
import { type Desk, desk } from './run.ts'

let node: Live
let ada: Desk
beforeAll(async () => {
  node = await live()
  ada = await desk(node.api.port)
})
afterAll(() => node.api.stop())

const typed = (text: string) => ({ input: Buffer.from(text) })

describe('loqa sessions show', () => {
  it('is a table of steps: what was heard, meant, asked and said, by whom, and how long each took', async () => {
    const { out, code } = await ada.run(['sessions', 'show', 's1'], { columns: 140 })
    expect(code).toBe(0)
    expect(out).toContain('s1  session, tier balanced')
    expect(out).toMatch(/turn 1 {2}2026-01-02T03:04:05\.\d+Z {2}trace 00112233/)
    expect(out).toMatch(/1790 ms +█+.* turn\.endpoint +100 ms of silence after "set a timer": complete/)
    expect(out).toMatch(/stt\.text +"set a timer for five minutes" +stt\.sherpa:starter-en:rt on attic/)
    expect(out).toMatch(/turn\.decided +timer\.set duration=300 → ask the skill timer +grammar, score 1\.00/)
    expect(out).toMatch(/skill\.result +timer: "Five minutes, starting now\." +may storage, timers/)
    expect(out).toMatch(/turn\.ended +done\n$/)
    const narrow = (await ada.run(['sessions', 'show', 's1'], { columns: 90 })).out
    expect(narrow.split('\n').every((line) => [...line].length <= 90)).toBe(true)
  })

  it('is the events for scripts, and exports them to a file of the person alone', async () => {
    const { out } = await ada.run(['sessions', 'show', 's1', '--json'])
    expect(JSON.parse(out)).toEqual(scriptedTimeline)
    expect(JSON.parse((await ada.run(['sessions', 'export', 's1'])).out)).toEqual(scriptedTimeline)
    expect((await ada.run(['sessions', 'export', 's1', '-o', 'talk.json'])).code).toBe(0)
    expect(JSON.parse(Buffer.from(await ada.disk.read('/work/talk.json')).toString())).toEqual(
      scriptedTimeline,
    )
    expect((await ada.disk.info('/work/talk.json'))?.mode).toBe(0o600)
  })

  it('without a name lists what is kept; a conversation that is not kept is an error', async () => {
    expect((await ada.run(['sessions', 'show'])).out).toMatch(/s1 +session +kitchen +– .* goes on +9\n/)
    const { code, err } = await ada.run(['sessions', 'show', 'other'])
    expect(code).toBe(1)
    expect(err).toContain('does not exist')
  })

  it('leaves the list of conversations where it was', async () => {
    expect((await ada.run(['sessions'])).out).toMatch(/s1 +kitchen +listening/)
  })

  it('--replay says that it would decide the same, or names the step that differs', async () => {
    const same = await ada.run(['sessions', 'show', 's1', '--replay'])
    expect([same.code, same.out]).toEqual([0, 'Same decisions: 3 in 1 turn, decided again without audio.\n'])
    const before = node.view.memory.replayNow
    const body = { turn: 1, decision: 'act' }
    node.view.memory.replayNow = {
      same: false,
      turns: 1,
      decisions: 2,
      difference: { turn: 1, step: 4, recorded: { kind: 'turn.decided', body }, replayed: null },
    }
    const other = await ada.run(['sessions', 'show', 's1', '--replay'])
    node.view.memory.replayNow = before
    expect(other.code).toBe(1)
    expect(other.out).toContain('Turn 1, step 4 is decided otherwise now; 1 before it are the same.')
    expect(other.out).toContain('then  turn.decided {"turn":1,"decision":"act"}')
    expect(other.out).toContain('now   nothing')
  })
})

describe('what erases', () => {
  const orders = () => node.view.memory.erased.splice(0)

  it('asks for the word first, and does nothing without it', async () => {
    for (const args of [
      ['sessions', 'erase', 's1'],
      ['sessions', 'erase', '--all'],
      ['persons', 'erase', 'Anna'],
    ]) {
      for (const answer of ['', 'yes\n', 'no\nerase\n']) {
        const { code, err } = await ada.run(args, typed(answer))
        expect([code, err.includes('Nothing was changed')]).toEqual([2, true])
      }
      expect(orders().every(({ dry_run }) => dry_run)).toBe(true)
      const done = await ada.run(args, typed('erase\n'))
      expect(done.code).toBe(0)
      expect(done.out).toMatch(/^Erased .* with (9|18) steps/)
      expect(orders().filter(({ dry_run }) => !dry_run)).toHaveLength(1)
    }
  })

  it('does as told with --yes, and only says what it would do with --dry-run', async () => {
    expect((await ada.run(['sessions', 'erase', 's1', '--yes', '--json'])).out).toBe(
      '{"timelines":1,"events":9}\n',
    )
    expect(orders().at(-1)).toEqual({ which: { session: 's1' }, dry_run: false })
    const dry = await ada.run(['sessions', 'erase', '--all', '--dry-run'])
    expect(dry.out).toBe('Would erase 1 timeline with 9 steps.\n')
    expect(orders()).toEqual([{ which: { all: true }, dry_run: true }])
  })

  it('wants to know what', async () => {
    for (const args of [
      ['sessions', 'erase'],
      ['sessions', 'erase', 's1', '--all'],
    ]) {
      expect((await ada.run(args)).code).toBe(2)
    }
    expect(orders()).toEqual([])
  })
})

describe('loqa persons', () => {
  it('lists who is known, with what they said', async () => {
    const { out } = await ada.run(['persons', 'ls'])
    expect(out).toMatch(/Anna +a1b2c3d4e5f60718 +2026-01-02 +given 2026-01-02\n/)
    expect(out).toMatch(/Ben +ffeeddccbbaa9988 +2026-01-02 +never asked\n/)
  })

  it('makes known, records a consent and takes it back', async () => {
    expect((await ada.run(['persons', 'add', 'Anna', 'Maria'])).out).toContain('Anna Maria')
    expect((await ada.run(['persons', 'consent', 'Anna', '--give'])).out).toContain('given')
    expect((await ada.run(['persons', 'consent', 'Anna', '--withdraw'])).out).toContain('withdrawn')
    expect(node.view.memory.consents).toEqual([
      { person: 'Anna', given: true },
      { person: 'Anna', given: false },
    ])
    for (const args of [[], ['--give', '--withdraw']]) {
      expect((await ada.run(['persons', 'consent', 'Anna', ...args])).code).toBe(2)
    }
  })

  it('exports what is kept of somebody', async () => {
    expect(JSON.parse((await ada.run(['persons', 'export', 'Anna'])).out)).toMatchObject({
      person: { name: 'Anna' },
      timelines: [{ session: 's1' }],
    })
  })
})

describe('a conversation', () => {
  it('is asked for with its scope and its person; what the node has to say about it is said beside', async () => {
    node.view.onAsk = async () => ({ ...scriptedTurn, notice: 'Kept until it ends only.' })
    const { err } = await ada.run(['ask', 'hello', '--scope', 'persistent', '--person', 'Anna'])
    expect(node.view.asked.at(-1)).toEqual({ text: 'hello', scope: 'persistent', person: 'Anna' })
    expect(err).toBe('Kept until it ends only.\n')
    expect((await ada.run(['ask', 'hello', '--scope', 'for ever'])).code).not.toBe(0)
  })
})
