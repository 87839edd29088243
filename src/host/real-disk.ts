/** Files on the machine. A whole-file write is: temporary file, fsync, rename, fsync of the directory. */
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DiskError, type DiskReason } from './disk-error.ts'
import type { Disk } from './host.ts'
import { wall } from './host.ts'

const REASONS: Readonly<Record<string, DiskReason>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EEXIST: 'exists',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'read-only',
}

const codeOf = (thrown: unknown): string =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : ''

async function on<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    throw new DiskError(REASONS[codeOf(thrown)] ?? 'io', path, thrown)
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * With its parents. Node's own recursive `mkdir` asks for ever where a parent exists but takes no children (`/proc/x`).
 */
async function makePath(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (thrown) {
    if (await isDirectory(path)) return
    const parent = dirname(path)
    if (codeOf(thrown) !== 'ENOENT' || (await isDirectory(parent))) throw thrown
    await makePath(parent, mode)
    await makePath(path, mode)
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

let temporaryFiles = 0

export const realDisk: Disk = {
  read: (path) => on(path, async () => new Uint8Array(await readFile(path))),

  readAt: (path, offset, length) =>
    on(path, async () => {
      const handle = await open(path, 'r')
      try {
        const bytes = new Uint8Array(length)
        const { bytesRead } = await handle.read(bytes, 0, length, offset)
        return bytes.subarray(0, bytesRead)
      } finally {
        await handle.close()
      }
    }),

  write: (path, bytes, options) =>
    on(path, async () => {
      temporaryFiles += 1
      const temporary = `${path}.${process.pid}-${temporaryFiles}.tmp`
      try {
        const handle = await open(temporary, 'wx', options?.mode ?? 0o600)
        try {
          await handle.writeFile(bytes)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(temporary, path)
      } catch (thrown) {
        await rm(temporary, { force: true })
        throw thrown
      }
      await syncPath(dirname(path))
    }),

  append: (path, bytes) =>
    on(path, async () => {
      const handle = await open(path, 'a', 0o600)
      try {
        await handle.writeFile(bytes)
      } finally {
        await handle.close()
      }
    }),

  sync: (path) => on(path, () => syncPath(path)),

  overwrite: (path, bytes) =>
    on(path, async () => {
      const handle = await open(path, 'r+')
      try {
        await handle.write(bytes, 0, bytes.length, 0)
        await handle.sync()
      } finally {
        await handle.close()
      }
    }),

  remove: (path) => on(path, () => rm(path, { force: true })),
  rename: (from, to) =>
    on(from, async () => {
      await rename(from, to)
      await syncPath(dirname(to))
    }),
  makeDirectory: (path, options) => on(path, () => makePath(resolve(path), options?.mode ?? 0o700)),
  list: (path) => on(path, async () => (await readdir(path)).sort()),

  free: (path) =>
    on(path, async () => {
      const { bavail, bsize } = await statfs(path)
      return bavail * bsize
    }),

  info: (path) =>
    on(path, async () => {
      try {
        const found = await stat(path)
        return {
          size: found.size,
          modified: wall(found.mtimeMs),
          kind: found.isDirectory() ? 'directory' : 'file',
          // Windows makes the bits up.
          ...(process.platform === 'win32' ? {} : { mode: found.mode & 0o777 }),
        } as const
      } catch (thrown) {
        if (REASONS[codeOf(thrown)] === 'missing') return undefined
        throw thrown
      }
    }),
}
