/**
 * The models of this machine: `manifest.json` says which files there are and what they must be, byte for byte. A file is compared
 * with its checksum before any engine sees it, because engines end their process on damaged ones; packed files are unpacked once
 * into the data directory.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { z } from 'zod'
import { type Clock, type Disk, DiskError, type FileInfo, LoqaError } from '../host/index.ts'
import { type Chosen, readShelf, type Shelf } from './catalogue/shelf.ts'
import { hashOf } from './checksum.ts'
import type { ModelFiles } from './engine.ts'
import { type Model, manifestSchema } from './manifest.ts'

export type { Model }

type ModelFile = Model['files'][number]

/** The voice that needs no files; always there. */
export const FORMANT_VOICE: Model = {
  id: 'formant-en',
  kind: 'tts',
  engine: 'formant',
  files: [],
  licence: 'GPL-3.0-or-later',
  languages: ['en'],
  parameters: {},
  covers: '',
}

export interface ModelsOptions {
  readonly disk: Disk
  readonly clock: Clock
  /** Holds `manifest.json`. */
  readonly models_dir: string
  /** Where packed files are unpacked, and adapters keep what they make of files: `<data>/models`. */
  readonly unpacked_dir: string
  /** What a person fetched and chose: `<data>/models/pulled`; absent is none. */
  readonly pulled_dir?: string
  /** Libraries of engines a person added: `<data>/engines`; absent is none. */
  readonly engines_dir?: string
}

export interface Models {
  /** In order of preference: those of the manifest, the formant voice, those a person fetched (used only when chosen). */
  readonly list: readonly Model[]
  /** What a person wants used where the configuration says `auto`. */
  readonly chosen: Chosen
  /** Why nothing a person fetched is listed; the node goes on with what came with it. */
  readonly trouble: LoqaError | undefined
  /** Absolute paths of checked files. Errors: `LoqaError` `model-invalid`, or `DiskError`. */
  prepare(model: Model): Promise<ModelFiles>
}

/** Errors: `LoqaError` `model-invalid` when the manifest is missing or malformed. */
export async function openModels(options: ModelsOptions): Promise<Models> {
  const manifest = await readManifest(options)
  const { shelf, trouble } = await readPulled(options)
  const pulled = new Set(shelf.models)
  /** Path → size and time of modification of files that were found right. */
  const checked = new Map<string, string>()
  return {
    list: [...manifest.models, FORMANT_VOICE, ...shelf.models],
    chosen: shelf.chosen,
    trouble,
    async prepare(model) {
      const paths: Record<string, string> = {}
      const directory = pulled.has(model) ? options.pulled_dir! : options.models_dir
      for (const file of model.files)
        paths[file.role] = await prepareFile(options, directory, model, file, checked)
      const { id, kind, engine, parameters } = model
      const { unpacked_dir, engines_dir } = options
      const places = { work_dir: unpacked_dir, ...(engines_dir === undefined ? {} : { engines_dir }) }
      return { id, kind, engine, paths, parameters, ...places }
    },
  }
}

const EMPTY_SHELF: Shelf = { models: [], pins: {}, chosen: {} }

async function readPulled({
  disk,
  pulled_dir,
}: ModelsOptions): Promise<{ shelf: Shelf; trouble: LoqaError | undefined }> {
  if (pulled_dir === undefined) return { shelf: EMPTY_SHELF, trouble: undefined }
  try {
    return { shelf: await readShelf(disk, pulled_dir), trouble: undefined }
  } catch (thrown) {
    if (!(thrown instanceof LoqaError)) throw thrown
    return { shelf: EMPTY_SHELF, trouble: thrown }
  }
}

async function readManifest({ disk, models_dir }: ModelsOptions): Promise<z.infer<typeof manifestSchema>> {
  const path = join(models_dir, 'manifest.json')
  const hint = 'Set inference.models_dir to a directory with a manifest.json, or install the node again.'
  let content: unknown
  try {
    content = JSON.parse(Buffer.from(await disk.read(path)).toString('utf8'))
  } catch (cause) {
    const why = cause instanceof DiskError ? cause.message : `${path} is not JSON`
    throw new LoqaError('model-invalid', why, { hint, cause })
  }
  const parsed = manifestSchema.safeParse(content)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new LoqaError(
    'model-invalid',
    `${path} is not a list of models: ${issue?.path.join('.')}: ${issue?.message}`,
    {
      hint,
    },
  )
}

async function prepareFile(
  options: ModelsOptions,
  directory: string,
  model: Model,
  file: ModelFile,
  checked: Map<string, string>,
): Promise<string> {
  const path = join(directory, file.path)
  await checkFile(options, directory, model, file, path, checked)
  if (file.encoding === 'none') return path
  return unpack(options, file, path, checked)
}

/** A file once found right is believed until its size or time changes: a restart must not read gigabytes again. */
async function checkFile(
  { disk, clock, pulled_dir }: ModelsOptions,
  directory: string,
  model: Model,
  file: ModelFile,
  path: string,
  checked: Map<string, string>,
): Promise<void> {
  const wrong = (why: string): LoqaError =>
    new LoqaError('model-invalid', `The file ${path} of the model ${model.id} ${why}`, {
      hint:
        directory === pulled_dir
          ? 'Fetch it again as before: loqa models pull.'
          : 'Fetch the model again, or restore the file from the repository.',
    })
  const info = await disk.info(path)
  if (info?.kind !== 'file') throw wrong('is missing')
  if (info.size !== file.bytes) throw wrong(`has ${info.size} bytes instead of ${file.bytes}`)
  const mark = markOf(info)
  if (checked.get(path) === mark) return
  if ((await hashOf(disk, clock, path, info.size)) !== file.sha256)
    throw wrong('is damaged: its checksum is wrong')
  checked.set(path, mark)
}

const unpackBytes = promisify(gunzip)

/**
 * The unpacked file is named after the checksum of the packed one; its own checksum is written beside it, so that an unpacking
 * that was cut short, or a file that was damaged since, is done again.
 */
async function unpack(
  { disk, clock, unpacked_dir }: ModelsOptions,
  file: ModelFile,
  packed: string,
  checked: Map<string, string>,
): Promise<string> {
  const path = join(unpacked_dir, `${file.sha256.slice(0, 16)}.${file.role}`)
  const info = await disk.info(path)
  const mark = info === undefined ? 'missing' : markOf(info)
  if (checked.get(path) === mark) return path
  if (info === undefined || (await hashOf(disk, clock, path, info.size)) !== (await stampOf(disk, path))) {
    const bytes = new Uint8Array(await unpackBytes(await disk.read(packed)))
    await disk.makeDirectory(unpacked_dir)
    await disk.write(path, bytes)
    await disk.write(`${path}.sha256`, Buffer.from(createHash('sha256').update(bytes).digest('hex')))
  }
  const written = await disk.info(path)
  if (written !== undefined) checked.set(path, markOf(written))
  return path
}

async function stampOf(disk: Disk, path: string): Promise<string> {
  const stamp = `${path}.sha256`
  if ((await disk.info(stamp)) === undefined) return 'none'
  return Buffer.from(await disk.read(stamp)).toString('utf8')
}

const markOf = (info: FileInfo): string => `${info.size}@${info.modified}`
