/**
 * What the store costs beside plain SQLite on the same work: durable writes alone and from 32 writers, what sealing adds, from a write on one node to
 * a follower on another, a bootstrap of 100,000 rows and what the event loop feels of it, opening after an unclean end, a backup.
 *
 *   node bench/store/replica.ts [directory]     on the disk that is to be measured; by default the system's temporary directory
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { realHost } from '../../src/host/real.ts'
import { openReplica } from '../../src/store/crdt/index.ts'
import { PageFile } from '../../src/store/crdt/page-file.ts'
import { readEngineCode, realFiles } from '../../src/store/crdt/real-files.ts'
import { ReplicaDatabase } from '../../src/store/crdt/replica-database.ts'
import { MIGRATIONS } from '../../src/store/crdt/schema.ts'
import { CHECK_BYTES, gcmSealers, NONCE_BYTES, type SealersOf, TAG_BYTES } from '../../src/store/crdt/seal.ts'
import { type HouseholdStore, openStore, type Store } from '../../src/store/index.ts'
import { originKey } from '../../src/store/sync/index.ts'
import { writerOf } from '../../test/store/writers.ts'
import { percentiles, print } from '../skills/measure.ts'

const KEY = new Uint8Array(32).fill(1)
/** A setting or a timer as JSON. */
const VALUE = 'v'.repeat(100)
const SINGLE = 1_000
const WRITERS = 32
const EACH = 250
const ROUNDS = 3
const BOOTSTRAP_ROWS = 100_000

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'loqa-bench-'))
const host = realHost()
const { random } = host
const rate = (count: number, ms: number): number => Math.round((count / ms) * 1_000)

const put = (key: string) => ({
  sql: 'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  parameters: ['bench', key, VALUE],
})

/** The disk's own pace: 4 KiB appended and synced. */
function disk(): void {
  const descriptor = openSync(join(directory, 'floor'), 'w')
  const block = new Uint8Array(4096)
  const series: number[] = []
  for (let i = 0; i < SINGLE; i += 1) {
    const from = performance.now()
    writeSync(descriptor, block)
    fdatasyncSync(descriptor)
    series.push(performance.now() - from)
  }
  closeSync(descriptor)
  print('disk: 4 KiB appended and synced', { unit: 'ms', ...percentiles(series) })
}

type Write = (key: string) => Promise<unknown>

async function alone(name: string, write: Write): Promise<void> {
  for (let i = 0; i < 100; i += 1) await write(`warm${i}`)
  const series: number[] = []
  for (let i = 0; i < SINGLE; i += 1) {
    const from = performance.now()
    await write(`alone${i % 500}`)
    series.push(performance.now() - from)
  }
  print(`${name}: durable write, 1 writer`, { unit: 'ms', ...percentiles(series) })
}

async function together(name: string, write: Write): Promise<void> {
  const series: number[] = []
  const from = performance.now()
  const writer = async (lane: number): Promise<void> => {
    for (let i = 0; i < EACH; i += 1) {
      const start = performance.now()
      await write(`lane${lane}-${i}`)
      series.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, lane) => writer(lane)))
  const per_second = rate(WRITERS * EACH, performance.now() - from)
  print(`${name}: durable writes, ${WRITERS} writers`, { per_second, unit: 'ms', ...percentiles(series) })
}

const storeWrite =
  (store: Store): Write =>
  (key) =>
    store.apply('bench', [{ change: 'put', key, value: VALUE }])

