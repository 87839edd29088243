import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { operations } from '../../src/api/operations.ts'
import { commands } from '../../src/cli/specs/index.ts'
import { LoqaError } from '../../src/host/index.ts'
import { type Live, live } from '../api/live.ts'
import { scriptedTurn } from '../api/scripted-view.ts'
import { type Desk, desk } from './run.ts'

let node: Live
let ada: Desk
beforeAll(async () => {
  node = await live()
  ada = await desk(node.api.port)
})
afterAll(() => node.api.stop())

describe('what a person reads', () => {
  it('status is one screen', async () => {
    const { code, out, err } = await ada.run(['status'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toBe(`node       attic (0123456789abcdef)
room       kitchen
health     ok
running    1 h 2 min, version 0.1.0, pid 4242
answers    balanced, within 400 ms, p95 212 ms, was rich: turns were slow
household  1 node
now        1 conversation, 2 actors

can do                    state       p95 ms  speed  restarts  MB
stt.sherpa:starter-en:rt  ready          3.2    50×         0  61
tts.formant:en            restarting      31    20×         2   –

note  The starter models know synthesized voices only. Run: loqa models pull
`)
  })

  it('wipe says what would go, and goes on only when that is meant', async () => {
    const plan = await ada.run(['wipe', '--dry-run'])
    expect(plan.out).toMatch(/on this node and cellar\n {2}when they return {5}on garage/)
    const refused = await ada.run(['wipe'])
    expect([refused.code, node.view.wiped.at(-1)]).toEqual([2, true])
    const done = await ada.run(['wipe', '--yes'])
    expect(done.out).toBe('Wiped. This node starts anew; those that are away are wiped when they return.\n')
    expect(node.view.wiped.at(-1)).toBe(false)
  })

  it('devices are listed by room, with what they say and what cannot be used', async () => {
    const { code, out, err } = await ada.run(['devices'])
    expect(code).toBe(0)
    expect(out.split('\n').map((line) => line.trimEnd())).toEqual([
      expect.stringMatching(/^room +name +kind +state +id$/),
      expect.stringMatching(/^ +Front door +lock +out of reach +lock\.1$/),
      expect.stringMatching(/^office +Heating +climate +20\.5 °C, set to 21 +climate\.1$/),
      expect.stringMatching(/^office +Reading lamp +light +on, 40 % +light\.1$/),
      '',
    ])
    expect(err).toMatch(/code_format/)
    const listed = JSON.parse((await ada.run(['devices', '--json'])).out) as { devices: unknown[] }
    expect(listed.devices).toHaveLength(3)
  })

  it('store is one screen, and a backup says where it is', async () => {
    const { code, out } = await ada.run(['store'])
    expect(code).toBe(0)
    expect(out).toMatch(/^entries {2}3\nstate {4}ok\ndigest {3}abababababababab\n/)
    expect(out).toMatch(/attic +12 +5 kB/)
    expect(out).toMatch(/\(life 2\) +7 +2\.1 MB +2 to come, 1 not confirmed yet/)
    const made = await ada.run(['store', 'backup'])
    expect([made.code, made.out]).toEqual([0, '/data/backups/2026-01-02T03-04-05-000Z\n'])
    expect(made.err).toMatch(/store\.key.*\n.*loqa-node --restore/)
  })

  it('household show, pending and changes are one screen each', async () => {
    const shown = (await ada.run(['household', 'show'])).out
    expect(shown).toMatch(/^household {2}h-1, 1 node\nnew nodes {2}may join by themselves until 2026/)
    expect(shown).toMatch(/attic {3}2026-01-01 .*this node/)
    expect((await ada.run(['household', 'pending'])).out).toMatch(/cellar {2}123 456 {2}12 s/)
    const approved = await ada.run(['household', 'approve', '123', '456'])
    expect([approved.code, approved.err]).toEqual([0, 'Approved.\n'])
    expect((await ada.run(['household', 'open', '--minutes', '5'])).code).toBe(0)
    expect((await ada.run(['household', 'revoke', 'cellar'])).code).toBe(0)
    expect((await ada.run(['household', 'reset', '--yes'])).code).toBe(0)
    expect(node.view.changes.slice(-4)).toEqual([
      { action: 'approve', code: '123456' },
      { action: 'open', minutes: 5 },
      { action: 'revoke', node: 'cellar' },
      { action: 'reset' },
    ])
  })

  it('audit ls, verify, acknowledge and export say what was done, and whether that is whole', async () => {
    expect(
      (await ada.run(['audit', 'ls'])).out,
    ).toBe(`no.  time                 what              object     outcome  by                 for
  1  2026-01-02 03:04:01  skill.call        timer.set  ok       loqa:/skill/timer  -
  2  2026-01-02 03:04:02  household.joined  timer.set  cellar   loqa:/skill/timer  -
`)
    expect(JSON.parse((await ada.run(['audit', 'ls', '--limit', '1', '--json'])).out)).toHaveLength(1)
    expect((await ada.run(['audit', 'ls', '--what', 'nothing'])).out).toBe('There is no such record.\n')
    for (const wrong of [
      ['--since', 'tuesday'],
      ['--since', '99999999d'],
      ['--limit', '0'],
      ['--limit', '1e3'],
    ])
      expect((await ada.run(['audit', 'ls', ...wrong])).code, wrong.join(' ')).toBe(2)

    const verified = await ada.run(['audit', 'verify'])
    expect([verified.code, verified.err]).toEqual([1, ''])
    expect(verified.out).toBe(`audit log    2 records, broken: 1 fault
signed       up to record 1, as checkpoints say
last signed  record 7 on 2026-01-02T03:04:05.000Z, held by audit.checkpoint, cellar
line 3       is missing: the log ends with record 2, and record 7 was signed on
             2026-01-02T03:04:05.000Z (held by cellar); up to record 1 all is as it was signed
`)
    expect((await ada.run(['audit', 'acknowledge'])).code).toBe(2)
    expect((await ada.run(['audit', 'acknowledge', '--yes'])).code).toBe(0)
    expect((await ada.run(['audit', 'verify'])).code).toBe(0)

    expect((await ada.run(['audit', 'export', '-o', 'nowhere/out.jsonl'])).code).not.toBe(0)
    const exported = await ada.run(['audit', 'export', '-o', 'out.jsonl'])
    expect([exported.code, exported.err]).toEqual([0, 'out.jsonl: 2 lines\n'])
    const written = Buffer.from(await ada.disk.read('/work/out.jsonl')).toString()
    expect(written).toBe((await ada.run(['audit', 'export'])).bytes.toString())
    expect((await ada.disk.list('/work')).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('household refuses what cannot be meant, with its own exit code', async () => {
    const before = node.view.changes.length
    for (const args of [['approve', '12345'], ['open', '--minutes', '0'], ['reset'], ['revoke']]) {
      expect((await ada.run(['household', ...args])).code, args.join(' ')).toBe(2)
    }
    expect(node.view.changes).toHaveLength(before)
    const wrong = await ada.run(['household', 'approve', '000000'])
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('six digits')])
  })

  it('actors are a table', async () => {
    expect((await ada.run(['actors'])).out).toBe(`address            kind     state       waiting  restarts
loqa:/session/s1   session  running           0         0
loqa:/skill/timer  skill    restarting        3         1
`)
    expect((await ada.run(['actors', '--kind', 'skill'])).out).not.toContain('session')
  })

  it('nodes and sessions are tables', async () => {
    const nodes = (await ada.run(['nodes'])).out
    expect(nodes).toMatch(/^name {4}room.*\nattic {3}kitchen {2}alive {6}here .*\ncellar.*pending/)
    // Why somebody is not connected, and what to do, in whole sentences below.
    expect(nodes).toMatch(/\n\ncellar {2}waits for .*123 456.*loqa household approve 123456\n$/)
    expect((await ada.run(['sessions'])).out).toMatch(/^id {2}room.*\ns1 {2}kitchen {2}listening .* attic\n$/)
  })

  it('ask shows intent, reply and where the time went', async () => {
    const { out } = await ada.run(['ask', 'set', 'a', 'timer'])
    expect(out).toBe(`intent   timer.set  duration=300
reply    Five minutes, starting now.
latency  99 ms in all
  endpoint     80 ms  ███████████████████▍
  stt         2.0 ms  ▌
  nlu         1.0 ms  ▎
  skill       4.0 ms  █
  tts          12 ms  ██▉
`)
    expect(node.view.asked.at(-1)).toEqual({ text: 'set a timer' })
  })

  it('doctor names each fault with its fix and fails', async () => {
    const { code, out } = await ada.run(['doctor'])
    expect(code).toBe(1)
    expect(out).toContain('engines  ✓ 3 of 3 ready')
    expect(out).toContain('disk     ✗ 12 MB free. Free some space.')
    expect(out).toContain('1 of 3 need attention.')
  })

  it('doctor without a node tells what can be seen from here', async () => {
    const { code, out } = await (await desk()).run(['doctor'])
    expect(code).toBe(1)
    expect(out).toMatch(/node +✗ No node runs here: [\s\S]*loqa-node/)
    expect(out).toMatch(/data +✓ \/home\/ada\/\.local\/share\/loqa/)
    expect(out).toMatch(/port of HTTP +✓ 7420 is free/)
    expect(out).toMatch(/port for newcomers +✓ 7422 is free/)
    expect(out).not.toContain('Wyoming')
  })

  it('doctor says who has a port the node needs, and which flag chooses another', async () => {
    const taken = { 7420: { program: 'python3', pid: 41 }, 7421: {} }
    const { code, out } = await (await desk()).run(['doctor', '--json'], { taken })
    expect(code).toBe(1)
    const ports = (JSON.parse(out) as { check: string }[]).filter(({ check }) => check.startsWith('port'))
    expect(ports).toEqual([
      {
        ...{ check: 'port of HTTP', ok: false, detail: '7420 is in use by python3 (process 41)' },
        fix: 'Stop it, or choose another: --http-port takes a number, or 0 for a free one.',
      },
      {
        ...{ check: 'port for nodes', ok: false, detail: "7421 is in use by another user's program" },
        fix: 'Stop it, or choose another: --port takes a number, or 0 for a free one.',
      },
      { check: 'port for newcomers', ok: true, detail: '7422 is free' },
    ])
    const free = await desk(undefined, { LOQA_API_PORT: '0', LOQA_CLUSTER_ENABLED: 'false' })
    expect((await free.run(['doctor'])).out).toMatch(/port of HTTP +✓ a free one is taken/)
    const wrong = await desk(undefined, { LOQA_API_PORT: 'x' })
    expect((await wrong.run(['doctor'])).out).toMatch(/settings +✗ [\s\S]*loqa config check/)
  })

  it('fits a narrow terminal: no line is longer, nothing is lost but the ends of flexible columns', async () => {
    for (const columns of [80, 60, 50]) {
      for (const command of ['actors', 'nodes', 'sessions']) {
        const { out } = await ada.run([command], { columns })
        for (const line of out.split('\n'))
          expect([...line].length, `${command}: ${line}`).toBeLessThanOrEqual(columns)
      }
    }
  })

  it('breaks long sentences between words, below their own beginning', async () => {
    const lines = (await ada.run(['status'], { columns: 44 })).out.split('\n')
    const first = lines.findIndex((line) => line.startsWith('note  '))
    expect(lines.slice(first, first + 3)).toEqual([
      'note  The starter models know synthesized',
      '      voices only. Run: loqa models pull',
      '',
    ])
    for (const args of [['--help'], ['listen', '--help'], ['config', 'check', '--help']]) {
      const { out } = await ada.run(args, { columns: 80 })
      for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    }
  })

  it('is coloured only when that is wanted', async () => {
    expect((await ada.run(['status'], { color: true })).out).toContain('\u001b[32mok\u001b[0m')
    for (const command of commands.filter(({ load }) => load !== undefined)) {
      if (['listen', 'say', 'completion'].includes(command.name)) continue
      const args = command.args === undefined ? [command.name] : [command.name, 'word']
      expect((await ada.run(args)).out, command.name).not.toContain('\u001b')
    }
  })
})

describe('what a script reads', () => {
  it.each([
    ['status', 'status'],
    ['nodes', 'nodes'],
    ['actors', 'actors'],
    ['sessions', 'sessions'],
  ])('%s --json is the public shape, one line', async (command, id) => {
    const { code, out } = await ada.run([command, '--json'])
    expect([code, out.split('\n').length]).toEqual([0, 2])
    const { response } = operations.find((operation) => operation.id === id)!
    expect(response.safeParse(JSON.parse(out)).error).toBeUndefined()
  })

  it('ask --json is the turn', async () => {
    const { out } = await ada.run(['--json', 'ask', 'hello', '--room', 'attic', '--session', 's7'])
    expect(JSON.parse(out)).toEqual(scriptedTurn)
    expect(node.view.asked.at(-1)).toEqual({ text: 'hello', room: 'attic', session: 's7' })
  })

  it('metrics are rows, or Prometheus text', async () => {
    expect(JSON.parse((await ada.run(['metrics', '--json'])).out)).toEqual([
      { name: 'loqa_dead_letters_total', labels: {}, value: 0 },
    ])
    expect((await ada.run(['metrics', '--raw'])).out).toBe(await node.view.metrics())
  })

  it('an error is one object on standard error', async () => {
    const { code, out, err } = await ada.run(['ask', 'a'.repeat(5_000), '--json'])
    expect([code, out]).toEqual([1, ''])
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'text-too-long' } })
  })
})

