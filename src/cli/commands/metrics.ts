/** `loqa metrics`: the node's numbers, histograms as medians. */
import type { Run } from '../call.ts'
import { type Family, parsePrometheus, quantile, rowsOf } from '../prometheus.ts'
import { type Column, milliseconds, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, options, json, style, client }) => {
  const text = await (await client()).text('/metrics')
  const { out } = world.terminal
  if (options.raw === true) out(text)
  else if (json) out(`${JSON.stringify(parsePrometheus(text).flatMap(rowsOf))}\n`)
  else out(metricsText(parsePrometheus(text), style))
  return EXIT.ok
}

const COLUMNS: readonly Column[] = [
  { title: 'metric', flexible: true },
  { title: 'labels', flexible: true },
  { title: 'value', align: 'right' },
  { title: 'p50', align: 'right' },
  { title: 'p95', align: 'right' },
]

/** Counts as they are, measurements with as many digits as matter, memory in megabytes. */
const number = (name: string, value: number): string =>
  name.endsWith('_bytes')
    ? `${Math.round(value / 1e6)} MB`
    : Number.isInteger(value)
      ? String(value)
      : milliseconds(value)

export function metricsText(families: readonly Family[], style: Style): string {
  const rows = families.flatMap((family) =>
    rowsOf(family).map((row) => {
      const labels = Object.entries(row.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')
      if (row.buckets === undefined) return [row.name, labels, number(row.name, row.value), '', '']
      const at = (share: number): string => milliseconds(quantile(row.buckets ?? [], share))
      return [row.name, labels, `${row.value} times`, at(0.5), at(0.95)]
    }),
  )
  return table(COLUMNS, rows, style)
}
