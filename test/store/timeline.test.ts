import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LoqaError, type PrivacyScope, wall } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import {
  openTimeline,
  type Timeline,
  type TimelineEvent,
  type TimelineOptions,
} from '../../src/store/index.ts'
import { MAX_TIMELINE_BYTES, openTimelineFile } from '../../src/store/timeline/timeline-file.ts'

const host = realHost()
const KEY = new Uint8Array(32).fill(7)
const DAY_MS = 86_400_000
let directory: string
let open: Timeline[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'loqa-timeline-'))
})
afterEach(async () => {
  await Promise.all(open.map((timeline) => timeline.close()))
  open = []
  rmSync(directory, { recursive: true, force: true })
})

async function start(options: Partial<TimelineOptions> = {}): Promise<Timeline> {
  const timeline = await openTimeline({ host, directory, key: KEY, keep: 'days', days: 30, ...options })
  open.push(timeline)
  return timeline
}

const headOf = (session: string, scope: PrivacyScope, person?: string) => ({
  session,
  scope,
  room: 'kitchen',
  started_at: host.clock.wall(),
  ...(person === undefined ? {} : { person }),
})

const eventOf = (session: string, text: string, scope: PrivacyScope = 'persistent'): TimelineEvent => ({
  trace_id: 't1',
  session_id: session,
  actor_id: `loqa:/session/${session}`,
  capability_tier: 'balanced',
  privacy_scope: scope,
  at: host.clock.wall(),
  at_ms: 12.5,
  kind: 'stt.text',
  body: { turn: 1, text },
})

/** All files of the directory, as one text of bytes. */
const allBytes = (): string =>
  readdirSync(directory)
    .map((name) => readFileSync(join(directory, name)).toString('latin1'))
    .join('\n')

/** The sealed key of each timeline, as it lies in the file. */
async function sealedKeys(): Promise<string[]> {
  const { DatabaseSync } = await import('node:sqlite')
  const sqlite = new DatabaseSync(join(directory, 'timeline.db'), { readOnly: true })
  const keys = sqlite
    .prepare('SELECT key FROM timelines')
    .all()
    .map(({ key }) => Buffer.from(key as Uint8Array).toString('latin1'))
  sqlite.close()
  return keys
}

const textsOf = async (timeline: Timeline, session: string): Promise<unknown[]> =>
  (await timeline.read(session)).map(({ body }) => body.text)

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'worked',
    (thrown: unknown) => (thrown instanceof LoqaError ? thrown.code : String(thrown)),
  )

describe('a timeline', () => {
  it('gives back what was noted, in order, under its envelope', async () => {
    const timeline = await start()
    timeline.begin(headOf('s', 'session'))
    const events = Array.from({ length: 50 }, (_, i) => eventOf('s', `words ${i}`, 'session'))
    for (const event of events) timeline.append(event)
    expect(await timeline.read('s')).toEqual(events)
    expect(await timeline.list()).toMatchObject([
      { session: 's', scope: 'session', room: 'kitchen', events: 50, ended_at: undefined },
    ])
  })

  it('notes nothing of a conversation that did not begin, and nothing at all when none are kept', async () => {
    const timeline = await start({ keep: 'none' })
    timeline.begin(headOf('s', 'persistent', 'p'))
    timeline.append(eventOf('s', 'words'))
    timeline.append(eventOf('t', 'words'))
    expect(await timeline.list()).toEqual([])
  })

  it('is written by itself within a moment: nobody has to wait for it', async () => {
    const first = await start()
    first.begin(headOf('s', 'persistent', 'p'))
    first.append(eventOf('s', 'words'))
    const written = async (): Promise<number> => {
      const { DatabaseSync } = await import('node:sqlite')
      const sqlite = new DatabaseSync(join(directory, 'timeline.db'), { readOnly: true })
      const { n } = sqlite.prepare('SELECT count(*) AS n FROM events').get() as { n: number }
      sqlite.close()
      return n
    }
    await expect.poll(written, { timeout: 5_000, interval: 20 }).toBe(1)
  })

  it.skipIf(process.platform === 'win32')('is for its owner alone', async () => {
    const timeline = await start()
    timeline.begin(headOf('s', 'persistent', 'p'))
    timeline.append(eventOf('s', 'words'))
    await timeline.flush()
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
  })
})

