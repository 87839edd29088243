/** Fetches every file of an entry and puts the model on the shelf: it is listed when all of it is there. */
import { join } from 'node:path'
import { InvalidInputError } from '../../host/index.ts'
import { hashOf } from '../checksum.ts'
import type { Model } from '../manifest.ts'
import type { DownloadEvent } from './course.ts'
import type { Entry, EntryFile } from './entry.ts'
import { type FetchDoors, fetchFile } from './fetch.ts'
import { pinName, putModel, putPins, readShelf } from './shelf.ts'
import { sha256Schema } from './wanted.ts'

/** The adapters of this version; a model of another engine can be fetched, not used. */
export const ENGINES: ReadonlySet<string> = new Set([
  ...['sherpa', 'sherpa-offline', 'sherpa-speaker', 'sherpa-tts', 'sherpa-vad'],
  ...['whisper', 'llama', 'formant', 'kokoro'],
])

export interface PullOptions {
  /** `pulledDirectory` of the data directory. */
  readonly directory: string
  readonly tell: (file: EntryFile, event: DownloadEvent) => void
  readonly signal: AbortSignal
}

export interface Pulled {
  readonly model: Model
  /** Roles whose checksum was met for the first time and recorded. */
  readonly recorded: readonly string[]
  /** Files that were here already, and right. */
  readonly kept: readonly string[]
}

/** Errors: `LoqaError` `download-*`, `interrupted`, `model-invalid`; `DiskError`. */
export async function pullEntry(doors: FetchDoors, entry: Entry, options: PullOptions): Promise<Pulled> {
  const { disk } = doors
  const { directory, tell, signal } = options
  await disk.makeDirectory(directory)
  const files: Model['files'] = []
  const recorded: string[] = []
  const kept: string[] = []
  for (const file of entry.files) {
    const { pins } = await readShelf(disk, directory)
    const pin = pinName(entry.id, file.role)
    const sha256 = file.sha256 ?? pins[pin]
    const name = fileName(entry, file)
    const path = join(directory, name)
    const here = sha256 === undefined ? undefined : await sizeWhenRight(doors, path, sha256)
    if (here !== undefined) {
      kept.push(file.role)
      files.push({ role: file.role, path: name, sha256: sha256!, bytes: here, encoding: 'none' })
      continue
    }
    const { format, sources, bytes } = file
    const wanted = {
      ...{ name: `${entry.id} (${file.name})`, format, sources },
      ...(bytes === undefined ? {} : { bytes }),
      ...(sha256 === undefined ? {} : { sha256 }),
    }
    const fetched = await fetchFile(doors, { wanted, path, signal, tell: (event) => tell(file, event) })
    if (sha256 === undefined) {
      await putPins(disk, directory, { ...pins, [pin]: fetched.sha256 })
      recorded.push(file.role)
    }
    files.push({
      role: file.role,
      path: name,
      sha256: fetched.sha256,
      bytes: fetched.bytes,
      encoding: 'none',
    })
  }
  const { id, kind, engine, licence, languages, parameters, about } = entry
  const model: Model = {
    ...{ id, kind, engine, licence, files, parameters },
    languages: [...languages],
    covers: about,
  }
  await putModel(disk, directory, await readShelf(disk, directory), model)
  return { model, recorded, kept }
}

const fileName = (entry: Entry, file: EntryFile): string => `${entry.id}.${file.name}`

/** The file is read whole: what a person asks for by name is looked at, not believed. */
async function sizeWhenRight(
  { disk, clock }: FetchDoors,
  path: string,
  sha256: string,
): Promise<number | undefined> {
  const info = await disk.info(path)
  if (info?.kind !== 'file') return undefined
  return (await hashOf(disk, clock, path, info.size)) === sha256 ? info.size : undefined
}

/** What a person said about an address of their own. */
export interface Given {
  readonly sha256: string
  readonly id?: string
  readonly kind?: string
  readonly engine?: string
}

const KINDS = ['stt', 'llm', 'tts', 'vad', 'wake', 'embedding'] as const

/** An entry for any address. What is not said follows the ending of the name. Errors: `InvalidInputError`. */
export function entryOf(url: string, given: Given): Entry {
  const parsed = URL.parse(url)
  if (parsed === null || !['http:', 'https:', 'file:'].includes(parsed.protocol))
    throw new InvalidInputError(
      `${JSON.stringify(url)} is neither a model of the catalogue nor an address`,
      'See the catalogue: loqa models ls --all. Addresses begin with https://, http:// or file:///.',
    )
  const sha256 = given.sha256.toLowerCase()
  if (!sha256Schema.safeParse(sha256).success)
    throw new InvalidInputError(
      'A SHA-256 has 64 letters of 0-9 and a-f',
      'Its publisher shows it beside the file; for a file of yours: sha256sum FILE',
    )
  const name = decodeURIComponent(parsed.pathname.slice(parsed.pathname.lastIndexOf('/') + 1))
    .replaceAll(/[^A-Za-z0-9_.-]/g, '_')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 96)
  const id = given.id ?? name.replace(/\.(gguf|bin|onnx)$/i, '')
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id) || name === '')
    throw new InvalidInputError(
      'The model needs a name',
      'Give one: --name my-model, letters, digits and _ . -',
    )
  const guess = guessOf(name)
  const kind = KINDS.find((one) => one === (given.kind ?? guess.kind))
  if (kind === undefined)
    throw new InvalidInputError(`What is ${name} for?`, `Say --kind ${KINDS.join(' | ')}.`)
  return {
    ...{ id, kind, engine: given.engine ?? guess.engine, languages: [], licence: 'unknown', memory_mb: 0 },
    about: 'fetched from an address a person gave',
    files: [{ role: 'model', name, format: guess.format, sha256, sources: [parsed.href] }],
    parameters: guess.parameters,
  }
}

function guessOf(
  name: string,
): Pick<Entry, 'engine' | 'parameters'> & { kind?: string; format: EntryFile['format'] } {
  if (/\.gguf$/i.test(name))
    return { kind: 'llm', engine: 'llama', format: 'gguf', parameters: { context_tokens: 2_048, threads: 4 } }
  if (/^(.*-)?ggml.*\.bin$/i.test(name))
    return { kind: 'stt', engine: 'whisper', format: 'ggml', parameters: { window_ms: 30_000, threads: 2 } }
  if (/\.onnx$/i.test(name)) return { engine: 'sherpa', format: 'onnx', parameters: {} }
  return { engine: 'none', format: 'any', parameters: {} }
}
