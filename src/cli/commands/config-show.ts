/** `loqa config show`: the settings, and where each comes from. */
import { type ConfigRow, loadConfig } from '../../config.ts'
import type { Run } from '../call.ts'
import { nodeRequest } from '../node-request.ts'
import { type Column, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async (call) => {
  const { world, options, json, style } = call
  const rows =
    options.running === true
      ? await (await call.client()).get<readonly ConfigRow[]>('/api/v1/config')
      : (await loadConfig(world.disk, world, nodeRequest(options))).rows
  world.terminal.out(json ? `${JSON.stringify(rows)}\n` : configText(rows, style, options.origin === true))
  return EXIT.ok
}

export function configText(rows: readonly ConfigRow[], style: Style, origin: boolean): string {
  const columns: readonly Column[] = [
    { title: 'setting' },
    { title: 'value', flexible: true },
    ...(origin ? [{ title: 'from', flexible: true, paint: paintOrigin }] : []),
  ]
  const cells = rows.map((row) => [row.key, shown(row.value), ...(origin ? [row.origin] : [])])
  return table(columns, cells, style)
}

const paintOrigin = (from: string) => (from === 'default' ? 'dim' : 'yellow') as 'dim' | 'yellow'

const shown = (value: unknown): string =>
  value === '' ? '""' : typeof value === 'string' ? value : JSON.stringify(value)