describe('how long it is kept', () => {
  it('ephemeral: it can be asked for while the conversation goes on, and is in no file', async () => {
    const timeline = await start()
    timeline.begin(headOf('s', 'ephemeral'))
    timeline.append(eventOf('s', 'heliotrope cannery', 'ephemeral'))
    await timeline.flush()
    expect(await textsOf(timeline, 's')).toEqual(['heliotrope cannery'])
    expect(await sealedKeys()).toEqual([])
    timeline.end('s')
    expect(await timeline.list()).toEqual([])
  })

  it('session: until the conversation ends; the same name then begins anew', async () => {
    const timeline = await start()
    timeline.begin(headOf('s', 'session'))
    timeline.append(eventOf('s', 'first', 'session'))
    await timeline.flush()
    const [key] = await sealedKeys()
    timeline.append(eventOf('s', 'last words', 'session'))
    timeline.end('s')
    timeline.begin(headOf('s', 'session'))
    timeline.append(eventOf('s', 'second', 'session'))
    expect(await textsOf(timeline, 's')).toEqual(['second'])
    expect(allBytes()).not.toContain(key)
  })

  it('session: gone also when the process died before it could say so', async () => {
    const first = await start()
    first.begin(headOf('s', 'session'))
    first.append(eventOf('s', 'words', 'session'))
    first.begin(headOf('p', 'persistent', 'anna'))
    first.append(eventOf('p', 'words'))
    await first.flush()
    const keys = await sealedKeys()
    // As a killed process leaves it.
    for (const name of ['timeline.db', 'timeline.db-wal']) {
      const bytes = readFileSync(join(directory, name))
      writeFileSync(join(directory, `copy-${name}`), bytes)
    }
    await first.close()
    for (const name of ['timeline.db', 'timeline.db-wal']) {
      writeFileSync(join(directory, name), readFileSync(join(directory, `copy-${name}`)))
      rmSync(join(directory, `copy-${name}`))
    }
    const second = await start()
    expect(await second.list()).toMatchObject([{ session: 'p', ended_at: expect.any(Number) }])
    expect(allBytes()).not.toContain(keys[0])
    expect(allBytes()).toContain(keys[1])
  })

  it('persistent: for its days after the conversation ended, also over a restart', async () => {
    const first = await start()
    first.begin(headOf('s', 'persistent', 'anna'))
    first.append(eventOf('s', 'words'))
    first.end('s')
    await first.close()
    const second = await start()
    expect(await textsOf(second, 's')).toEqual(['words'])
    expect(await second.list()).toMatchObject([{ person: 'anna', ended_at: expect.any(Number) }])
    await second.close()

    const clock = { ...host.clock, wall: () => wall(host.clock.wall() + 31 * DAY_MS) }
    const later = await start({ host: { ...host, clock } })
    await expect.poll(() => later.list(), { timeout: 5_000 }).toEqual([])
  })

  it('persistent: no longer than its conversation where the configuration says so', async () => {
    const timeline = await start({ keep: 'session' })
    timeline.begin(headOf('s', 'persistent', 'anna'))
    timeline.append(eventOf('s', 'words'))
    timeline.end('s')
    expect(await timeline.list()).toEqual([])
  })

  it('is bounded: the oldest steps of a long conversation go', { timeout: 20_000 }, async () => {
    const timeline = await start()
    timeline.begin(headOf('s', 'session'))
    const long = 'x'.repeat(10_000)
    for (let i = 0; i < 250; i += 1) {
      timeline.append(eventOf('s', `${i} ${long}`, 'session'))
      if (i % 50 === 0) await timeline.flush()
    }
    const texts = (await textsOf(timeline, 's')).map((text) => Number.parseInt(String(text), 10))
    const [{ bytes, events } = { bytes: 0, events: 0 }] = await timeline.list()
    expect(bytes).toBeLessThanOrEqual(MAX_TIMELINE_BYTES)
    expect(bytes).toBeGreaterThan(MAX_TIMELINE_BYTES / 2)
    expect(events).toBe(texts.length)
    expect(texts.at(-1)).toBe(249)
    expect(texts).toEqual(Array.from({ length: texts.length }, (_, i) => 250 - texts.length + i))
  })
})

