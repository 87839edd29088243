/** Files on the machine, synchronously: for the database's thread, which may wait, and nobody else. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { DiskError, type DiskReason } from '../../host/index.ts'
import { ENGINE_CODE } from './engine.ts'
import type { Files, OpenFile } from './files.ts'

const REASONS: Readonly<Record<string, DiskReason>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'read-only',
}

function on<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : ''
    throw new DiskError(REASONS[code] ?? 'io', path, thrown)
  }
}

function writeAll(descriptor: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, bytes.length - done, offset + done)
  }
}

/** A new name is durable only with its directory. */
function syncDirectory(path: string): void {
  const descriptor = openSync(dirname(path), 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function openReal(path: string): OpenFile {
  const isNew = !existsSync(path)
  const descriptor = openSync(path, isNew ? 'wx+' : 'r+', 0o600)
  if (isNew) syncDirectory(path)
  return {
    size: () => on(path, () => fstatSync(descriptor).size),
    read: (offset, length) =>
      on(path, () => {
        const bytes = new Uint8Array(length)
        let done = 0
        while (done < length) {
          const got = readSync(descriptor, bytes, done, length - done, offset + done)
          if (got === 0) break
          done += got
        }
        return bytes.subarray(0, done)
      }),
    write: (offset, bytes) => on(path, () => writeAll(descriptor, bytes, offset)),
    truncate: (size) => on(path, () => ftruncateSync(descriptor, size)),
    sync: () => on(path, () => fdatasyncSync(descriptor)),
    close: () => on(path, () => closeSync(descriptor)),
  }
}

function replaceReal(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.new`
  const descriptor = openSync(temporary, 'w', 0o600)
  try {
    writeAll(descriptor, bytes, 0)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, path)
  syncDirectory(path)
}

export const realFiles: Files = {
  open: (path) => on(path, () => openReal(path)),
  exists: (path) => existsSync(path),
  replace: (path, bytes) => on(path, () => replaceReal(path, bytes)),
  remove: (path) => on(path, () => rmSync(path, { force: true })),
}

/** 0.9 MB, from beside the program. */
export const readEngineCode = (): Uint8Array =>
  new Uint8Array(readFileSync(createRequire(import.meta.url).resolve(ENGINE_CODE)))
