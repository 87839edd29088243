/** What the engine tests share: a pool over real processes, runs collected into lists, and sounds with known words. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import {
  type Capability,
  type EngineEvent,
  type EngineInput,
  type EngineRequest,
  type EngineStream,
  openModels,
  Pool,
  type PoolSettings,
  type ReplicaSpec,
  replicasOf,
} from '../../src/inference/index.ts'
import { type StartProcess, startProcess } from '../../src/inference/process.ts'
import type { Log } from '../../src/observe/index.ts'
import { SETTINGS } from '../fixtures/engines/settings.ts'

export const host = realHost()
export const STANDINS = fileURLToPath(new URL('../fixtures/engines', import.meta.url))

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** Stand-in models, or those of `models_dir`, as replica specs. */
export async function specs(
  ids: readonly string[],
  options: { models_dir?: string; unpacked_dir: string; count?: number },
): Promise<ReplicaSpec[]> {
  const models = await openModels({
    disk: host.disk,
    clock: host.clock,
    models_dir: options.models_dir ?? STANDINS,
    unpacked_dir: options.unpacked_dir,
  })
  const chosen = models.list.filter((model) => ids.includes(model.id))
  return chosen.flatMap((model) => replicasOf(model, models, options.count))
}

/** A spec of the scripted engine, which misbehaves as `mode` says. */
export const scripted = (mode: string, more: Partial<ReplicaSpec> = {}): ReplicaSpec => ({
  name: `scripted.${mode}`,
  tag: `tts.scripted:${mode}`,
  kind: 'tts',
  engine: 'scripted',
  model: mode,
  prepare: async () => ({ id: mode, kind: 'tts', engine: 'scripted', paths: {}, parameters: { mode } }),
  ...more,
})

const SCRIPT = fileURLToPath(new URL('../fixtures/engines/scripted-engine.ts', import.meta.url))
export const startScripted: StartProcess = (events) => startProcess(events, SCRIPT)

export interface TestPool {
  readonly pool: Pool
  /** Resolves when the row of the replica fulfils `holds`; at once when it does already. */
  until(name: string, holds: (row: Capability) => boolean): Promise<Capability>
}

export function openPool(
  replicas: readonly ReplicaSpec[],
  options: { settings?: Partial<PoolSettings>; startProcess?: StartProcess } = {},
): TestPool {
  const watchers = new Set<() => void>()
  const pool = new Pool({
    settings: { ...SETTINGS, ...options.settings },
    replicas,
    clock: host.clock,
    random: host.random,
    log: silent,
    onChange: () => {
      for (const watch of [...watchers]) watch()
    },
    ...(options.startProcess === undefined ? {} : { startProcess: options.startProcess }),
  })
  const until = (name: string, holds: (row: Capability) => boolean): Promise<Capability> =>
    new Promise((resolve) => {
      const watch = (): void => {
        const row = pool.capabilities().find((capability) => capability.name === name)!
        if (!holds(row)) return
        watchers.delete(watch)
        resolve(row)
      }
      watchers.add(watch)
      watch()
    })
  return { pool, until }
}

export interface CollectedRun {
  readonly stream: EngineStream
  readonly events: EngineEvent[]
  /** Resolves with all events at the last one. */
  readonly ended: Promise<readonly EngineEvent[]>
}

/** Opens a run and keeps what it says. */
export function open(pool: Pool, to: string, request: EngineRequest): CollectedRun {
  const events: EngineEvent[] = []
  let end: (events: readonly EngineEvent[]) => void
  const ended = new Promise<readonly EngineEvent[]>((resolve) => {
    end = resolve
  })
  const stream = pool.run(to, request, (event) => {
    events.push(event)
    if (event.type === 'done' || event.type === 'failed') end(events)
  })
  return { stream, events, ended }
}

/** A whole run: all inputs, then finish. */
export function run(
  pool: Pool,
  to: string,
  request: EngineRequest,
  inputs: readonly EngineInput[] = [],
): Promise<readonly EngineEvent[]> {
  const { stream, ended } = open(pool, to, request)
  for (const input of inputs) stream.feed(input)
  stream.finish()
  return ended
}

export const typesOf = (events: readonly EngineEvent[]): string[] => events.map((event) => event.type)

export const errorCode = (events: readonly EngineEvent[]): string | undefined => {
  const last = events.at(-1)
  return last?.type === 'failed' ? last.error.code : undefined
}

/** `hz` 0 is silence. 16 kHz mono. */
export const tone = (hz: number, duration_ms: number): Float32Array =>
  Float32Array.from({ length: 16 * duration_ms }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / 16_000))

export const LOW_HZ = 300
export const HIGH_HZ = 4_000

/** In frames of 20 ms, as a microphone gives them. */
export const frames = (...pieces: readonly Float32Array[]): EngineInput[] =>
  pieces.flatMap((piece) =>
    Array.from({ length: Math.ceil(piece.length / 320) }, (_, i) => ({
      type: 'audio' as const,
      samples: piece.slice(i * 320, (i + 1) * 320),
    })),
  )

/** What the stand-in recogniser writes as "low high low". */
export const LOW_HIGH_LOW = frames(
  tone(0, 200),
  tone(LOW_HZ, 300),
  tone(0, 200),
  tone(HIGH_HZ, 300),
  tone(0, 200),
  tone(LOW_HZ, 300),
)

export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'loqa-engines-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Whether a process of that id exists. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024

/** By how many bytes a process grows in `3 * few` runs, once it has done `2 * few`. */
export async function growth(pid: number, few: number, work: () => Promise<unknown>): Promise<number> {
  const after = async (runs: number): Promise<number> => {
    for (let i = 0; i < runs; i += 1) await work()
    return residentBytes(pid)
  }
  await after(few)
  const before = await after(few)
  return (await after(3 * few)) - before
}

/** Awaits what becomes true without an event to wait for, with patience for a busy machine. */
export const eventually = <T>(observe: () => T) => expect.poll(observe, { timeout: 45_000, interval: 10 })
