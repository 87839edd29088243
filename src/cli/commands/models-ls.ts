/** `loqa models ls`: what is here, what is used, what can be fetched. */
import { join } from 'node:path'
import { CATALOGUE, type Entry, isPinned, sizeOf, sizeText } from '../../inference/catalogue/index.ts'
import type { Model } from '../../inference/index.ts'
import type { Run } from '../call.ts'
import { type ModelsHere, modelsHere } from '../models-here.ts'
import { type Column, table } from '../table.ts'
import { EXIT, type World } from '../world.ts'

export interface ModelRow {
  readonly id: string
  readonly kind: string
  readonly engine: string
  readonly languages: readonly string[]
  /** Null when nobody published it. */
  readonly bytes: number | null
  readonly licence: string
  /** Every checksum is known, from its publisher or from the first download. */
  readonly pinned: boolean
  readonly state: 'in use' | 'chosen' | 'here' | 'unfinished' | 'to fetch'
  readonly about: string
}

export const run: Run = async (call) => {
  const { world, json, style, options } = call
  const here = await modelsHere(call)
  const rows = await modelRows(world, here)
  if (json) world.terminal.out(`${JSON.stringify(rows)}\n`)
  else {
    const shown = options.here === true ? rows.filter(({ state }) => state !== 'to fetch') : rows
    world.terminal.out(table(COLUMNS, shown.map(cellsOf), style))
  }
  return EXIT.ok
}

const COLUMNS: readonly Column[] = [
  { title: 'model' },
  { title: 'kind' },
  {
    title: 'state',
    paint: (state) => (state === 'in use' ? 'green' : state === 'to fetch' ? 'dim' : undefined),
  },
  { title: 'size', align: 'right' },
  { title: 'languages', flexible: true },
  { title: 'licence', flexible: true },
  { title: 'about', flexible: true },
]

const cellsOf = (row: ModelRow): string[] => [
  row.id,
  row.kind,
  row.state,
  row.bytes === null ? 'unpinned' : `${sizeText(row.bytes)}${row.pinned ? '' : ', unpinned'}`,
  row.languages.join(' '),
  row.licence,
  row.about,
]

async function modelRows(world: World, here: ModelsHere): Promise<readonly ModelRow[]> {
  const ids = new Set(here.installed.map(({ id }) => id))
  const absent = CATALOGUE.filter(({ id }) => !ids.has(id))
  const fetched = await Promise.all(
    absent.map(async (entry) =>
      rowOf(entry, (await isBegun(world, here, entry)) ? 'unfinished' : 'to fetch'),
    ),
  )
  return [...here.installed.map((model) => installedRow(model, here)), ...fetched]
}

function installedRow(model: Model, { shelf, running }: ModelsHere): ModelRow {
  const { id, kind, engine, languages, licence, covers, files } = model
  const chosen = Object.values(shelf.chosen).includes(id)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const state = running?.has(id) ? 'in use' : chosen ? 'chosen' : 'here'
  return { id, kind, engine, languages, bytes, licence, pinned: true, state, about: covers }
}

const rowOf = (entry: Entry, state: ModelRow['state']): ModelRow => {
  const { id, kind, engine, languages, licence, about } = entry
  return {
    id,
    kind,
    engine,
    languages,
    bytes: sizeOf(entry) ?? null,
    licence,
    pinned: isPinned(entry),
    state,
    about,
  }
}

async function isBegun({ disk }: World, { directory }: ModelsHere, entry: Entry): Promise<boolean> {
  for (const { name } of entry.files) {
    const path = join(directory, `${entry.id}.${name}`)
    if ((await disk.info(`${path}.part`)) !== undefined || (await disk.info(path)) !== undefined) return true
  }
  return false
}
