/** `loqa store`: what the household remembers, who wrote it, and whether the nodes are in step. `loqa store backup`: a copy of it. */
import type { BackupView, NodeRow, StoreView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { type Column, facts, type Style, table } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async ({ world, json, style, client }) => {
  const node = await client()
  const store = await node.get<StoreView>('/api/v1/store')
  if (json) world.terminal.out(`${JSON.stringify(store)}\n`)
  else {
    const names = new Map((await node.get<NodeRow[]>('/api/v1/nodes')).map(({ id, name }) => [id, name]))
    world.terminal.out(storeText(store, (id) => names.get(id) ?? id, style))
  }
  return EXIT.ok
}

export const backup: Run = async ({ world, json, client }) => {
  const made = await (await client()).post<BackupView>('/api/v1/store/backup', {})
  if (json) world.terminal.out(`${JSON.stringify(made)}\n`)
  else {
    world.terminal.out(`${made.directory}\n`)
    world.terminal.err(
      'Keep it together with store.key of the data directory: without the key nobody opens it.\n' +
        `To go back to it, with the node stopped: loqa-node --restore ${made.directory}\n`,
    )
  }
  return EXIT.ok
}

const WRITERS: readonly Column[] = [
  { title: 'written by', flexible: true },
  { title: 'transactions', align: 'right' },
  { title: 'log', align: 'right' },
  { title: 'in step' },
]

export function storeText(store: StoreView, nameOf: (node: string) => string, style: Style): string {
  const { state, reason, entries, digest, writers, peers } = store
  const head = facts(
    [
      ['entries', String(entries)],
      ['state', reason === null ? state : `${state}: ${reason}`],
      ['digest', digest.slice(0, 16)],
    ],
    style,
  )
  const steps = new Map(peers.map((peer) => [peer.node, stepText(peer)]))
  const rows = writers.map(({ node, life, version, bytes }) => [
    life === 0 ? nameOf(node) : `${nameOf(node)} (life ${life})`,
    String(version),
    sizeText(bytes),
    steps.get(node) ?? '',
  ])
  return rows.length === 0 ? head : `${head}\n${table(WRITERS, rows, style)}`
}

function stepText({ ahead, behind }: StoreView['peers'][number]): string {
  if (ahead === 0 && behind === 0) return 'yes'
  return [
    ...(ahead > 0 ? [`${ahead} to come`] : []),
    ...(behind > 0 ? [`${behind} not confirmed yet`] : []),
  ].join(', ')
}

const sizeText = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
