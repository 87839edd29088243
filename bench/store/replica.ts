/**
 * What the replica costs beside the plain store on the same work: durable writes alone and from 32 writers, what sealing adds, changes
 * out and in, a bootstrap of 100,000 rows and what the event loop feels of it, opening after an unclean end, a backup.
 *
 *   node bench/store/replica.ts [directory]     on the disk that is to be measured; by default the system's temporary directory
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { realHost } from '../../src/host/real.ts'
import { type ChangeRow, openReplica, type Replica } from '../../src/store/crdt/index.ts'
import { PageFile } from '../../src/store/crdt/page-file.ts'
import { readEngineCode, realFiles } from '../../src/store/crdt/real-files.ts'
import { ReplicaDatabase } from '../../src/store/crdt/replica-database.ts'
import { MIGRATIONS } from '../../src/store/crdt/schema.ts'
import { CHECK_BYTES, gcmSealers, NONCE_BYTES, type SealersOf, TAG_BYTES } from '../../src/store/crdt/seal.ts'
import { openStore, type Store } from '../../src/store/index.ts'
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
const replicaWrite =
  (replica: Replica): Write =>
  (key) =>
    replica.write([put(key)])

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

async function bootstrap(): Promise<void> {
  const [from, to] = [
    await openReplica({ path: join(directory, 'from'), key: KEY }),
    await openReplica({ path: join(directory, 'to'), key: KEY }),
  ]
  for (let i = 0; i < BOOTSTRAP_ROWS; i += 1_000)
    await from.write(Array.from({ length: 1_000 }, (_, j) => put(`boot${i + j}`)))
  const lag = monitorEventLoopDelay({ resolution: 1 })
  lag.enable()
  let [exporting, merging, rows] = [0, 0, 0]
  const merges: number[] = []
  for (let since = 0, more = true; more; ) {
    const start = performance.now()
    const batch = await from.changesSince(since, 5_000)
    const exported = performance.now()
    await to.merge(batch.rows)
    merges.push(performance.now() - exported)
    exporting += exported - start
    merging += performance.now() - exported
    rows += batch.rows.length
    since = batch.to
    more = batch.more
  }
  lag.disable()
  print('replica: bootstrap in batches of 5,000, through both threads', {
    rows,
    seconds: Number(((exporting + merging) / 1_000).toFixed(2)),
    export_per_second: rate(rows, exporting),
    merge_per_second: rate(rows, merging),
    event_loop_lag_ms_p99: Number((lag.percentile(99) / 1e6).toFixed(2)),
    event_loop_lag_ms_max: Number((lag.max / 1e6).toFixed(2)),
  })
  print('replica: merge of 5,000 rows', { unit: 'ms', ...percentiles(merges) })
  await latency(to)
  const backup = performance.now()
  await from.backup(join(directory, 'backup'))
  print('replica: backup while running', { rows, ms: Math.round(performance.now() - backup) })
  const verifying = performance.now()
  await from.verify()
  print('replica: every page and index checked', { rows, ms: Math.round(performance.now() - verifying) })
  await Promise.all([from.close(), to.close()])
  await reopening()
}

/** What a batch in between costs whoever asks at that moment. */
async function latency(replica: Replica): Promise<void> {
  const rows: readonly ChangeRow[] = (await replica.changesSince(0, 100)).rows
  const series: number[] = []
  for (let i = 0; i < 200; i += 1) {
    const from = performance.now()
    await replica.merge(rows)
    await replica.read({
      sql: 'SELECT value FROM entries WHERE key = ? AND collection = ?',
      parameters: [`boot${i}`, 'bench'],
    })
    series.push(performance.now() - from)
  }
  print('replica: read by key, round trip to the thread', { unit: 'ms', ...percentiles(series) })
}

/** Opens the copy as if its owner had been killed: with commits in the log, so everything is checked first. */
async function reopening(): Promise<void> {
  const path = join(directory, 'from')
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
  const store = await openStore({ host, directory })
  await alone('plain store', storeWrite(store))
  await together('plain store', storeWrite(store))
  await store.close()
  const replica = await openReplica({ path: join(directory, 'writes'), key: KEY })
  await alone('replica', replicaWrite(replica))
  await together('replica', replicaWrite(replica))
  await replica.close()
  // By turns, so that other work on the machine falls on both alike.
  for (let round = 1; round <= ROUNDS; round += 1) {
    await sealing('sealed', round, gcmSealers(KEY, random))
    await sealing('not sealed', round, unsealed)
  }
  await bootstrap()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
