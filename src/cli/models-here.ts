/** What the model commands know of this machine: where its models are, which are used, and that nobody else changes them now. */
import { open, readFile, rm, statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { StatusView } from '../api/index.ts'
import { type Config, loadConfig } from '../config.ts'
import { LoqaError } from '../host/errors.ts'
import { PACKAGE } from '../host/layout.ts'
import {
  CATALOGUE,
  enginesDirectory,
  type Machine,
  preparedOf,
  pulledDirectory,
  readShelf,
  type Shelf,
} from '../inference/catalogue/index.ts'
import { type Model, openModels } from '../inference/index.ts'
import type { Call } from './call.ts'
import { dataDirectoryOf } from './find-node.ts'
import { nodeRequest } from './node-request.ts'

export interface ModelsHere {
  readonly data: string
  /** `<data>/models/pulled`. */
  readonly directory: string
  readonly config: Config
  readonly shelf: Shelf
  /** Those that came with the node, and those on the shelf. */
  readonly installed: readonly Model[]
  /** Ids the running node works with; undefined when none runs. */
  readonly running: ReadonlySet<string> | undefined
}

export async function modelsHere(call: Call): Promise<ModelsHere> {
  const { world, options } = call
  const { config } = await loadConfig(world.disk, world, nodeRequest(options))
  const given = typeof options.data === 'string' ? options.data : undefined
  const data =
    given === undefined && config.node.data_dir !== '' ? config.node.data_dir : dataDirectoryOf(world, given)
  const directory = pulledDirectory(data)
  // What is damaged is said before anything is done to it.
  const shelf = await readShelf(world.disk, directory)
  const models = await openModels({
    ...{ disk: world.disk, clock: world.clock },
    models_dir: modelsDirectory(config),
    unpacked_dir: join(data, 'models'),
    pulled_dir: directory,
    engines_dir: enginesDirectory(data),
  })
  return { data, directory, config, shelf, installed: models.list, running: await modelsInUse(call) }
}

export const modelsDirectory = ({ inference }: Config): string =>
  inference.models_dir === '' ? join(PACKAGE, 'models') : inference.models_dir

async function modelsInUse(call: Call): Promise<ReadonlySet<string> | undefined> {
  try {
    const { capabilities } = await (await call.client()).get<StatusView>('/api/v1/status')
    return new Set(capabilities.map(({ model }) => model))
  } catch (thrown) {
    if (thrown instanceof LoqaError && thrown.code === 'no-node') return undefined
    throw thrown
  }
}

/** Bytes free for this user on the disk of `path`, or of its nearest folder that exists. */
export async function freeSpace(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch {
    const parent = dirname(path)
    return parent === path ? Number.MAX_SAFE_INTEGER : freeSpace(parent)
  }
}

export const thisMachine = async (directory: string): Promise<Machine> => ({
  memory_bytes: Math.min(process.constrainedMemory() || Number.MAX_SAFE_INTEGER, totalmem()),
  cores: availableParallelism(),
  free_bytes: await freeSpace(directory),
})

/** What adapters made of a model that is gone. A running engine has read it. */
export async function removePrepared(data: string, model: string): Promise<void> {
  for (const path of preparedOf(join(data, 'models'), model)) await rm(path, { recursive: true, force: true })
}

export const entryCalled = (id: string) => CATALOGUE.find((entry) => entry.id === id)

/**
 * Runs `work` while no other command changes the models of this data directory. Errors: `models-busy`. A file of a process that
 * is gone is taken over, so that a killed download does not stand in the way of the next one.
 */
export async function claimed<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const path = join(directory, 'busy')
  await claim(path, true)
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function claim(path: string, again: boolean): Promise<void> {
  try {
    const handle = await open(path, 'wx', 0o600)
    await handle.writeFile(String(process.pid))
    await handle.close()
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown
    const pid = Number(await readFile(path, 'utf8').catch(() => ''))
    if (again && !isRunning(pid)) {
      await rm(path, { force: true })
      return claim(path, false)
    }
    throw new LoqaError('models-busy', `Another command changes the models here (process ${pid})`, {
      hint: `Wait for it, or end it. If there is none, remove ${path}.`,
      retryable: true,
    })
  }
}

function isRunning(pid: number): boolean {
  // Our own number in it is that of a process before us: in a container numbers come again soon.
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM'
  }
}
