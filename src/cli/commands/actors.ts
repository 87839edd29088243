/** `loqa actors`: what lives in the node. */
import type { ActorView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, options, json, style, client }) => {
  const all = await (await client()).get<ActorView[]>('/api/v1/actors')
  const actors = options.kind === undefined ? all : all.filter((actor) => actor.kind === options.kind)
  world.terminal.out(json ? `${JSON.stringify(actors)}\n` : actorsText(actors, style))
  if (actors.length === 0 && !json) world.terminal.err('No such actor. Kinds: loqa actors\n')
  return EXIT.ok
}

const COLUMNS: readonly Column[] = [
  { title: 'address', flexible: true },
  { title: 'kind' },
  { title: 'state', paint: (state) => (state === 'running' ? 'green' : 'yellow') },
  { title: 'waiting', align: 'right', paint: (count) => (count === '0' ? 'dim' : undefined) },
  { title: 'restarts', align: 'right', paint: (count) => (count === '0' ? 'dim' : 'yellow') },
]

export const actorsText = (actors: readonly ActorView[], style: Style): string =>
  table(
    COLUMNS,
    actors.map((actor) => [
      actor.address,
      actor.kind,
      actor.state,
      String(actor.mailbox),
      String(actor.restarts),
    ]),
    style,
  )
