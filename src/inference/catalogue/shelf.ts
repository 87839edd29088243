/**
 * What was fetched and what was chosen, in `<data>/models/pulled`: `manifest.json` in the format of the models that came with
 * the node, `pins.json` with the checksums that nobody had published and that were met first, `chosen.json` with the model of
 * each kind a person wants used. Pins outlive their files: a file fetched again must be the same one.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { type Disk, LoqaError } from '../../host/index.ts'
import type { EngineKind } from '../engine.ts'
import { type Model, manifestSchema } from '../manifest.ts'
import { sha256Schema } from './wanted.ts'

export const pulledDirectory = (data: string): string => join(data, 'models', 'pulled')

const pinsSchema = z.strictObject({
  version: z.literal(1),
  /** Model and role, e.g. `piper-en-gb-alba config`. */
  pins: z.record(z.string().max(256), sha256Schema),
})

const CHOSEN = ['stt', 'llm', 'tts', 'vad'] as const satisfies readonly EngineKind[]
export type ChosenKind = (typeof CHOSEN)[number]
const chosenSchema = z.strictObject({
  version: z.literal(1),
  ...{ stt: z.string().max(128).optional(), llm: z.string().max(128).optional() },
  ...{ tts: z.string().max(128).optional(), vad: z.string().max(128).optional() },
})

export type Chosen = Readonly<Partial<Record<ChosenKind, string>>>
export const isChosenKind = (kind: EngineKind): kind is ChosenKind => CHOSEN.some((one) => one === kind)

export interface Shelf {
  readonly models: readonly Model[]
  readonly pins: Readonly<Record<string, string>>
  readonly chosen: Chosen
}

/** A list of models is a few hundred kB at the very most; larger is not ours. */
const MAX_SHELF_BYTES = 4 * 1024 * 1024

/** Errors: `LoqaError` `model-invalid` that names the file which is damaged. */
export async function readShelf(disk: Disk, directory: string): Promise<Shelf> {
  const manifest = await readAs(disk, join(directory, 'manifest.json'), manifestSchema)
  const pins = await readAs(disk, join(directory, 'pins.json'), pinsSchema)
  const { version: _, ...chosen } = (await readAs(disk, join(directory, 'chosen.json'), chosenSchema)) ?? {
    version: 1,
  }
  return { models: manifest?.models ?? [], pins: pins?.pins ?? {}, chosen: chosen as Chosen }
}

async function readAs<T>(disk: Disk, path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const info = await disk.info(path)
  if (info === undefined) return undefined
  const wrong = (why: string, cause?: unknown): LoqaError =>
    new LoqaError('model-invalid', `${path} ${why}`, {
      hint: 'Move it away; the models it named can be fetched again with loqa models pull.',
      cause,
    })
  if (info.size > MAX_SHELF_BYTES) throw wrong(`has ${info.size} bytes, too many for a list`)
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(await disk.read(path)).toString('utf8'))
  } catch (cause) {
    throw wrong('is not JSON', cause)
  }
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw wrong(`is damaged: ${issue?.path.join('.')}: ${issue?.message}`)
}

const write = (disk: Disk, path: string, value: object): Promise<void> =>
  disk.write(path, Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`))

/** Replaces the entry of the same id. */
export const putModel = (disk: Disk, directory: string, { models }: Shelf, model: Model): Promise<void> =>
  write(disk, join(directory, 'manifest.json'), {
    version: 1,
    models: [...models.filter(({ id }) => id !== model.id), model],
  })

/** The entry goes before its files: what is named is there. */
export async function dropModel(
  disk: Disk,
  directory: string,
  { models }: Shelf,
  model: Model,
): Promise<void> {
  const rest = models.filter(({ id }) => id !== model.id)
  await write(disk, join(directory, 'manifest.json'), { version: 1, models: rest })
  const kept = new Set(rest.flatMap(({ files }) => files.map(({ path }) => path)))
  for (const { path } of model.files) if (!kept.has(path)) await disk.remove(join(directory, path))
}

export const pinName = (model: string, role: string): string => `${model} ${role}`

export const putPins = (disk: Disk, directory: string, pins: Shelf['pins']): Promise<void> =>
  write(disk, join(directory, 'pins.json'), { version: 1, pins })

export const putChosen = (disk: Disk, directory: string, chosen: Chosen): Promise<void> =>
  write(disk, join(directory, 'chosen.json'), { version: 1, ...chosen })
