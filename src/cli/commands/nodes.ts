/** `loqa nodes`: who is in the household, and why a seen node is not connected. */
import type { NodeRow } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, milliseconds, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const nodes = await (await client()).get<NodeRow[]>('/api/v1/nodes')
  world.terminal.out(json ? `${JSON.stringify(nodes)}\n` : nodesText(nodes, style))
  return EXIT.ok
}

const COLUMNS: readonly Column[] = [
  { title: 'name', flexible: true },
  { title: 'room', flexible: true },
  { title: 'state', paint: (state) => (state === 'alive' ? 'green' : 'yellow') },
  { title: 'rtt ms', align: 'right' },
  { title: 'id', flexible: true },
  { title: 'note', flexible: true },
]

export const nodesText = (nodes: readonly NodeRow[], style: Style): string =>
  table(
    COLUMNS,
    nodes.map((node) => [
      node.name,
      node.room,
      node.state,
      milliseconds(node.rtt_ms),
      node.id,
      node.self ? 'this node' : (node.why_not_connected ?? ''),
    ]),
    style,
  )
