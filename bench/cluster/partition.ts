/**
 * What a cut of 30 s leaves behind: real nodes on a LAN of network namespaces, one cable pulled, a conversation, timers and a list changed
 * on both sides, the cable plugged in again. The stated result (`src/node/heal.ts`) is looked for until it is there.
 *
 *   node bench/cluster/partition.ts [--rounds 3] [--nodes 3] [--cut 30]
 *
 * Each round: `refused`, texts asked of a node not yet known to be out of reach; `linked_ms`, from the plug until all are linked again; `one_ms`, from then
 * until memory is the same everywhere, the conversation is one with all its turns, once each. Prints JSON lines. Needs root, iproute2.
 */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import type { SessionView, TimelineView, TurnView } from '../../src/api/index.ts'
import { Ear } from '../../test/lan/ear.ts'
import { agreed, Lan, type LanNode, ROOT, together } from '../../test/lan/rig.ts'
import { quantile } from '../voice/score.ts'

const WITHIN_MS = 60_000
const MOST_REFUSED = 20
/** Who would ring once more does so within this. */
const ONCE_MS = 5_000

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1] ?? otherwise)
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, Math.max(0, ms)))

async function round(nodes: readonly LanNode[], number: number) {
  const [a, ...rest] = nodes as [LanNode, ...LanNode[]]
  const b = rest[0]!
  const name = `dinner-${number}`
  const ears = await Promise.all(
    nodes.map(async (node) => {
      const ear = new Ear(node, node === a ? 'kitchen' : 'hall')
      await ear.ready()
      return ear
    }),
  )
  let asked = 0
  let refused = 0
  const talk = async (node: LanNode, text: string): Promise<string> => {
    const room = node === a ? 'kitchen' : 'hall'
    for (;;) {
      const { code, stdout, stderr } = await node.loqa(
        'ask',
        '--session',
        name,
        '--room',
        room,
        text,
        '--json',
      )
      // Until a node is known to be out of reach, what is asked of it fails.
      if (code !== 0 && stderr.includes('unreachable') && refused < MOST_REFUSED) {
        refused += 1
        continue
      }
      if (code !== 0) throw new Error(`${node.name}: ${stderr}`)
      const { reply } = JSON.parse(stdout) as TurnView
      asked += 1
      return reply
    }
  }
  await talk(a, 'add milk to the shopping list')
  await talk(a, 'set an egg timer for two hours')
  await talk(b, 'set a cake timer for two hours')
  await agreed(nodes, WITHIN_MS)

  const cut_at = Date.now()
  a.host.cut()
  const both =
    (await talk(a, 'add bread to the shopping list')) + (await talk(b, 'add butter to the shopping list'))
  await talk(a, 'set a pasta timer for five seconds')
  await talk(b, 'remove milk from the shopping list')
  await talk(a, 'add ten minutes to the egg timer')
  await talk(b, 'cancel the egg timer')
  await talk(b, 'add five minutes to the cake timer')
  await pause(cut_at + option('cut', 30) * 1_000 - Date.now())
  const rang_apart = ears.map(({ heard }) => heard.length)

  const plug_at = Date.now()
  a.host.plug()
  const linked_at = await together(nodes, WITHIN_MS)
  await agreed(nodes, WITHIN_MS)
  const deadline = Date.now() + WITHIN_MS
  let turns: string[] = []
  let owners: string[] = []
  while (Date.now() < deadline) {
    const views = await Promise.all(nodes.map((node) => node.json<SessionView[]>('sessions')))
    owners = [...new Set(views.flat().flatMap(({ id, node }) => (id === name ? [node] : [])))]
    const owner = nodes.find(({ id }) => id === owners[0])
    const shown = await owner?.json<TimelineView>('sessions', 'show', name)
    turns = shown?.events.flatMap(({ kind, trace_id }) => (kind === 'turn.began' ? [trace_id] : [])) ?? []
    if (owners.length === 1 && turns.length >= asked) break
  }
  const one_at = Date.now()
  await pause(ONCE_MS)
  const list = await b.json<TurnView>('ask', 'what is on the shopping list')
  const timers = await a.json<TurnView>('ask', 'which timers are set')
  const result = {
    list: list.reply === 'There are two things on the list: bread and butter.' && both.includes('bread'),
    timers:
      /egg timer has two hours.*cake timer has two hours|cake timer has two hours.*egg timer has two hours/.test(
        timers.reply,
      ),
    conversation: owners.length === 1 && turns.length === asked && new Set(turns).size === asked,
    said_once: JSON.stringify(rang_apart) === JSON.stringify(ears.map(({ heard }) => heard.length)),
    rang: rang_apart,
  }
  for (const ear of ears) ear.close()
  for (const text of ['cancel all timers', 'remove bread and butter from the shopping list'])
    await b.json('ask', text)
  return {
    refused,
    linked_ms: linked_at - plug_at,
    one_ms: one_at - linked_at,
    result,
    list: list.reply,
    timers: timers.reply,
  }
}

const lan = new Lan()
try {
  const nodes = await lan.start(['a', 'b', 'c', 'd', 'e'].slice(0, option('nodes', 3)))
  await together(nodes, WITHIN_MS)
  const rounds: Awaited<ReturnType<typeof round>>[] = []
  for (let number = 1; number <= option('rounds', 3); number += 1) rounds.push(await round(nodes, number))
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const holds = (what: 'list' | 'timers' | 'conversation' | 'said_once'): number =>
    rounds.filter(({ result }) => result[what]).length
  console.log(
    JSON.stringify({
      ...{ bench: 'cluster/partition', nodes: nodes.length, n: rounds.length, cut_s: option('cut', 30) },
      ...{ list: holds('list'), timers: holds('timers'), conversation: holds('conversation') },
      said_once: holds('said_once'),
      refused: rounds.reduce((sum, round) => sum + round.refused, 0),
      linked_ms: {
        p50: Math.round(
          quantile(
            rounds.map(({ linked_ms }) => linked_ms),
            0.5,
          ),
        ),
      },
      one_ms: {
        p50: Math.round(
          quantile(
            rounds.map(({ one_ms }) => one_ms),
            0.5,
          ),
        ),
      },
      load: Math.round(loadavg()[0]! * 10) / 10,
      machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
      commit,
    }),
  )
  for (const { result, list, timers } of rounds) {
    if (Object.values(result).some((held) => held === false))
      console.log(JSON.stringify({ ...result, said: [list, timers] }))
  }
} finally {
  await lan.close()
}
