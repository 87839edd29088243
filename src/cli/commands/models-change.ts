/** `loqa models use | rm`: which model is used, and which goes. */
import { join } from 'node:path'
import {
  dropModel,
  ENGINES,
  type Entry,
  isChosenKind,
  putChosen,
  sizeText,
} from '../../inference/catalogue/index.ts'
import type { Call, Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { missingLibrary } from '../engine-libraries.ts'
import { UsageError } from '../failures.ts'
import { claimed, entryCalled, type ModelsHere, modelsHere, removePrepared } from '../models-here.ts'
import { EXIT } from '../world.ts'

const named = ({ args }: Call): string => args[0] ?? ''

export const use: Run = async (call) => {
  const { world, json } = call
  const here = await modelsHere(call)
  const id = named(call)
  const model = here.installed.find((one) => one.id === id)
  if (model === undefined) {
    throw entryCalled(id) === undefined
      ? new UsageError(`There is no model ${JSON.stringify(id)}`, 'See them: loqa models ls')
      : new UsageError(`${id} is not here yet`, `Fetch it first: loqa models pull ${id}`)
  }
  const { kind, engine } = model
  if (!isChosenKind(kind)) throw new UsageError(`Nothing uses a model of kind ${kind} yet`)
  if (!ENGINES.has(engine))
    throw new UsageError(
      `This version has no engine ${engine} for ${id}`,
      'Keep the file; a later version may.',
    )
  if ((await missingLibrary(engine, here.data)) !== undefined)
    throw new UsageError(
      `The engine ${engine} of ${id} is not here`,
      `Add it first: loqa engines add ${engine}`,
    )
  const configured = here.config.inference[kind]
  await world.disk.makeDirectory(here.directory)
  await claimed(here.directory, () =>
    putChosen(world.disk, here.directory, { ...here.shelf.chosen, [kind]: id }),
  )
  const wins = configured === 'auto' || configured === id
  const restart = here.running !== undefined && wins && !here.running.has(id)
  const needs_mb = entryCalled(id)?.memory_mb ?? 0
  const limit_mb = here.config.inference.rss_limit_mb
  if (json) {
    const said = { kind, model: id, overruled_by: wins ? null : configured, restart_needed: restart }
    world.terminal.out(`${JSON.stringify({ ...said, needs_mb, limit_mb })}\n`)
    return EXIT.ok
  }
  const when = restart ? ' when the node is started again' : ''
  world.terminal.out(
    wins
      ? `${id} is used for ${kind}${when}.\n`
      : `Chosen, but inference.${kind} is ${configured} in the configuration, which wins. See: loqa config show --origin\n`,
  )
  const { not_yet } = entryCalled(id) ?? {}
  if (not_yet !== undefined) world.terminal.err(`It is of little use yet: ${not_yet}.\n`)
  if (needs_mb > limit_mb)
    world.terminal.err(
      `It takes about ${needs_mb} MB, and an engine above inference.rss_limit_mb = ${limit_mb} is restarted: raise it first.\n`,
    )
  return EXIT.ok
}

export const rm: Run = async (call) => {
  const { world, options, json } = call
  const here = await modelsHere(call)
  const id = named(call)
  const model = here.shelf.models.find((one) => one.id === id)
  const parts = await unfinished(call, here, entryCalled(id))
  if (model === undefined && parts.length === 0) {
    throw here.installed.some((one) => one.id === id)
      ? new UsageError(`${id} came with the node and stays`, 'To use another: loqa models use ID')
      : new UsageError(`There is no model ${JSON.stringify(id)} here`, 'See them: loqa models ls --here')
  }
  const bytes = (model?.files ?? []).reduce((sum, file) => sum + file.bytes, 0)
  const used = here.running?.has(id) === true || Object.values(here.shelf.chosen).includes(id)
  const what = `${id}${bytes === 0 ? ', what was fetched of it' : `, ${sizeText(bytes)}`}${used ? '. It is in use: the node goes on with the next one of its kind when it is started again' : ''}`
  if (options.dryRun === true) {
    world.terminal.out(
      json ? `${JSON.stringify({ model: id, bytes, used, removed: false })}\n` : `Would remove ${what}.\n`,
    )
    return EXIT.ok
  }
  if (used && options.yes !== true)
    throw new UsageError(`${id} is in use`, 'Choose another first (loqa models use ID), or add --yes.')
  await confirm(call, `This removes ${what}.`, 'remove')
  await claimed(here.directory, async () => {
    if (model !== undefined) await dropModel(world.disk, here.directory, here.shelf, model)
    for (const path of parts) await world.disk.remove(path)
    await removePrepared(here.data, id)
    const chosen = Object.entries(here.shelf.chosen).filter(([, one]) => one !== id)
    if (chosen.length < Object.keys(here.shelf.chosen).length)
      await putChosen(world.disk, here.directory, Object.fromEntries(chosen))
  })
  world.terminal.out(
    json ? `${JSON.stringify({ model: id, bytes, used, removed: true })}\n` : `Removed ${id}.\n`,
  )
  return EXIT.ok
}

/** Files of a model whose download did not end. */
async function unfinished(
  { world }: Call,
  { directory }: ModelsHere,
  entry: Entry | undefined,
): Promise<string[]> {
  const paths = (entry?.files ?? []).flatMap(({ name }) => {
    const path = join(directory, `${entry!.id}.${name}`)
    return [path, `${path}.part`, `${path}.part.json`]
  })
  const found = await Promise.all(
    paths.map(async (path) => ((await world.disk.info(path)) === undefined ? [] : [path])),
  )
  return found.flat()
}
