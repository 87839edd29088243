/** Where a failed assertion ends: its words go to the node's log, the call fails. */
import { error_set } from './imports'
import { give } from './text'

export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const where = (file === null ? 'skill' : file) + ':' + line.toString() + ':' + column.toString()
  error_set(give((message === null ? 'assertion failed' : message) + ' at ' + where))
  unreachable()
}
