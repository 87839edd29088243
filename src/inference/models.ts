/**
 * The models of this machine: `manifest.json` says which files there are and what they must be, byte for byte. A file is compared
 * with its checksum before any engine sees it, because engines end their process on damaged ones; packed files are unpacked once
 * into the data directory.
 */
import { createHash } from 'node:crypto'
import { isAbsolute, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { z } from 'zod'
import { type Clock, type Disk, DiskError, type FileInfo, LoqaError, limits } from '../host/index.ts'
import type { ModelFiles } from './engine.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const bytes = z.int().min(0).max(limits.MAX_MODEL_BYTES)

const fileSchema = z.object({
  /** What the file is to its engine: `model`, `tokens`, `encoder` … */
  role: z.string().min(1).max(64),
  /** Relative to the manifest, inside its directory. */
  path: z
    .string()
    .min(1)
    .max(512)
    .refine(
      (path) => !isAbsolute(path) && !normalize(path).startsWith('..'),
      'leads out of the models directory',
    ),
  sha256,
  bytes,
  /** Stored packed; `sha256` and `bytes` are those of the packed file. */
  encoding: z.enum(['none', 'gzip']).default('none'),
})

const modelSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  kind: z.enum(['stt', 'llm', 'tts', 'vad', 'wake', 'embedding']),
  engine: z.string().min(1).max(64),
  files: z.array(fileSchema).max(32),
  licence: z.string().max(256).default('unknown'),
  languages: z.array(z.string().max(16)).max(128).default([]),
  /** What the adapter needs to know beyond the files. */
  parameters: z.record(z.string(), z.unknown()).default({}),
  /** What it was made for, e.g. that it knows synthesized voices only. */
  covers: z.string().max(512).default(''),
})

const manifestSchema = z.object({
  version: z.literal(1).default(1),
  models: z.array(modelSchema).max(1_000),
})

export type Model = z.infer<typeof modelSchema>
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
  /** Where packed files are unpacked: `<data>/models`. */
  readonly unpacked_dir: string
}

export interface Models {
  /** In order of preference, the formant voice last. */
  readonly list: readonly Model[]
  /** Absolute paths of checked files. Errors: `LoqaError` `model-invalid`, or `DiskError`. */
  prepare(model: Model): Promise<ModelFiles>
}

/** Errors: `LoqaError` `model-invalid` when the manifest is missing or malformed. */
export async function openModels(options: ModelsOptions): Promise<Models> {
  const manifest = await readManifest(options)
  /** Path → size and time of modification of files that were found right. */
  const checked = new Map<string, string>()
  return {
    list: [...manifest.models, FORMANT_VOICE],
    async prepare(model) {
      const paths: Record<string, string> = {}
      for (const file of model.files) paths[file.role] = await prepareFile(options, model, file, checked)
      const { id, kind, engine, parameters } = model
      return { id, kind, engine, paths, parameters }
    },
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
  model: Model,
  file: ModelFile,
  checked: Map<string, string>,
): Promise<string> {
  const path = join(options.models_dir, file.path)
  await checkFile(options, model, file, path, checked)
  if (file.encoding === 'none') return path
  return unpack(options, file, path, checked)
}

/** A file once found right is believed until its size or time changes: a restart must not read gigabytes again. */
async function checkFile(
  { disk, clock }: ModelsOptions,
  model: Model,
  file: ModelFile,
  path: string,
  checked: Map<string, string>,
): Promise<void> {
  const wrong = (why: string): LoqaError =>
    new LoqaError('model-invalid', `The file ${path} of the model ${model.id} ${why}`, {
      hint: 'Fetch the model again, or restore the file from the repository.',
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

const HASHED_AT_ONCE = 4 * 1024 * 1024

/** SHA-256 in hex; the event loop gets its turn every few milliseconds. */
async function hashOf(disk: Disk, clock: Clock, path: string, size: number): Promise<string> {
  const hash = createHash('sha256')
  for (let offset = 0; offset < size; offset += HASHED_AT_ONCE) {
    hash.update(await disk.readAt(path, offset, HASHED_AT_ONCE))
    await new Promise<void>((resolve) => clock.soon(resolve))
  }
  return hash.digest('hex')
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
