/**
 * Words nobody else says, typed and spoken to a real node in each privacy scope: where they are found, and above all where not. Looked through
 * is every byte of the data directory and all the node printed at the level debug.
 */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReplayView, TimelineRow, TimelineView, TurnView } from '../../src/api/index.ts'
import { realHost } from '../../src/host/real.ts'
import { openKeys } from '../../src/store/index.ts'
import { openTimelineFile } from '../../src/store/timeline/timeline-file.ts'
import { RunningNode } from './running-node.ts'
import { pcmOf } from './wav.ts'

/** Conversations end after so long without a word. Short, and long enough for two commands on a busy machine. */
const IDLE_S = 15
const TYPED = 'heliotrope cannery umbrella'
/** In words the starter models know; what a timer needs of it is a number of seconds. */
const SPOKEN = 'forty three minutes and seventeen seconds'

let node: RunningNode

beforeAll(async () => {
  node = await RunningNode.start(['--log-level', 'debug', '--set', `voice.session_idle_timeout_s=${IDLE_S}`])
}, 120_000)
afterAll(() => node?.dispose())

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(directory, entry.name)) : [join(directory, entry.name)],
  )

/** Where these bytes are: names of files, or `log`. */
function whereIs(needle: Buffer): string[] {
  const files = filesIn(node.data).filter((path) => readFileSync(path).includes(needle))
  return [
    ...files.map((path) => path.slice(node.data.length + 1)),
    ...(Buffer.from(node.output).includes(needle) ? ['log'] : []),
  ]
}

/** In the ways programs write text down, the three shifts of base64 included. */
function whereIsText(text: string): string[] {
  const utf8 = Buffer.from(text)
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), utf8])
      .toString('base64')
      .slice(4, -4),
  )
  const needles = [
    utf8,
    Buffer.from(text, 'utf16le'),
    Buffer.from(utf8.toString('hex')),
    ...shifted.map((s) => Buffer.from(s)),
  ]
  return [...new Set(needles.flatMap(whereIs))]
}

const NOWHERE: readonly string[] = []

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to that in time')
    await new Promise((done) => setTimeout(done, 200))
  }
}

const kept = async (): Promise<readonly string[]> =>
  (await node.json<TimelineRow[]>('sessions', 'show')).map(({ session }) => session)
const timeline = async (session: string): Promise<string> =>
  JSON.stringify(await node.json<TimelineView>('sessions', 'show', session))

/** Keys and events as they lie in the file, sealed: what an old copy of it would be opened with. */
function sealed(): { keys: Buffer[]; events: Buffer[] } {
  const sqlite = new DatabaseSync(join(node.data, 'timeline.db'), { readOnly: true })
  const column = (sql: string): Buffer[] =>
    sqlite
      .prepare(sql)
      .all()
      .map(({ bytes }) => Buffer.from(bytes as Uint8Array))
  const found = {
    keys: column('SELECT key AS bytes FROM timelines'),
    events: column('SELECT sealed AS bytes FROM events'),
  }
  sqlite.close()
  return found
}

/** All the file holds, for somebody who has the node's key. */
async function openedWithTheKey(): Promise<string> {
  const { disk, random } = realHost()
  const keys = await openKeys({ disk, random, directory: node.data })
  const file = openTimelineFile(join(node.data, 'timeline.db'), { key: keys.for('timeline'), random })
  const sessions = new Set(file.list().map(({ session }) => session))
  const texts = [...sessions].flatMap((session) => file.read(session))
  file.close()
  return texts.join('\n')
}

test('the search finds what is there', () => {
  const control = join(node.data, 'control')
  for (const text of [
    TYPED,
    Buffer.from(TYPED).toString('base64'),
    Buffer.from(`x${TYPED}`).toString('base64'),
  ]) {
    writeFileSync(control, `before ${text} after`)
    expect(whereIsText(TYPED)).toEqual(['control'])
  }
  rmSync(control)
  expect(whereIsText(TYPED)).toEqual(NOWHERE)
  expect(whereIsText('The node is ready')).toEqual(['log'])
})

