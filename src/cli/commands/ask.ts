/** `loqa ask TEXT`: one turn by text. */
import type { TurnView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { turnText } from '../turn-text.ts'
import { voiceRequest } from '../voice-request.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, args, options, json, style, client }) => {
  const turn = await (await client()).post<TurnView>('/api/v1/ask', {
    text: args.join(' '),
    ...voiceRequest(options),
  })
  if (turn.notice !== undefined) world.terminal.err(`${turn.notice}\n`)
  world.terminal.out(json ? `${JSON.stringify(turn)}\n` : turnText(turn, style, { heard: false }))
  return turn.error === undefined ? EXIT.ok : EXIT.failed
}
