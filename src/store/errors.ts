/** What can be wrong with the store, one class per condition a caller can act on. */
import { LoqaError } from '../host/index.ts'

/** Another process owns the data directory; a node exits with 75. */
export class DataDirectoryBusy extends LoqaError {
  /** Undefined when it did not get round to writing it down. */
  readonly pid: number | undefined

  constructor(directory: string, pid: number | undefined) {
    const who = pid === undefined ? 'another process' : `process ${pid}`
    super('data-directory-busy', `${directory} is in use by ${who}`, {
      hint: 'Stop that node, or give this one a directory of its own with --data.',
    })
    this.pid = pid
  }
}

/** Bytes on disk are not what was written. */
export class StoreDamaged extends LoqaError {
  constructor(file: string, detail: string, cause?: unknown) {
    super('store-damaged', `${file} is damaged: ${detail}`, {
      hint: 'Stop the node, move the file away and restore a backup, or start without it.',
      cause,
    })
  }
}

/** Written by a newer version of the node. */
export class StoreTooNew extends LoqaError {
  constructor(file: string, found: number, known: number) {
    super('store-too-new', `${file} has schema version ${found}; this node knows versions up to ${known}`, {
      hint: 'Install the newer version of the node again.',
    })
  }
}

/** Nothing was written; reading goes on, and writing by itself as soon as there is space. */
export class StoreFull extends LoqaError {
  constructor() {
    super('store-full', 'The disk is full: nothing was saved', {
      retryable: true,
      hint: 'Free some space; work goes on by itself.',
    })
  }
}

/** The disk refused, for a reason that is not lack of space. */
export class StoreIoError extends LoqaError {
  constructor(detail: string, cause?: unknown) {
    super('store-io', `The store could not be read or written: ${detail}`, {
      retryable: true,
      hint: 'Check the disk and the system log.',
      cause,
    })
  }
}

/** The store is closed, or its thread ended. */
export class StoreClosed extends LoqaError {
  constructor() {
    super('store-closed', 'The store is closed', { retryable: true })
  }
}
