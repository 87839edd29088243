/** Finds the configuration files of this machine and resolves them with flags and environment. */
import { join } from 'node:path'
import { type Disk, DiskError } from '../host/index.ts'
import { ConfigError, type Resolved, resolveConfig, type Sources } from './resolve.ts'
import type { ConfigFile } from './toml.ts'

/** What is known of the machine and the user; gathered by the command line. */
export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly home: string
  readonly host_name: string
  /** Working directory, absolute. */
  readonly directory: string
}

export interface ConfigRequest {
  readonly flags?: NonNullable<Sources['flags']>
  /** `--config FILE`: replaces every other file. */
  readonly file?: string
  readonly preset?: string
}

/** Where a node keeps its data when nothing says otherwise: LOQA_DATA, then `$XDG_DATA_HOME/loqa`. */
export function dataDirectory(machine: Machine): string {
  const { environment, home } = machine
  return environment.LOQA_DATA || join(environment.XDG_DATA_HOME || join(home, '.local', 'share'), 'loqa')
}

/** Paths looked at, most important first: the project's, the user's, the system's. */
export function configFiles(machine: Machine): readonly string[] {
  const { environment, home, directory } = machine
  return [
    join(directory, 'loqa.toml'),
    join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'loqa', 'config.toml'),
    '/etc/loqa/config.toml',
  ]
}

/** Errors: `ConfigError`, also when the file of `--config` cannot be read. */
export async function loadConfig(disk: Disk, machine: Machine, request: ConfigRequest): Promise<Resolved> {
  const { environment } = machine
  const explicit = request.file ?? environment.LOQA_CONFIG
  const files: ConfigFile[] = []
  if (explicit !== undefined && explicit !== '') {
    files.push(
      await readExplicit(disk, explicit, request.file === undefined ? 'env LOQA_CONFIG' : 'flag --config'),
    )
  } else {
    for (const path of configFiles(machine)) {
      if ((await disk.info(path)) !== undefined) files.push(await readFile(disk, path))
    }
  }
  const preset = request.preset ?? environment.LOQA_PRESET
  return resolveConfig({
    flags: request.flags ?? [],
    environment,
    files,
    ...(preset === undefined || preset === '' ? {} : { preset }),
    machine: { 'node.data_dir': dataDirectory(machine), 'node.name': nodeName(machine.host_name) },
  })
}

const readFile = async (disk: Disk, path: string): Promise<ConfigFile> => ({
  path,
  text: new TextDecoder().decode(await disk.read(path)),
})

async function readExplicit(disk: Disk, path: string, where: string): Promise<ConfigFile> {
  try {
    return await readFile(disk, path)
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown
    throw new ConfigError([{ where, key: path, reason: thrown.message.slice(path.length + 1) }])
  }
}

/** A host name made to fit `node.name`. */
const nodeName = (hostName: string): string =>
  hostName
    .split('.')[0]!
    .replaceAll(/[^A-Za-z0-9_-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63) || 'loqa'