/** The same work in SQLite as Node has it, in this thread: one file in the clear, nothing signed, nothing told to anybody. */
function plain(): { write: Write; bulk: (rows: number) => void; close: () => void } {
  const sqlite = new DatabaseSync(join(directory, 'plain.db'))
  sqlite.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE entries (collection TEXT, key TEXT, value TEXT, PRIMARY KEY (collection, key)) WITHOUT ROWID`)
  const statement = sqlite.prepare(put('').sql)
  return {
    write: async (key) => statement.run('bench', key, VALUE),
    bulk(rows) {
      sqlite.exec('BEGIN')
      for (let i = 0; i < rows; i += 1) statement.run('bench', `boot${i}`, VALUE)
      sqlite.exec('COMMIT')
    },
    close: () => sqlite.close(),
  }
}

/** Nothing is sealed: what the rest costs. */
const unsealed: SealersOf = () => {
  const [nonce, tag] = [new Uint8Array(NONCE_BYTES).fill(1), new Uint8Array(TAG_BYTES).fill(1)]
  const sealer = {
    seal: (bytes: Uint8Array) => ({ nonce, tag, bytes: bytes.slice() }),
    open: ({ bytes }: { bytes: Uint8Array }) => bytes,
  }
  return { sealer: () => sealer, check: new Uint8Array(CHECK_BYTES) }
}

/** In this thread, without messages: only the database differs. */
async function sealing(name: string, round: number, sealersOf: SealersOf): Promise<void> {
  const pages = PageFile.open({
    files: realFiles,
    path: join(directory, `seal-${name}-${round}`),
    sealersOf,
    random,
  })
  const database = await ReplicaDatabase.open({ pages, code: readEngineCode(), migrations: MIGRATIONS })
  const series: number[] = []
  for (let i = 0; i < SINGLE; i += 1) {
    const from = performance.now()
    database.write([put(`k${i % 500}`)])
    database.flush()
    series.push(performance.now() - from)
  }
  print(`database, ${name}: durable transaction`, { round, unit: 'ms', ...percentiles(series) })
  const bulk = performance.now()
  for (let i = 0; i < 20; i += 1) {
    database.write(Array.from({ length: 1_000 }, (_, j) => put(`bulk${i}-${j}`)))
    database.flush()
    if (pages.isCheckpointDue()) pages.checkpoint()
  }
  print(`database, ${name}: rows in transactions of 1,000`, {
    round,
    per_second: rate(20_000, performance.now() - bulk),
  })
  const reading = performance.now()
  for (let i = 0; i < 20_000; i += 1)
    database.read(
      {
        sql: 'SELECT value FROM entries WHERE key = ?1 AND collection = ?2',
        parameters: [`bulk1-${i % 1_000}`, 'bench'],
      },
      1,
    )
  print(`database, ${name}: reads by key`, { round, per_second: rate(20_000, performance.now() - reading) })
  database.close()
  pages.close()
}

async function openFor(number: number, send: (frame: Uint8Array) => void): Promise<HouseholdStore> {
  const path = mkdtempSync(join(directory, `node${number}-`))
  const store = await openStore({
    host,
    directory: path,
    key: KEY,
    writer: writerOf(number),
    send: (_, frame) => setImmediate(send, frame),
  })
  store.links.believe([writerOf(1).node, writerOf(2).node])
  return store
}

/** Two stores whose frames are handed over in memory: what replication costs without a network. */
async function pair(): Promise<[HouseholdStore, HouseholdStore]> {
  const stores: HouseholdStore[] = []
  const [a, b] = [writerOf(1).node, writerOf(2).node]
  stores.push(await openFor(1, (frame) => stores[1]?.links.frame(a, frame)))
  stores.push(await openFor(2, (frame) => stores[0]?.links.frame(b, frame)))
  return stores as [HouseholdStore, HouseholdStore]
}

function link([a, b]: [HouseholdStore, HouseholdStore]): void {
  a.links.linked(writerOf(2).node)
  b.links.linked(writerOf(1).node)
}

/** From the acknowledgement on one node to whoever follows on the other. */
async function propagation(): Promise<void> {
  const stores = await pair()
  link(stores)
  const [a, b] = stores
  const waiting = new Map<string, () => void>()
  b.follow('bench', {
    hear: ({ changes }) => {
      for (const { key } of changes) waiting.get(key)?.()
    },
    failed: (error) => {
      throw error
    },
  })
  const series: number[] = []
  for (let i = 0; i < 300; i += 1) {
    const heard = new Promise<void>((resolve) => waiting.set(`p${i}`, resolve))
    const from = performance.now()
    await a.apply('bench', [{ change: 'put', key: `p${i}`, value: VALUE }])
    await heard
    series.push(performance.now() - from)
  }
  print('two stores: write on one to follower on the other', { unit: 'ms', ...percentiles(series) })
  await Promise.all(stores.map((store) => store.close()))
}

async function bootstrap(): Promise<void> {
  const stores = await pair()
  const [from, to] = stores
  for (let i = 0; i < BOOTSTRAP_ROWS; i += 500) {
    const changes = Array.from(
      { length: 500 },
      (_, j) => ({ change: 'put', key: `boot${i + j}`, value: VALUE }) as const,
    )
    await from.apply('bench', changes)
  }
  const wanted = from.replication()!.writers[0]!.version
  const lag = monitorEventLoopDelay({ resolution: 1 })
  lag.enable()
  const start = performance.now()
  link(stores)
  while ((to.replication()!.writers[0]?.version ?? 0) < wanted)
    await new Promise((resolve) => setImmediate(resolve))
  const ms = performance.now() - start
  lag.disable()
  print('two stores: bootstrap of a late one, checked, inserted and durable', {
    rows: BOOTSTRAP_ROWS,
    seconds: Number((ms / 1_000).toFixed(2)),
    changes_per_second: rate(BOOTSTRAP_ROWS, ms),
    event_loop_lag_ms_p99: Number((lag.percentile(99) / 1e6).toFixed(2)),
    event_loop_lag_ms_max: Number((lag.max / 1e6).toFixed(2)),
  })
  const [left, right] = await Promise.all(stores.map((store) => store.digest()))
  if (left!.digest !== right!.digest) throw new Error('the two differ')
  const backup = performance.now()
  await from.backup(join(directory, 'backup'))
  print('replica: backup while running', { rows: BOOTSTRAP_ROWS, ms: Math.round(performance.now() - backup) })
  await Promise.all(stores.map((store) => store.close()))
  await applying()
  await reopening()
}

/** Batches as they come over a link, into an empty replica: what the thread does with them. */
async function applying(): Promise<void> {
  const from = await openReplica({ path: join(directory, 'backup'), key: KEY, writer: writerOf(1) })
  const to = await openReplica({ path: join(directory, 'to'), key: KEY, writer: writerOf(2) })
  const origin = originKey(from.opened.contents.self)
  await to.believe([writerOf(1).node])
  const merges: number[] = []
  let all = 0
  for (let above = 0; ; ) {
    const batches = await from.answer(origin, above)
    if (batches.length === 0) break
    const start = performance.now()
    above = (await to.store(origin, batches)).through
    merges.push(performance.now() - start)
    all += performance.now() - start
  }
  print('replica: batches applied', {
    changes_per_second: rate(BOOTSTRAP_ROWS, all),
    unit: 'ms an answer',
    ...percentiles(merges),
  })
  const verifying = performance.now()
  await from.verify()
  print('replica: every page and index checked', {
    rows: BOOTSTRAP_ROWS,
    ms: Math.round(performance.now() - verifying),
  })
  await Promise.all([from.close(), to.close()])
}

/** Opens the copy as if its owner had been killed: with commits in the log, so everything is checked first. */
async function reopening(): Promise<void> {
  const path = join(directory, 'backup')
  for (const ending of ['in order', 'unclean']) {
    const from = performance.now()
    const pages = PageFile.open({ files: realFiles, path, sealersOf: gcmSealers(KEY, random), random })
    const database = await ReplicaDatabase.open({ pages, code: readEngineCode(), migrations: MIGRATIONS })
    const ms = Math.round(performance.now() - from)
    print(`database: opened after an end ${ending}`, {
      rows: BOOTSTRAP_ROWS,
      ms,
      checked: pages.endedUnclean,
    })
    database.write([put('last')])
    database.flush()
    // Left as a killed process leaves it: the commit is in the log.
    if (ending === 'in order') continue
    database.close()
    pages.close()
  }
}

try {
  disk()
  const reference = plain()
  await alone('plain SQLite, in the clear, nothing told', reference.write)
  await together('plain SQLite, in the clear, nothing told', reference.write)
  const bulk = performance.now()
  reference.bulk(BOOTSTRAP_ROWS)
  print('plain SQLite: rows in one transaction', {
    per_second: rate(BOOTSTRAP_ROWS, performance.now() - bulk),
  })
  reference.close()
  const store = await openFor(1, () => undefined)
  await alone('store', storeWrite(store))
  await together('store', storeWrite(store))
  await store.close()
  await propagation()
  // By turns, so that other work on the machine falls on both alike.
  for (let round = 1; round <= ROUNDS; round += 1) {
    await sealing('sealed', round, gcmSealers(KEY, random))
    await sealing('not sealed', round, unsealed)
  }
  await bootstrap()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
