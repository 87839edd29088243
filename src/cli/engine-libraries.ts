/** Installs the library of an engine with npm, from a list of exact packages, and makes it small. A name stands for a whole one only. */
import { execFile } from 'node:child_process'
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LoqaError } from '../host/errors.ts'
import { PACKAGE } from '../host/layout.ts'
import { type AddedLibrary, enginesDirectory, LIBRARIES } from '../inference/catalogue/index.ts'

/** Packages of some hundred megabytes over a slow line. */
const INSTALL_TIMEOUT_MS = 30 * 60_000
const LISTS = ['package.json', 'package-lock.json']

export interface Installing {
  /** `<data>/engines`. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Where `package.json` and `package-lock.json` of the library lie; those of the program when absent. */
  readonly lists?: string
}

/** Bytes on the disk. Errors: `LoqaError` `install-failed`, `interrupted`; those of the file system. */
export async function installLibrary(library: AddedLibrary, installing: Installing): Promise<number> {
  const { directory, signal } = installing
  const lists = installing.lists ?? join(PACKAGE, 'config', 'engines', library.engine)
  const part = join(directory, `${library.engine}.part`)
  // Left by one that was cut off.
  await rm(part, { recursive: true, force: true })
  await mkdir(part, { recursive: true })
  try {
    for (const list of LISTS) await copyFile(join(lists, list), join(part, list))
    await npm(part, installing)
    await lighten(part, library)
    signal.throwIfAborted()
    await rm(join(directory, library.engine), { recursive: true, force: true })
    await rename(part, join(directory, library.engine))
  } catch (thrown) {
    await rm(part, { recursive: true, force: true })
    throw thrown
  }
  return bytesOf(join(directory, library.engine))
}

/** What a model of that engine needs, and is not here. */
export async function missingLibrary(engine: string, data: string): Promise<AddedLibrary | undefined> {
  const library = LIBRARIES.find((one) => one.engine === engine)
  if (library === undefined) return undefined
  const here = await stat(join(enginesDirectory(data), engine)).catch(() => undefined)
  return here === undefined ? library : undefined
}

export const removeLibrary = (engine: string, directory: string): Promise<void> =>
  rm(join(directory, engine), { recursive: true, force: true })

const run = promisify(execFile)

/** No script of a package runs, nothing but the listed packages comes, and each is compared with its checksum in the list. */
async function npm(folder: string, { environment, signal }: Installing): Promise<void> {
  const args = ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--no-update-notifier']
  // Beside this Node there is one too, where it is not on the path.
  const path = [environment.PATH, dirname(process.execPath)].filter((one) => one !== undefined).join(':')
  const env = { ...environment, PATH: path }
  try {
    await run('npm', args, { cwd: folder, env, signal, timeout: INSTALL_TIMEOUT_MS })
  } catch (cause) {
    if (signal.aborted) throw new LoqaError('interrupted', 'Stopped; nothing was installed', { cause })
    const { code, stderr = '' } = cause as { code?: string | number; stderr?: string }
    if (code === 'ENOENT')
      throw new LoqaError('install-failed', 'npm is not here, and packages come with it', {
        hint: 'Install it; it is part of Node.js: https://nodejs.org',
        cause,
      })
    throw new LoqaError('install-failed', `npm could not install it: ${reasonIn(stderr)}`, {
      hint: 'Check the connection and the free space, then give the command again.',
      retryable: true,
      cause,
    })
  }
}

/** Of what npm says the first line that is no heading. */
function reasonIn(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    .filter((line) => line !== '' && !/^(code|errno|syscall|path) /.test(line))
  return lines[0]?.slice(0, 200) ?? 'it said nothing'
}

async function lighten(folder: string, { per_machine, unneeded }: AddedLibrary): Promise<void> {
  for (const path of unneeded) await rm(join(folder, path), { force: true })
  for (const path of per_machine) {
    await keepOnly(join(folder, path), process.platform)
    await keepOnly(join(folder, path, process.platform), process.arch)
  }
}

async function keepOnly(folder: string, name: string): Promise<void> {
  for (const other of await namesIn(folder))
    if (other !== name) await rm(join(folder, other), { recursive: true, force: true })
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => [])
}

export async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true })
  let bytes = 0
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}
