/** `loqa session move`: a conversation goes on on another node. */
import type { NodeRow, SessionMoved } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { namesOf } from '../timeline-text.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, args, options, json, client }) => {
  if (typeof options.node !== 'string' || options.node === '') {
    throw new UsageError('--node says where to: the name or id of a node', 'loqa nodes lists them.')
  }
  const node = await client()
  const path = `/api/v1/sessions/${encodeURIComponent(args[0]!)}/move`
  const moved = await node.post<SessionMoved>(path, { node: options.node })
  if (json) world.terminal.out(`${JSON.stringify(moved)}\n`)
  else {
    const names = namesOf(await node.get<NodeRow[]>('/api/v1/nodes'))
    const where = (id: string): string => names.get(id) ?? id
    const { session, from, to, away_ms } = moved
    world.terminal.out(
      `${session} moved from ${where(from)} to ${where(to)}; it was away for ${away_ms} ms.\n`,
    )
  }
  return EXIT.ok
}