describe('say', () => {
  it('writes a WAV whose header tells its true length', async () => {
    const { code, err } = await ada.run(['say', 'dinner', 'is', 'ready', '-o', 'dinner.wav'])
    expect([code, err]).toEqual([0, 'dinner.wav: 0.0 s\n'])
    expect(node.view.said.at(-1)).toEqual({ text: 'dinner is ready' })
    const wav = Buffer.from(await ada.disk.read('/work/dinner.wav'))
    expect([wav.readUInt32LE(4), wav.readUInt32LE(40)]).toEqual([wav.length - 8, wav.length - 44])
  })
  it('into a folder that does not exist fails before anything is said', async () => {
    const before = node.view.said.length
    const { code, err } = await ada.run(['say', 'hi', '-o', 'nowhere/hi.wav'])
    expect([code, err]).toEqual([1, expect.stringContaining('there is no folder /work/nowhere')])
    expect(node.view.said.length).toBe(before)
  })
  it('streams to standard output', async () => {
    const { bytes, out } = await ada.run(['say', 'hi', '-o', '-'])
    expect([bytes.subarray(0, 4).toString(), out]).toEqual(['RIFF', ''])
  })
})

describe('exit codes', () => {
  it('0 and 1', async () => {
    expect((await ada.run(['version'])).code).toBe(0)
    node.view.onAsk = async () => ({
      ...scriptedTurn,
      error: { code: 'engine-crashed', message: 'The voice died' },
    })
    const failed = await ada.run(['ask', 'a'])
    node.view.onAsk = async () => scriptedTurn
    expect(failed.code).toBe(1)
    expect(failed.out).toContain('The voice died')
  })

  it.each([
    [['stauts'], 'Did you mean status?'],
    [['status', '--jsn'], 'Did you mean --json?'],
    [['ask'], 'missing required argument'],
    [['config', 'shwo'], 'Did you mean show?'],
    [['completion', 'csh'], 'bash, zsh, fish'],
    [['--url', 'ftp://x', 'status'], 'http://127.0.0.1:7420'],
    [['listen', 'a.wav', '--wait', 'long'], '--wait'],
  ])('2 with a hint for %j', async (args, hint) => {
    const { code, out, err } = await ada.run(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(hint)
  })

  it('69 when no node answers, with what to do', async () => {
    const lonely = await desk()
    const absent = await lonely.run(['status'])
    expect(absent.code).toBe(69)
    expect(absent.err).toMatch(/runtime\.json does not exist\n.*loqa-node/)

    const stale = await desk(1)
    const stopped = await stale.run(['status'])
    expect(stopped.code).toBe(69)
    expect(stopped.err).toContain('it has stopped')

    await lonely.disk.write('/home/ada/.local/share/loqa/runtime.json', new TextEncoder().encode('{'))
    expect((await lonely.run(['status'])).err).toContain('is damaged')
    expect((await lonely.run(['--url', 'http://127.0.0.1:1', 'ask', 'a'])).code).toBe(69)
  })

  it('130 without a word when interrupted', async () => {
    const impatient = await desk(node.api.port)
    node.view.onAsk = () => new Promise(() => impatient.controller.abort())
    const interrupted = await impatient.run(['ask', 'a'])
    node.view.onAsk = async () => scriptedTurn
    expect(interrupted).toMatchObject({ code: 130, out: '', err: '' })
  })

  it('75 when the node is busy', async () => {
    node.view.onAsk = async () => {
      throw new LoqaError('overloaded', 'The recogniser is at its limit of 16 streams')
    }
    const busy = await ada.run(['ask', 'a'])
    node.view.onAsk = async () => scriptedTurn
    expect(busy.code).toBe(75)
  })

  it('78 for a wrong configuration, with every problem', async () => {
    await ada.disk.write('/work/bad.toml', new TextEncoder().encode('[api]\nprot = 1\n[voice]\nspeed = 99\n'))
    const { code, err } = await ada.run(['config', 'check', '--config', '/work/bad.toml'])
    expect(code).toBe(78)
    expect(err).toContain('/work/bad.toml:2: api.prot is not a setting; did you mean api.port?')
    expect(err).toContain('/work/bad.toml:4: voice.speed')
    expect((await ada.run(['config', 'show', '--set', 'api.port=x'])).code).toBe(78)
  })
})

describe('finding the node', () => {
  it('goes by --url, LOQA_URL, --data, LOQA_DATA, XDG_DATA_HOME', async () => {
    const { url } = node.api
    const elsewhere = async (environment: Record<string, string>, args: string[] = []) => {
      const other = await desk(undefined, environment)
      await other.disk.makeDirectory('/d/loqa')
      const runtime = new TextEncoder().encode(JSON.stringify({ http: node.api.port }))
      await other.disk.write('/d/loqa/runtime.json', runtime)
      return (await other.run([...args, 'nodes'])).code
    }
    expect(await elsewhere({}, ['--url', url])).toBe(0)
    expect(await elsewhere({}, ['--url', url.replace('http://', '')])).toBe(0)
    expect(await elsewhere({ LOQA_URL: url })).toBe(0)
    expect(await elsewhere({}, ['--data', '/d/loqa'])).toBe(0)
    expect(await elsewhere({ LOQA_DATA: '/d/loqa' })).toBe(0)
    expect(await elsewhere({ XDG_DATA_HOME: '/d' })).toBe(0)
    expect(await elsewhere({})).toBe(69)
  })

  it('carries the token of a file', async () => {
    const token = 'k'.repeat(40)
    const guarded = await live({}, { token })
    try {
      const ben = await desk(guarded.api.port)
      const refused = await ben.run(['status'])
      expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('token')])
      await ben.disk.write('/work/token', new TextEncoder().encode(`${token}\n`))
      expect((await ben.run(['status', '--token-file', '/work/token'])).code).toBe(0)
    } finally {
      await guarded.api.stop()
    }
  })
})

