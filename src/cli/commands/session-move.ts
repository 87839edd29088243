/** `loqa session move`: a conversation goes on in another room, or on another node. */
import type { NodeRow, SessionMoved } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { namesOf } from '../timeline-text.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, args, options, json, client }) => {
  const to = destination(options)
  const node = await client()
  const path = `/api/v1/sessions/${encodeURIComponent(args[0]!)}/move`
  const moved = await node.post<SessionMoved>(path, to)
  if (json) world.terminal.out(`${JSON.stringify(moved)}\n`)
  else world.terminal.out(textOf(moved, namesOf(await node.get<NodeRow[]>('/api/v1/nodes'))))
  return EXIT.ok
}

function destination({ node, room }: Readonly<Record<string, unknown>>): { node: string } | { room: string } {
  const given = (option: unknown): option is string => typeof option === 'string' && option !== ''
  if (given(node) === given(room)) {
    throw new UsageError(
      'Say where to: --room, or --node with the name or id of a node',
      'loqa nodes lists them.',
    )
  }
  return given(room) ? { room } : { node: node as string }
}

function textOf(
  { session, from, to, room, away_ms }: SessionMoved,
  names: ReadonlyMap<string, string>,
): string {
  const where = (id: string): string => names.get(id) ?? id
  if (room === undefined) {
    return `${session} moved from ${where(from)} to ${where(to)}; it was away for ${away_ms} ms.\n`
  }
  const lives = from === to ? `it stays on ${where(to)}` : `it lives on ${where(to)} now`
  return `${session} goes on in the ${room}; ${lives}.\n`
}
