/** `loqa nodes`: who is in the household, and why a seen node is not connected. */
import type { NodeRow } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, facts, milliseconds, type Paint, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const nodes = await (await client()).get<NodeRow[]>('/api/v1/nodes')
  world.terminal.out(json ? `${JSON.stringify(nodes)}\n` : nodesText(nodes, style))
  return EXIT.ok
}

const STATES: Readonly<Record<string, Paint>> = { alive: 'green', dead: 'red', revoked: 'red', left: 'dim' }

/** Narrower than this there is no room for addresses; --json has them all. */
const ROOM_FOR_ADDRESSES = 60

const ADDRESS: Column = { title: 'address', flexible: true }
const COLUMNS: readonly Column[] = [
  { title: 'name', flexible: true },
  { title: 'room', flexible: true },
  { title: 'state', paint: (state) => STATES[state] ?? 'yellow' },
  { title: 'rtt ms', align: 'right' },
  { title: 'adds' },
  { title: 'id', flexible: true },
]

/** Below the table stands in whole sentences what who came has added, why somebody is not connected, and what to do. */
export function nodesText(nodes: readonly NodeRow[], style: Style): string {
  const wide = style.columns >= ROOM_FOR_ADDRESSES
  const rows = nodes.map((node) => [
    node.name,
    node.room,
    node.state,
    node.self ? 'here' : milliseconds(node.rtt_ms),
    addsText(node),
    node.id,
    ...(wide ? [node.addresses[0] ?? ''] : []),
  ])
  const reasons = nodes.flatMap(({ name, id, adds, why_not_connected: why }): [string, string][] => {
    const who = name === '' ? id.slice(-8) : name
    return [
      ...(adds === null ? [] : [[who, adds.text] as [string, string]]),
      ...(why === null
        ? []
        : [[who, why.hint === undefined ? why.message : `${why.message}. ${why.hint}`] as [string, string]]),
    ]
  })
  return `${table(wide ? [...COLUMNS, ADDRESS] : COLUMNS, rows, style)}${reasons.length === 0 ? '' : `\n${facts(reasons, style)}`}`
}

/** In short: how many may speak at once more, else what is faster. */
const addsText = ({ adds }: NodeRow): string =>
  adds === null ? '' : adds.sessions > 0 ? `+${adds.sessions}` : adds.faster.map(({ kind }) => kind).join(' ')
