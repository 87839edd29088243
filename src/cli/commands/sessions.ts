/** `loqa sessions`: the conversations going on in the household. */
import type { NodeRow, SessionView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, duration, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const node = await client()
  const sessions = await node.get<SessionView[]>('/api/v1/sessions')
  if (json) world.terminal.out(`${JSON.stringify(sessions)}\n`)
  else if (sessions.length === 0) world.terminal.out('Nobody is talking. Try: loqa ask what time is it\n')
  else {
    const names = new Map((await node.get<NodeRow[]>('/api/v1/nodes')).map(({ id, name }) => [id, name]))
    const named = sessions.map((session) => ({ ...session, node: names.get(session.node) ?? session.node }))
    world.terminal.out(sessionsText(named, world.clock.wall(), style))
  }
  return EXIT.ok
}

const COLUMNS: readonly Column[] = [
  { title: 'id', flexible: true },
  { title: 'room', flexible: true },
  { title: 'phase' },
  { title: 'since', align: 'right' },
  { title: 'node', flexible: true },
]

/** `now`: wall clock, milliseconds since 1970. */
export const sessionsText = (sessions: readonly SessionView[], now: number, style: Style): string =>
  table(
    COLUMNS,
    sessions.map((session) => [
      session.id,
      session.room,
      session.phase,
      duration(Math.max(0, (now - Date.parse(session.started_at)) / 1000)),
      session.node,
    ]),
    style,
  )