describe('help', () => {
  it('comes by loqa, -h, --help and help x', async () => {
    for (const args of [[], ['-h'], ['--help'], ['help']]) {
      const { code, out } = await ada.run(args)
      expect([code, out]).toEqual([0, expect.stringContaining('Usage: loqa')])
    }
    expect((await ada.run(['help', 'ask'])).out).toContain('Usage: loqa ask')
  })

  it.each(
    commands.flatMap((command) => [
      [command.name],
      ...(command.children ?? []).map((child) => [command.name, child.name]),
    ]),
  )('of %s %s shows two examples that begin with a command', async (...names) => {
    const words = names.filter((name) => name !== undefined)
    const { code, out } = await ada.run([...words, '--help'])
    expect(code).toBe(0)
    const examples = out
      .slice(out.indexOf('Examples:'))
      .split('\n')
      .slice(1)
      .filter((line) => line.trim() !== '')
    expect(examples).toHaveLength(2)
    for (const example of examples) expect(example).toMatch(/^ {2}loqa /)
  })
})

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s knows every command', async (shell) => {
    const { out } = await ada.run(['completion', shell])
    for (const command of commands) expect(out).toContain(command.name)
    for (const flag of ['json', 'origin', 'output']) expect(out).toContain(flag)
  })
})

describe('loqa approvals', () => {
  it('shows what waits, and with --all what was decided', async () => {
    const { out } = await ada.run(['approvals', 'ls'])
    expect(out).toContain('unlock the front door')
    expect(out).toContain('waits until 15:11:00Z')
    expect(out).not.toContain('denied')
    expect((await ada.run(['approvals', 'ls', '--all'])).out).toContain('denied by cli')
    expect(JSON.parse((await ada.run(['approvals', 'ls', '--json'])).out)).toMatchObject([{ id: 's1' }])
  })

  it('allows and denies, and says what it cannot decide', async () => {
    expect((await ada.run(['approvals', 'allow', 's1'])).out).toContain('allowed by cli')
    expect((await ada.run(['approvals', 'deny', 's1'])).out).toContain('denied by cli')
    const unknown = await ada.run(['approvals', 'allow', 'zz'])
    expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('loqa approvals ls')])
    expect((await ada.run(['approvals', 'allow', '../x'])).code).toBe(2)
  })
})

describe('loqa skill config and secret', () => {
  it('show what there is to choose, and choose it', async () => {
    expect((await ada.run(['skill', 'config', 'weather'])).out).toMatch(/place +Berlin +the skill/)
    expect((await ada.run(['skill', 'config', 'weather', 'place', 'New', 'York'])).out).toMatch(
      /place +New York +you/,
    )
    expect((await ada.run(['skill', 'config', 'weather', 'days', '3'])).out).toMatch(/days +3 +you/)
    for (const wrong of [['days', 'many'], ['days'], ['days', '3', '--reset']]) {
      expect((await ada.run(['skill', 'config', 'weather', ...wrong])).code).toBe(2)
    }
  })

  it('take a secret and do not show it', async () => {
    const { out } = await ada.run(['skill', 'secret', 'weather', 'api_key', '--value', 's3cret'])
    expect(out).toMatch(/api_key +\(secret\) +you/)
    expect(out).not.toContain('s3cret')
  })
})
