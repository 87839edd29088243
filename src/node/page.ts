/** Reads the files of the page at `/`: as the bundle has them, or from their sources, without types. */
import { stripTypeScriptTypes } from 'node:module'
import type { PageReader } from '../api/index.ts'
import { type Disk, PAGE_FOLDER } from '../host/index.ts'

export function pageReader(disk: Pick<Disk, 'read'>): PageReader {
  return async (file) => forBrowsers(file, await disk.read(`${PAGE_FOLDER}${file}`))
}

/** Of a script its types become spaces; nothing is moved. What has none stays as it is. */
export function forBrowsers(file: string, bytes: Uint8Array): Uint8Array {
  if (!file.endsWith('.ts')) return bytes
  return Buffer.from(stripTypeScriptTypes(Buffer.from(bytes).toString('utf8')))
}
