/** What can be wrong with the replicated database, beside what can be wrong with any store (`../errors.ts`). */
import { LoqaError, type NodeId } from '../../host/index.ts'

/** The files are whole, and were written with another key. */
export class StoreKeyWrong extends LoqaError {
  constructor(file: string) {
    super('store-key-wrong', `${file} was written with another key`, {
      hint: 'Put the key file back that belongs to this data directory, or restore a backup.',
    })
  }
}

/** SQLite refused a statement: a constraint, or a mistake in it. Nothing of its transaction was written. */
export class StatementRefused extends LoqaError {
  /** Primary result code, https://sqlite.org/rescode.html */
  readonly sqlite: number

  constructor(sqlite: number, detail: string) {
    super('store-refused', `The database refused: ${detail}`)
    this.sqlite = sqlite
  }
}

/** The engine ran into a wall of its own and cannot be used any more; a new one goes on from the last durable write. */
export class EngineBroken extends LoqaError {
  constructor(cause: unknown) {
    super('store-engine', 'The database engine failed and is being replaced', { retryable: true, cause })
  }
}

/** It fits no batch, so it could never be told to the other nodes. Nothing of it was written. */
export class TransactionTooLarge extends LoqaError {
  constructor(detail: string) {
    super('store-too-large', `That is too much for one write: ${detail}`)
  }
}

/** The files belong to another node: this one was given a new identity since. */
export class WriterChanged extends LoqaError {
  readonly writer: NodeId

  constructor(file: string, writer: NodeId) {
    super('store-of-another-node', `${file} was written by node ${writer}`)
    this.writer = writer
  }
}