describe('erasing', () => {
  it('takes what is selected, its key, and every byte of it, in the file and in its log', async () => {
    const timeline = await start()
    for (const [session, person] of [
      ['a', 'anna'],
      ['b', 'ben'],
      ['c', 'anna'],
    ] as const) {
      timeline.begin(headOf(session, 'persistent', person))
      for (let i = 0; i < 30; i += 1) timeline.append(eventOf(session, `words ${i} of ${session}`))
    }
    await timeline.flush()
    const [a, b, c] = await sealedKeys()
    const copy = new SealedEvents(directory)
    expect(copy.of(1)).toHaveLength(30)

    expect(await timeline.wouldErase({ person: 'anna' })).toEqual({ timelines: 2, events: 60 })
    expect(await timeline.erase({ person: 'anna' })).toEqual({ timelines: 2, events: 60 })
    expect(await timeline.list()).toMatchObject([{ session: 'b' }])
    expect(await textsOf(timeline, 'a')).toEqual([])
    const left = allBytes()
    for (const gone of [a, c, ...copy.of(1), ...copy.of(3)]) expect(left).not.toContain(gone)
    expect(left).toContain(b)

    expect(await timeline.erase({ session: 'b' })).toMatchObject({ timelines: 1 })
    expect(await timeline.erase({ all: true })).toEqual({ timelines: 0, events: 0 })
  })

  it('of a person makes what they go on to say nobody’s', async () => {
    const timeline = await start()
    timeline.begin(headOf('s', 'persistent', 'anna'))
    timeline.append(eventOf('s', 'before'))
    const erasing = timeline.erase({ person: 'anna' })
    // Said in the same breath: it is not theirs any more, and not swept away with it.
    timeline.append(eventOf('s', 'after'))
    await erasing
    expect(await textsOf(timeline, 's')).toEqual(['after'])
    expect(await timeline.list()).toMatchObject([{ session: 's', scope: 'session', events: 1 }])
    expect((await timeline.list())[0]?.person).toBeUndefined()
  })

  it('and consent given again begin another timeline: each is kept as long as it may be', async () => {
    const timeline = await start()
    const anna = headOf('s', 'persistent', 'anna')
    timeline.begin(anna)
    timeline.append(eventOf('s', 'erased'))
    await timeline.erase({ person: 'anna' })
    timeline.append(eventOf('s', 'without consent'))
    timeline.begin(anna)
    timeline.append(eventOf('s', 'kept'))
    expect(await timeline.list()).toMatchObject([{ scope: 'persistent', person: 'anna', events: 1 }])
    timeline.begin(headOf('s', 'ephemeral'))
    timeline.append(eventOf('s', 'in memory'))
    expect(await textsOf(timeline, 's')).toEqual(['kept', 'in memory'])
    timeline.end('s')
    expect(await textsOf(timeline, 's')).toEqual(['kept'])
    expect(await timeline.list()).toMatchObject([{ person: 'anna', ended_at: expect.any(Number) }])
  })

  it('by an order of the household is remembered, so that it is carried out once', async () => {
    const first = await start()
    expect(first.hasErased('e1')).toBe(false)
    await first.erase({ person: 'anna' }, 'e1')
    expect(first.hasErased('e1')).toBe(true)
    await first.close()
    expect((await start()).hasErased('e1')).toBe(true)
  })
})

