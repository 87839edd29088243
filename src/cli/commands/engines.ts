/** `loqa engines ls | add | rm`: what models run on, and the libraries that come only when somebody wants them. */
import {
  type AddedLibrary,
  BUILT_IN,
  CATALOGUE,
  enginesDirectory,
  LIBRARIES,
  sizeText,
} from '../../inference/catalogue/index.ts'
import type { Call, Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { bytesOf, installLibrary, removeLibrary } from '../engine-libraries.ts'
import { UsageError } from '../failures.ts'
import { claimed, freeSpace, type ModelsHere, modelsHere } from '../models-here.ts'
import { type Column, table } from '../table.ts'
import { EXIT } from '../world.ts'

export interface EngineRow {
  readonly engine: string
  readonly state: 'comes along' | 'added' | 'to add'
  /** On the disk; null for what comes with the program. */
  readonly bytes: number | null
  readonly licence: string
  readonly about: string
  /** Of the catalogue. */
  readonly models: readonly string[]
}

export const ls: Run = async (call) => {
  const { world, json, style } = call
  const here = await modelsHere(call)
  const rows = [
    ...Object.entries(BUILT_IN).map(([engine, { about, licence }]) =>
      rowOf(engine, about, 'comes along', null, licence),
    ),
    ...(await Promise.all(LIBRARIES.map((library) => libraryRow(library, here)))),
  ]
  if (json) world.terminal.out(`${JSON.stringify(rows)}\n`)
  else world.terminal.out(table(COLUMNS, rows.map(cellsOf), style))
  return EXIT.ok
}

const COLUMNS: readonly Column[] = [
  { title: 'engine' },
  {
    title: 'state',
    paint: (state) => (state === 'added' ? 'green' : state === 'to add' ? 'dim' : undefined),
  },
  { title: 'size', align: 'right' },
  { title: 'licence', flexible: true },
  { title: 'about', flexible: true },
  { title: 'models', flexible: true },
]

const cellsOf = ({ engine, state, bytes, licence, about, models }: EngineRow): string[] => [
  ...[engine, state, bytes === null ? '-' : sizeText(bytes)],
  ...[licence, about, models.join(' ')],
]

function rowOf(
  engine: string,
  about: string,
  state: EngineRow['state'],
  bytes: number | null,
  licence: string,
): EngineRow {
  const models = CATALOGUE.filter((entry) => entry.engine === engine).map(({ id }) => id)
  return { engine, state, bytes, licence, about, models }
}

async function libraryRow(library: AddedLibrary, here: ModelsHere): Promise<EngineRow> {
  const { engine, about, licence, installed_bytes } = library
  const bytes = await bytesHere(engine, here)
  return rowOf(engine, about, bytes === undefined ? 'to add' : 'added', bytes ?? installed_bytes, licence)
}

const bytesHere = (engine: string, { data }: ModelsHere): Promise<number | undefined> =>
  bytesOf(`${enginesDirectory(data)}/${engine}`).catch(() => undefined)

/** Errors: `UsageError` that names what there is. */
function libraryCalled({ args }: Call): AddedLibrary {
  const name = args[0] ?? ''
  const library = LIBRARIES.find(({ engine }) => engine === name)
  if (library !== undefined) return library
  const names = LIBRARIES.map(({ engine }) => engine).join(', ')
  throw BUILT_IN[name] === undefined
    ? new UsageError(`There is no engine ${JSON.stringify(name)}`, `Those to add: ${names}`)
    : new UsageError(`The engine ${name} comes with the program`, `Those to add: ${names}`)
}

export const add: Run = async (call) => {
  const { world, options, json } = call
  const library = libraryCalled(call)
  const here = await modelsHere(call)
  const directory = enginesDirectory(here.data)
  const { engine, download_bytes, peak_bytes, installed_bytes, licence } = library
  const said = `${engine}: ${library.about}; licence ${licence}.\n${sizeText(download_bytes)} are fetched from the package registry; it takes ${sizeText(peak_bytes)} on the disk meanwhile and ${sizeText(installed_bytes)} in the end.`
  const known = { engine, download_bytes, peak_bytes, installed_bytes }
  if (options.dryRun === true) {
    world.terminal.out(json ? `${JSON.stringify({ ...known, installed: false })}\n` : `${said}\n`)
    return EXIT.ok
  }
  const free = await freeSpace(directory)
  if (free < peak_bytes)
    throw new UsageError(`There is too little room: ${sizeText(free)} are free of ${sizeText(peak_bytes)}`)
  if (options.yes === true && !json) world.terminal.err(`${said}\n`)
  await confirm(call, said, 'add')
  await world.disk.makeDirectory(directory)
  const { environment, interrupted } = world
  const bytes = await claimed(directory, () =>
    installLibrary(library, { directory, environment, signal: interrupted }),
  )
  const models = CATALOGUE.filter((entry) => entry.engine === engine).map(({ id }) => id)
  if (json) world.terminal.out(`${JSON.stringify({ ...known, installed: true, bytes })}\n`)
  else
    world.terminal.out(
      `The engine ${engine} is here, ${sizeText(bytes)}. A model for it: loqa models pull ${models[0] ?? 'URL'}\n`,
    )
  return EXIT.ok
}

export const rm: Run = async (call) => {
  const { world, options, json } = call
  const { engine } = libraryCalled(call)
  const here = await modelsHere(call)
  const directory = enginesDirectory(here.data)
  const bytes = await bytesHere(engine, here)
  if (bytes === undefined)
    throw new UsageError(`The engine ${engine} is not here`, `Add it: loqa engines add ${engine}`)
  const chosen = here.installed.filter(
    (model) => model.engine === engine && Object.values(here.shelf.chosen).includes(model.id),
  )
  const used = chosen.map(({ id }) => `. The model ${id}, which is chosen, does not run without it`)
  const what = `the engine ${engine}, ${sizeText(bytes)}${used.join('')}`
  if (options.dryRun === true) {
    world.terminal.out(
      json ? `${JSON.stringify({ engine, bytes, removed: false })}\n` : `Would remove ${what}.\n`,
    )
    return EXIT.ok
  }
  await confirm(call, `This removes ${what}.`, 'remove')
  await claimed(directory, () => removeLibrary(engine, directory))
  world.terminal.out(json ? `${JSON.stringify({ engine, bytes, removed: true })}\n` : `Removed ${engine}.\n`)
  return EXIT.ok
}
