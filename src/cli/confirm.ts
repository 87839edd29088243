/** Asks before something is gone for good: a word to type, or `--yes` for scripts. */
import type { Call } from './call.ts'
import { UsageError } from './failures.ts'

/** What a person types is a word. */
const MAX_ANSWER_BYTES = 1_024

/** Errors: `usage` when it is not meant; nothing happened then. `what` says what would be gone. */
export async function confirm({ world, options }: Call, what: string, word: string): Promise<void> {
  if (options.yes === true) return
  world.terminal.err(`${what}\nType ${word} to go on: `)
  if ((await firstLine(world.input())) === word) return
  throw new UsageError(
    'Nothing was changed',
    `If it is meant, type ${word}, or add --yes; --dry-run says what would go.`,
  )
}

async function firstLine(input: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const part of input) {
    text += Buffer.from(part).toString('utf8')
    if (text.includes('\n') || text.length > MAX_ANSWER_BYTES) break
  }
  return text.split('\n')[0]!.trim()
}