test('ephemeral, typed and spoken: in no file and no log, while it goes on and afterwards', async () => {
  const asked = await node.json<TurnView>('ask', TYPED, '--scope', 'ephemeral')
  expect(asked.transcript).toBe(TYPED)
  // It is there, for whoever asks the process, and at once: conversations end after a few seconds here.
  expect(await timeline(asked.session)).toContain(TYPED)
  expect(whereIsText(TYPED)).toEqual(NOWHERE)
  const recording = join(node.data, '..', `canary-${process.pid}.wav`)
  await node.loqa('say', `set a timer for ${SPOKEN}`, '-o', recording)
  const heard = await node.json<TurnView>('listen', recording, '--session', 'voice', '--scope', 'ephemeral')
  expect(heard).toMatchObject({ transcript: `set a timer for ${SPOKEN}`, intent: 'timer.set' })
  const sound = pcmOf(recording)
  rmSync(recording)
  expect(await timeline('voice')).toContain(SPOKEN)
  expect(await node.json<ReplayView>('sessions', 'show', 'voice', '--replay')).toMatchObject({ same: true })
  const loud = Math.floor(sound.length / 4) * 2
  const look = (): void => {
    expect(whereIsText(TYPED)).toEqual(NOWHERE)
    expect(whereIsText(SPOKEN)).toEqual(NOWHERE)
    expect(whereIsText(heard.reply)).toEqual(NOWHERE)
    expect(whereIs(sound.subarray(loud, loud + 64))).toEqual(NOWHERE)
  }
  look()
  expect(sealed()).toEqual({ keys: [], events: [] })
  await until(async () => !(await kept()).includes(asked.session) && !(await kept()).includes('voice'))
  look()
  // What is left of it: the timer, which needs its length, and nothing of the words.
  const { reply } = await node.json<TurnView>('ask', 'how long is left on the timer')
  expect(reply).toMatch(/minutes/)
})

test('session: sealed while it goes on, and its key is gone when it ended', async () => {
  const { session } = await node.json<TurnView>('ask', TYPED)
  expect(await timeline(session)).toContain(TYPED)
  const before = sealed()
  expect(before.keys).toHaveLength(1)
  expect(before.events.length).toBeGreaterThan(3)
  expect(whereIs(before.keys[0]!)).not.toEqual(NOWHERE)
  expect(whereIsText(TYPED)).toEqual(NOWHERE)

  await until(async () => (await kept()).length === 0)
  // The order to erase is carried out in the thread of the file.
  await until(() => whereIs(before.keys[0]!).length === 0)
  for (const bytes of [...before.keys, ...before.events]) expect(whereIs(bytes)).toEqual(NOWHERE)
  expect((await node.loqa('sessions', 'show', session)).code).toBe(1)
})

test('persistent, with consent: kept over a restart; after erase nothing is left that opens', {
  timeout: 180_000,
}, async () => {
  await node.loqa('persons', 'add', 'Anna')
  const refused = await node.loqa('ask', TYPED, '--scope', 'persistent', '--person', 'Anna')
  expect(refused.stderr).toContain('has not consented')
  await node.loqa('persons', 'consent', 'Anna', '--give')
  const asked = await node.loqa('ask', TYPED, '--scope', 'persistent', '--person', 'Anna', '--json')
  expect(asked.stderr).toBe('')
  const { session } = JSON.parse(asked.stdout) as TurnView
  expect(whereIsText(TYPED)).toEqual(NOWHERE)

  expect(await node.end('SIGTERM')).toBe(0)
  expect(await openedWithTheKey()).toContain(TYPED)
  await node.start()
  expect(await kept()).toEqual([session])
  expect(await timeline(session)).toContain(TYPED)
  expect(JSON.stringify(await node.json('persons', 'export', 'Anna'))).toContain(TYPED)

  const before = sealed()
  expect(await node.json('persons', 'erase', 'Anna', '--dry-run')).toMatchObject({ timelines: 1 })
  expect(await kept()).toEqual([session])
  expect(await node.json('persons', 'erase', 'Anna', '--yes')).toMatchObject({ timelines: 1 })
  expect(await kept()).toEqual([])
  expect(await node.json('persons', 'ls')).toEqual([])
  for (const bytes of [...before.keys, ...before.events]) expect(whereIs(bytes)).toEqual(NOWHERE)

  expect(await node.end('SIGTERM')).toBe(0)
  expect(await openedWithTheKey()).toBe('')
  const audit = readFileSync(join(node.data, 'audit.log'), 'utf8')
  expect(audit).toMatch(/consent\.given[\s\S]*person\.erased/)
  expect(audit).not.toContain('Anna')
  expect(whereIsText(TYPED)).toEqual(NOWHERE)
  for (const path of filesIn(node.data)) expect(statSync(path).mode & 0o077, path).toBe(0)
})
