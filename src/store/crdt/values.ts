/**
 * What a column can hold, and what of JavaScript may become it. Nothing is rounded, cut or guessed on the way in or out: a
 * value that has no exact counterpart is refused, since two replicas that round differently never agree again.
 */
import { InvalidInputError } from '../../host/index.ts'

/** Integers beyond ±(2⁵³ − 1) are bigint, others numbers. */
export type SqlValue = null | number | bigint | string | Uint8Array

/** One text or blob. SQLite's own limit is 1 GB, which a WebAssembly memory cannot hold beside its copy. */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024

export const MAX_INT64 = 2n ** 63n - 1n
export const MIN_INT64 = -(2n ** 63n)

/** Errors: `invalid-input`. */
export function checkValue(value: SqlValue): void {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw new InvalidInputError('A number in the store is finite')
      if (Number.isInteger(value) && !Number.isSafeInteger(value))
        throw new InvalidInputError('An integer beyond 2^53 is given as a bigint')
      return
    case 'bigint':
      if (value > MAX_INT64 || value < MIN_INT64)
        throw new InvalidInputError('An integer in the store has 64 bits')
      return
    case 'string':
      // A lone surrogate has no UTF-8: it would come back as another character.
      if (!value.isWellFormed()) throw new InvalidInputError('Text in the store is well-formed Unicode')
      if (value.length > MAX_VALUE_BYTES) throw tooLarge()
      return
    default:
      if (value === null) return
      if (!(value instanceof Uint8Array))
        throw new InvalidInputError('The store holds null, numbers, text and bytes')
      if (value.length > MAX_VALUE_BYTES) throw tooLarge()
  }
}

const tooLarge = (): InvalidInputError =>
  new InvalidInputError(`A value in the store has at most ${MAX_VALUE_BYTES} bytes`)
