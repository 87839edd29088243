/** Where the node is: `--url` > LOQA_URL > `runtime.json` in the data directory (`--data` > LOQA_DATA > XDG). */
import { join } from 'node:path'
import { DiskError } from '../host/disk-error.ts'
import { NoNodeError, UsageError } from './failures.ts'
import type { World } from './world.ts'

export interface Whereabouts {
  readonly url: string
  readonly token: string | undefined
  /** How it was found, for messages. */
  readonly from: string
}

export interface WhereOptions {
  readonly url?: string
  readonly data?: string
  readonly tokenFile?: string
}

export const dataDirectoryOf = (world: World, data: string | undefined): string => {
  const { environment, home } = world
  return (
    data ??
    (environment.LOQA_DATA || join(environment.XDG_DATA_HOME || join(home, '.local', 'share'), 'loqa'))
  )
}

/** Errors: `NoNodeError`, `UsageError`. */
export async function findNode(world: World, options: WhereOptions): Promise<Whereabouts> {
  const token = await readToken(world, options)
  const given = options.url ?? world.environment.LOQA_URL
  if (given !== undefined && given !== '') return { url: checkedUrl(given), token, from: given }
  const path = join(dataDirectoryOf(world, options.data), 'runtime.json')
  const http = await readPort(world, path)
  return { url: `http://127.0.0.1:${http}`, token, from: path }
}

async function readPort(world: World, path: string): Promise<number> {
  let text: string
  try {
    text = new TextDecoder().decode(await world.disk.read(path))
  } catch (thrown) {
    if (thrown instanceof DiskError && thrown.reason === 'missing') {
      throw new NoNodeError(`No node runs here: ${path} does not exist`, thrown)
    }
    throw new NoNodeError(
      `Cannot tell where the node is: ${thrown instanceof Error ? thrown.message : path}`,
      thrown,
    )
  }
  try {
    const { http } = JSON.parse(text) as { http?: unknown }
    if (typeof http === 'number' && Number.isInteger(http) && http > 0 && http < 65_536) return http
  } catch {
    // Said below: a file without a port is as good as one that is not JSON.
  }
  throw new NoNodeError(`Cannot tell where the node is: ${path} is damaged`)
}

async function readToken(world: World, options: WhereOptions): Promise<string | undefined> {
  const { environment } = world
  const path = options.tokenFile ?? environment.LOQA_TOKEN_FILE ?? environment.LOQA_API_TOKEN_FILE
  if (path === undefined || path === '') return undefined
  return new TextDecoder()
    .decode(await world.disk.read(path))
    .split('\n', 1)[0]!
    .trim()
}

function checkedUrl(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(
      `${JSON.stringify(text)} is not an address of a node`,
      'Write it like http://127.0.0.1:7420',
    )
  }
  return url.origin
}
