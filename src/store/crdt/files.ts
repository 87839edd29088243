/**
 * Files as the database's thread needs them: synchronous, since SQLite asks and waits. `real-files.ts` opens them on the machine;
 * tests bring a disk that loses what was not synced. Every error is a `DiskError`.
 */

/** One open file. Only its owner knows of it: nobody else writes while it is open. */
export interface OpenFile {
  size(): number
  /** Up to `length` bytes; shorter at the end of the file. */
  read(offset: number, length: number): Uint8Array
  /** All of `bytes`; beyond the end the file grows. Not durable before `sync`. */
  write(offset: number, bytes: Uint8Array): void
  truncate(size: number): void
  /** Returns when what was written, and the size, is on the disk. */
  sync(): void
  close(): void
}

export interface Files {
  /** Creates the file (0600) when it is absent; its name is durable when this returns. */
  open(path: string): OpenFile
  exists(path: string): boolean
  /** The old content or the new one, whatever happens; durable when this returns. */
  replace(path: string, bytes: Uint8Array): void
  /** Absent is no error. */
  remove(path: string): void
}
