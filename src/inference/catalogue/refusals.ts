/** Why a file was not taken, as a person reads it: which file, what was expected, what came, what to do. Pure. */
import { LoqaError } from '../../host/index.ts'
import { FORMAT_WORDS } from './formats.ts'
import type { Wanted } from './wanted.ts'

export const REFUSALS = [
  'download-damaged',
  'download-wrong-kind',
  'download-wrong-size',
  'download-absent',
  'download-forbidden',
  'download-failed',
  'download-disk-full',
] as const
export type RefusalCode = (typeof REFUSALS)[number]

/** Plain data: it is part of the state of a download. */
export interface Refusal {
  readonly code: RefusalCode
  readonly message: string
  readonly hint: string
  /** The same command may succeed later, and goes on where this one stopped. */
  readonly retryable: boolean
}

const refusal = (code: RefusalCode, message: string, hint: string, retryable = false): Refusal => ({
  code,
  message,
  hint,
  retryable,
})

const ELSEWHERE = 'Try another source: loqa models pull URL --sha256 HEX. Nothing was put in its place.'
const GOES_ON = 'Run the same command again: it goes on where it stopped.'

export const damaged = ({ name, sha256 }: Wanted, source: string, got: string): Refusal =>
  refusal(
    'download-damaged',
    `${name} from ${source} is damaged or another file: its SHA-256 is ${got}, expected ${sha256}`,
    `It was thrown away. Try again, or another source: loqa models pull URL --sha256 ${sha256}`,
  )

export const wrongKind = ({ name, format }: Wanted, source: string, came: string): Refusal =>
  refusal(
    'download-wrong-kind',
    `${name} from ${source} is ${came}, expected ${FORMAT_WORDS[format]}`,
    ELSEWHERE,
  )

export const wrongSize = ({ name }: Wanted, source: string, expected: number, came: string): Refusal =>
  refusal(
    'download-wrong-size',
    `${name} from ${source} has ${came}, expected ${expected} bytes`,
    `It is another file. ${ELSEWHERE}`,
  )

export const tooBig = ({ name }: Wanted, source: string, limit: number): Refusal =>
  refusal(
    'download-wrong-size',
    `${name} from ${source} is larger than ${limit} bytes, the most a model may have`,
    ELSEWHERE,
  )

export const absent = ({ name }: Wanted, source: string, why: string): Refusal =>
  refusal('download-absent', `${name} is not at ${source}: ${why}`, ELSEWHERE)

export const forbidden = ({ name }: Wanted, source: string, status: number): Refusal =>
  refusal(
    'download-forbidden',
    `${source} does not give ${name} to everybody (HTTP ${status})`,
    'Get the file from its publisher yourself, then: loqa models pull file:///where/it/is --sha256 HEX',
  )

export const failed = ({ name }: Wanted, source: string, why: string): Refusal =>
  refusal('download-failed', `${name} could not be fetched from ${source}: ${why}`, GOES_ON, true)

export const diskFull = ({ name }: Wanted, needs: number | undefined, free: number | undefined): Refusal =>
  refusal(
    'download-disk-full',
    needs === undefined || free === undefined
      ? `The disk is full while ${name} is fetched`
      : `${name} needs ${needs} more bytes on the disk, ${free} are free`,
    `Free some space. ${GOES_ON}`,
    true,
  )

export const errorOf = ({ code, message, hint, retryable }: Refusal): LoqaError =>
  new LoqaError(code, message, { hint, retryable })
