/**
 * Where a skill to be added comes from: a file, a folder, a URL with its checksum, or a registry: a Git repository, or a folder, with an
 * `index.yaml` that names packages and their checksums. Fetched by the command itself; the node never fetches. A registry is believed in
 * nothing: it only says where packages are, who vouches for them is the node's business.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { InvalidInputError, LoqaError, NotFoundError } from '../host/index.ts'
import { MAX_PACKAGE_BYTES, packSkill, readFolder } from '../skills/package/index.ts'
import { UsageError } from './failures.ts'
import type { World } from './world.ts'

/** A slow line brings 4 MiB in less. */
const FETCH_TIMEOUT_MS = 60_000
/** A thousand packages are named in 200 KB. */
const MAX_INDEX_BYTES = 1024 * 1024

export interface SourceOptions {
  readonly from?: string
  readonly sha256?: string
}

/** Errors: `usage`, `invalid-input`, `not-found`, `download-failed`, `DiskError`, and what a folder's manifest has wrong. */
export async function packageFrom(
  world: World,
  source: string,
  { from, sha256 }: SourceOptions,
): Promise<Uint8Array> {
  if (from !== undefined) return fromRegistry(world, from, source)
  if (/^https?:\/\//.test(source)) {
    if (sha256 === undefined)
      throw new UsageError(
        'A file from any address needs its checksum: --sha256 HEX',
        'Ask whoever told you the address.',
      )
    return checked(await download(source, world.interrupted), sha256, source)
  }
  const path = resolve(world.directory, source)
  const info = await world.disk.info(path)
  if (info === undefined)
    throw new NotFoundError(path, 'Name a .loqa file, a folder with a skill.yaml, or a URL.')
  if (info.kind === 'directory') return packSkill(await readFolder(world.disk, path))
  const bytes = await readFile(world, path)
  return sha256 === undefined ? bytes : checked(bytes, sha256, source)
}

async function readFile({ disk }: World, path: string): Promise<Uint8Array> {
  const info = await disk.info(path)
  if (info === undefined) throw new NotFoundError(path)
  if (info.size > MAX_PACKAGE_BYTES)
    throw new InvalidInputError(`${path} is larger than ${MAX_PACKAGE_BYTES / 1024} KiB, and no package is`)
  return disk.read(path)
}

function checked(bytes: Uint8Array, sha256: string, source: string): Uint8Array {
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found === sha256.toLowerCase()) return bytes
  throw new LoqaError('checksum-wrong', `${source} is not the file it should be: its SHA-256 is ${found}`, {
    hint: 'Somebody changed it, or the checksum is of another version.',
  })
}

async function download(url: string, interrupted: AbortSignal): Promise<Uint8Array> {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
  const failed = (why: string, cause?: unknown) =>
    new LoqaError('download-failed', `${url} could not be fetched: ${why}`, { retryable: true, cause })
  let parts: Uint8Array[] = []
  try {
    const response = await fetch(url, { signal })
    if (!response.ok || response.body === null) throw failed(`the server answered ${response.status}`)
    let size = 0
    parts = []
    for await (const part of response.body as AsyncIterable<Uint8Array>) {
      size += part.length
      if (size > MAX_PACKAGE_BYTES) throw failed(`it is larger than ${MAX_PACKAGE_BYTES / 1024} KiB`)
      parts.push(part)
    }
  } catch (thrown) {
    if (thrown instanceof LoqaError) throw thrown
    throw failed(thrown instanceof Error ? thrown.message : 'no answer', thrown)
  }
  return new Uint8Array(Buffer.concat(parts))
}

const indexSchema = z.strictObject({
  skills: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
        version: z.string().regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}$/),
        summary: z.string().max(200).optional(),
        /** Of the package. */
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        /** Beside the index, or anywhere. */
        file: z
          .string()
          .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,4}$/)
          .optional(),
        url: z.url({ protocol: /^https?$/ }).optional(),
      }),
    )
    .max(10_000),
})

/** `wanted`: `weather`, the newest there is, or `weather@1.2.0`. */
async function fromRegistry(world: World, from: string, wanted: string): Promise<Uint8Array> {
  const [name, version] = wanted.split('@')
  const local = resolve(world.directory, from)
  const isFolder = (await world.disk.info(join(local, 'index.yaml'))) !== undefined
  const folder = isFolder ? local : await mkdtemp(join(tmpdir(), 'loqa-registry-'))
  try {
    if (!isFolder) await clone(from, folder, world.interrupted)
    const found = (await readIndex(world, folder, from)).skills
      .filter((one) => one.name === name && (version === undefined || one.version === version))
      .sort((a, b) => compare(b.version, a.version))[0]
    if (found === undefined) throw new NotFoundError(`A skill ${wanted} in ${from}`)
    const { file, url, sha256 } = found
    if (file !== undefined) return checked(await readFile(world, join(folder, file)), sha256, file)
    if (url !== undefined) return checked(await download(url, world.interrupted), sha256, url)
    throw new InvalidInputError(`${from} names neither a file nor a url for ${wanted}`)
  } finally {
    if (!isFolder) await rm(folder, { recursive: true, force: true })
  }
}

async function readIndex(
  { disk }: World,
  folder: string,
  from: string,
): Promise<z.output<typeof indexSchema>> {
  const file = join(folder, 'index.yaml')
  const info = await disk.info(file)
  if (info === undefined) throw new NotFoundError(`An index.yaml in ${from}`)
  if (info.size > MAX_INDEX_BYTES) throw new InvalidInputError(`The index of ${from} is too large`)
  try {
    // As text all of it: a checksum of digits alone is no number.
    return indexSchema.parse(
      parse(Buffer.from(await disk.read(file)).toString('utf8'), { maxAliasCount: 0, schema: 'failsafe' }),
    )
  } catch (thrown) {
    throw new LoqaError('registry-invalid', `The index.yaml of ${from} is not an index of skills`, {
      cause: thrown,
    })
  }
}

/** With the git of this machine. Nothing in a repository is run: no submodules, no hooks, no checkout filters of it. */
async function clone(from: string, folder: string, signal: AbortSignal): Promise<void> {
  if (from.startsWith('-')) throw new UsageError(`${from} is no registry`)
  const safe = ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never']
  const what = ['clone', '--quiet', '--depth', '1', '--no-tags', '--', from, folder]
  try {
    await promisify(execFile)('git', [...safe, ...what], {
      signal,
      timeout: FETCH_TIMEOUT_MS,
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
    })
  } catch (thrown) {
    const { code, stderr } = thrown as { code?: string; stderr?: string }
    const why =
      code === 'ENOENT' ? 'git is not installed' : (stderr?.trim().split('\n').at(-1) ?? 'git failed')
    throw new LoqaError('download-failed', `The registry ${from} could not be fetched: ${why}`, {
      cause: thrown,
    })
  }
}

function compare(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  return left.map((part, at) => part - right[at]!).find((difference) => difference !== 0) ?? 0
}
