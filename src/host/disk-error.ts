import { LoqaError } from './errors.ts'

export type DiskReason = 'missing' | 'exists' | 'full' | 'denied' | 'read-only' | 'io'

const WORDS: Readonly<Record<DiskReason, { says: string; hint?: string; retryable: boolean }>> = {
  missing: { says: 'does not exist', retryable: false },
  exists: { says: 'already exists', retryable: false },
  full: {
    says: 'cannot be written: the disk is full',
    hint: 'Free some space; work goes on by itself.',
    retryable: true,
  },
  denied: {
    says: 'may not be accessed by this user',
    hint: 'Check its owner and permissions.',
    retryable: false,
  },
  'read-only': {
    says: 'lies on a read-only file system',
    hint: 'Remount it writable or choose another --data.',
    retryable: true,
  },
  io: {
    says: 'could not be read or written: the disk reported an error',
    hint: 'Check the disk and the system log.',
    retryable: true,
  },
}

/** A file operation failed for a reason the caller can act on; `code` is `disk-<reason>`. */
export class DiskError extends LoqaError {
  readonly reason: DiskReason
  readonly path: string

  constructor(reason: DiskReason, path: string, cause?: unknown) {
    const { says, hint, retryable } = WORDS[reason]
    super(`disk-${reason}`, `${path} ${says}`, { hint, retryable, cause })
    this.reason = reason
    this.path = path
  }
}