describe('trouble', () => {
  it('another key is refused, and nothing changed', async () => {
    const first = await start()
    first.begin(headOf('s', 'persistent', 'p'))
    first.append(eventOf('s', 'words'))
    await first.close()
    const other = new Uint8Array(32).fill(8)
    expect(await codeOf(start({ key: other }))).toBe('store-key-wrong')
    expect(await textsOf(await start(), 's')).toEqual(['words'])
  })

  it('a file that is none, or of a newer version, is refused', async () => {
    writeFileSync(
      join(directory, 'timeline.db'),
      'no database at all, and long enough to be read as one'.repeat(20),
    )
    expect(await codeOf(start())).toBe('store-damaged')
    rmSync(join(directory, 'timeline.db'))
    await (await start()).close()
    const { DatabaseSync } = await import('node:sqlite')
    const sqlite = new DatabaseSync(join(directory, 'timeline.db'))
    sqlite.prepare("UPDATE meta SET value = ? WHERE key = 'schema_version'").run(Buffer.from('2'))
    sqlite.close()
    expect(await codeOf(start())).toBe('store-too-new')
  })

  it('an event moved to another place, or changed by a bit, is found, never handed out', async () => {
    const file = join(directory, 'timeline.db')
    const { DatabaseSync } = await import('node:sqlite')
    for (const harm of [
      'UPDATE events SET seq = seq + 10',
      "UPDATE events SET sealed = cast(substr(sealed, 1, 40) || x'00' || substr(sealed, 42) AS BLOB)",
      'UPDATE events SET sealed = substr(sealed, 1, 10)',
    ]) {
      const written = openTimelineFile(file, { key: KEY, random: new SimulatedRandom(1) })
      written.append([
        { head: headOf('s', 'persistent', 'p'), at: 1, text: '{"some":"event of the conversation"}' },
      ])
      written.close()
      const sqlite = new DatabaseSync(file)
      sqlite.exec(harm)
      sqlite.close()
      const harmed = openTimelineFile(file, { key: KEY, random: new SimulatedRandom(2) })
      expect(() => harmed.read('s')).toThrow(/does not open/)
      harmed.erase({ all: true })
      harmed.close()
    }
  })

  it('an event that is missing in the middle is noticed; a clock set back tears no hole', async () => {
    const file = join(directory, 'timeline.db')
    const written = openTimelineFile(file, { key: KEY, random: new SimulatedRandom(1) })
    const head = headOf('s', 'session')
    written.append([5, 1, 3, 9, 2, 8].map((at) => ({ head, at, text: `at ${at}` })))
    written.prune(0, 4)
    expect(written.read('s')).toHaveLength(6)
    written.prune(0, 6)
    expect(written.read('s')).toEqual(['at 9', 'at 2', 'at 8'])
    expect(written.list()).toMatchObject([{ events: 3 }])
    const { DatabaseSync } = await import('node:sqlite')
    const sqlite = new DatabaseSync(file)
    sqlite.exec('DELETE FROM events WHERE seq = 5')
    sqlite.close()
    expect(() => written.read('s')).toThrow(/missing/)
    written.close()
  })

  it('any one bit that rots in the file is found or harmless: nothing but what was noted is ever handed out', () => {
    const file = join(directory, 'timeline.db')
    const open = () => openTimelineFile(file, { key: KEY, random: new SimulatedRandom(1) })
    const written = open()
    const noted = Array.from({ length: 40 }, (_, i) => `{"words":"${'w'.repeat(i * 7)}"}`)
    written.append(noted.map((text) => ({ head: headOf('s', 'persistent', 'p'), at: 1, text })))
    written.close()
    const whole = readFileSync(file)
    const random = new SimulatedRandom(20_261_126)
    const met = { refused: 0, found: 0, harmless: 0, empty: 0 }
    for (let round = 0; round < 300; round += 1) {
      const rotten = Buffer.from(whole)
      rotten[random.below(rotten.length)]! ^= 1 << random.below(8)
      for (const name of readdirSync(directory)) rmSync(join(directory, name))
      writeFileSync(file, rotten)
      let opened: ReturnType<typeof open> | undefined
      try {
        opened = open()
        const texts = opened.read('s')
        expect(texts.length === 0 ? noted : texts).toEqual(noted)
        if (texts.length > 0) met.harmless += 1
        else met.empty += 1
      } catch (thrown) {
        expect((thrown as LoqaError).code).toMatch(/^store-(damaged|key-wrong|too-new|io)$/)
        if (opened === undefined) met.refused += 1
        else met.found += 1
      }
      try {
        opened?.close()
      } catch {}
    }
    expect(met.refused).toBeGreaterThan(10)
    expect(met.found).toBeGreaterThan(50)
    expect(met.harmless).toBeGreaterThan(50)
    expect(met.empty).toBe(0)
  })

  it('a full disk loses events and says how many; what is there stays, and the conversation went on', async () => {
    const lost: [number, string][] = []
    const timeline = await start({ max_pages: 40, lost: (events, why) => lost.push([events, why]) })
    timeline.begin(headOf('s', 'session'))
    let taken = 0
    for (let i = 0; i < 100; i += 1) {
      timeline.append(eventOf('s', `${i} ${'x'.repeat(3_000)}`, 'session'))
      await timeline.flush()
      if (lost.length > 0) break
      taken += 1
    }
    expect(lost).toEqual([[1, 'not-written']])
    expect(taken).toBeGreaterThan(10)
    expect(await timeline.read('s')).toHaveLength(taken)
    expect(await timeline.erase({ all: true })).toMatchObject({ events: taken })
    timeline.append(eventOf('s', 'again', 'session'))
    expect(await textsOf(timeline, 's')).toEqual(['again'])
  })

  it('a thread that ends loses what it had, counted; who asks is told, and nobody waits for ever', async () => {
    const lost: [number, string][] = []
    const thread = new URL('./mortal-timeline-thread.ts', import.meta.url)
    const timeline = await start({ thread, lost: (events, why) => lost.push([events, why]) })
    timeline.begin(headOf('s', 'session'))
    timeline.begin(headOf('e', 'ephemeral'))
    expect(timeline.works).toBe(true)
    for (let i = 0; i < 3; i += 1) timeline.append(eventOf('s', 'words', 'session'))
    await timeline.flush()
    timeline.append(eventOf('s', 'more', 'session'))
    timeline.append(eventOf('e', 'in memory', 'ephemeral'))
    expect(lost).toEqual([
      [3, 'not-written'],
      [1, 'not-written'],
    ])
    expect(timeline.works).toBe(false)
    expect(await codeOf(timeline.list())).toBe('store-closed')
    expect(await codeOf(timeline.erase({ all: true }))).toBe('store-closed')
    timeline.end('s')
    await timeline.close()
  })

  it('a disk that does not keep up costs events, never memory', async () => {
    let lost = 0
    const timeline = await start({
      lost: (events) => {
        lost += events
      },
    })
    timeline.begin(headOf('s', 'session'))
    timeline.append(eventOf('s', 'x'.repeat(70_000), 'session'))
    expect(lost).toBe(1)
    // Nothing is written while this loop runs.
    for (let i = 0; i < 200; i += 1) timeline.append(eventOf('s', 'x'.repeat(30_000), 'session'))
    expect(lost).toBeGreaterThan(50)
    expect(lost).toBeLessThan(100)
    await timeline.flush()
    timeline.append(eventOf('s', 'goes on', 'session'))
    expect((await textsOf(timeline, 's')).at(-1)).toBe('goes on')
  })
})

/** What lies in the file now, to be looked for later. */
class SealedEvents {
  readonly #rows: readonly { readonly timeline: number; readonly sealed: string }[]

  constructor(from: string) {
    const sqlite = new (process.getBuiltinModule('node:sqlite').DatabaseSync)(join(from, 'timeline.db'), {
      readOnly: true,
    })
    this.#rows = sqlite
      .prepare('SELECT timeline, sealed FROM events')
      .all()
      .map(({ timeline, sealed }) => ({
        timeline: Number(timeline),
        sealed: Buffer.from(sealed as Uint8Array).toString('latin1'),
      }))
    sqlite.close()
  }

  of(timeline: number): readonly string[] {
    return this.#rows.filter((row) => row.timeline === timeline).map(({ sealed }) => sealed)
  }
}
