/** Percentiles of a series, and the line a bench prints. */
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'

/** The value below which `share` of the sorted series lies. */
const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!

const round = (value: number): number => Number(value.toPrecision(3))

export function percentiles(series: readonly number[]) {
  const sorted = [...series].sort((a, b) => a - b)
  return {
    n: sorted.length,
    p50: round(at(sorted, 0.5)),
    p90: round(at(sorted, 0.9)),
    p99: round(at(sorted, 0.99)),
  }
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
const machine = `${cpus().length}× ${cpus()[0]?.model.trim() ?? 'unknown'}`

export const print = (bench: string, values: Readonly<Record<string, unknown>>): void =>
  console.log(JSON.stringify({ bench, ...values, machine, commit, node: process.version }))
