/** `loqa models pull`: fetches a model of the catalogue or of an address; without a name it proposes what suits this machine. */
import {
  adviceFor,
  CATALOGUE,
  ENGINES,
  type Entry,
  entryOf,
  isChosenKind,
  isPinned,
  pullEntry,
  sizeOf,
  sizeText,
} from '../../inference/catalogue/index.ts'
import type { Call, Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { missingLibrary } from '../engine-libraries.ts'
import { UsageError } from '../failures.ts'
import { claimed, entryCalled, freeSpace, type ModelsHere, modelsHere, thisMachine } from '../models-here.ts'
import { PullProgress } from '../pull-progress.ts'
import { openSources } from '../sources.ts'
import { EXIT } from '../world.ts'

export const run: Run = async (call) => {
  const { world, args, json, options } = call
  const here = await modelsHere(call)
  const entries = args.length === 0 ? await proposed(call, here) : args.map((name) => entryFor(call, name))
  if (entries.length === 0 || options.dryRun === true) return EXIT.ok
  await world.disk.makeDirectory(here.directory)
  return claimed(here.directory, async () => {
    for (const entry of entries) await pullOne(call, here, entry)
    if (!json && entries.length > 1) world.terminal.err(`${entries.length} models are here.\n`)
    return EXIT.ok
  })
}

async function pullOne({ world, json }: Call, here: ModelsHere, entry: Entry): Promise<void> {
  const { terminal, disk, clock, interrupted } = world
  const progress = new PullProgress(world, json)
  if (!json) {
    const size = sizeOf(entry)
    terminal.err(
      `${entry.id}: ${size === undefined ? 'size unknown' : sizeText(size)}, licence ${entry.licence}\n`,
    )
    if (!isPinned(entry))
      terminal.err(
        'Its publisher shows no checksum: what comes first is recorded, and enforced from then on.\n',
      )
  }
  try {
    const pulled = await pullEntry(
      { disk, clock, space: freeSpace, open: openSources(world, (host) => progress.host(host)) },
      entry,
      {
        directory: here.directory,
        signal: interrupted,
        tell: (file, event) => progress.told(entry.id, file, event),
      },
    )
    progress.end()
    if (json)
      terminal.out(`${JSON.stringify({ event: 'done', model: pulled.model, recorded: pulled.recorded })}\n`)
    else terminal.out(`${entry.id} is here and right. ${await nextStep(entry, here)}\n`)
  } finally {
    progress.end()
  }
}

async function nextStep({ id, kind, engine, not_yet }: Entry, { data }: ModelsHere): Promise<string> {
  if (!ENGINES.has(engine)) return `This version has no engine ${engine} for it yet.`
  const missing = await missingLibrary(engine, data)
  if (missing !== undefined)
    return `Its engine is to be added, ${sizeText(missing.download_bytes)}: loqa engines add ${engine}`
  if (not_yet !== undefined) return `It is of little use yet: ${not_yet}.`
  return isChosenKind(kind) ? `Use it: loqa models use ${id}` : 'Nothing uses models of its kind yet.'
}

/** Errors: `UsageError` that names what there is. */
function entryFor({ options }: Call, name: string): Entry {
  const known = entryCalled(name)
  const from = typeof options.from === 'string' ? options.from : undefined
  if (known !== undefined) return from === undefined ? known : withSource(known, from)
  if (!/^[a-z]+:/i.test(name))
    throw new UsageError(
      `There is no model ${JSON.stringify(name)} in the catalogue`,
      'See them: loqa models ls',
    )
  if (typeof options.sha256 !== 'string')
    throw new UsageError(
      'A file from any address needs its checksum: --sha256 HEX',
      'Its publisher shows it beside the file. Without one nobody could tell a damaged or forged file.',
    )
  const text = (key: string): object => (typeof options[key] === 'string' ? { [key]: options[key] } : {})
  const id = typeof options.as === 'string' ? { id: options.as } : {}
  return entryOf(name, { sha256: options.sha256, ...id, ...text('kind'), ...text('engine') })
}

/** The address stands for the folder when the model has several files; the catalogue's own sources come after. */
function withSource(entry: Entry, from: string): Entry {
  const folder = from.endsWith('/') ? from : `${from}/`
  const files = entry.files.map((file) => {
    const url = from.endsWith('/') || entry.files.length > 1 ? `${folder}${file.name}` : from
    return { ...file, sources: [url, ...file.sources] }
  })
  return { ...entry, files }
}

async function proposed(call: Call, here: ModelsHere): Promise<readonly Entry[]> {
  const { world, json, options } = call
  const machine = await thisMachine(here.directory)
  const advice = adviceFor(CATALOGUE, machine, ENGINES)
  const absent = advice.filter(({ entry }) => !here.installed.some(({ id }) => id === entry.id))
  const missing = absent.filter(({ entry }) => entry.not_yet === undefined)
  const later = absent.filter(({ entry }) => entry.not_yet !== undefined)
  if (json)
    world.terminal.out(
      `${JSON.stringify({ event: 'proposed', machine, models: missing.map(({ entry, why }) => ({ id: entry.id, bytes: sizeOf(entry) ?? null, why })) })}\n`,
    )
  if (missing.length === 0) {
    if (!json)
      world.terminal.out(
        advice.length === 0
          ? 'This machine is best served by the starter models, or by another one of the household.\n'
          : 'What suits this machine is here already.\n',
      )
    return []
  }
  const lines = missing.map(({ entry, why }) => `  ${entry.id}  ${sizeText(sizeOf(entry) ?? 0)}: ${why}`)
  lines.push(...later.map(({ entry }) => `  ${entry.id} would fit, and is not fetched: ${entry.not_yet}`))
  const text = `For this machine (${sizeText(machine.memory_bytes)} memory, ${machine.cores} cores, ${sizeText(machine.free_bytes)} free on the disk):\n${lines.join('\n')}`
  if (options.dryRun === true) {
    if (!json) world.terminal.out(`${text}\n`)
    return []
  }
  if (options.yes === true && !json) world.terminal.err(`${text}\n`)
  await confirm(call, text, 'pull')
  return missing.map(({ entry }) => entry)
}
