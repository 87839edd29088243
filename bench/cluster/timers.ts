/**
 * How late a timer rings whose node is lost right before it is due: real nodes on a LAN of network namespaces, somebody listening on
 * each. `killed`: its process is killed (SIGKILL); `cut`: its cable is pulled, so that nobody is told.
 *
 *   node bench/cluster/timers.ts [--rounds 20] [--nodes 3]
 *
 * Each round sets a timer on the first node, loses that node 200 ms before the timer is due, and listens on the others for two more
 * seconds: late by, and how often it was heard there. Prints JSON lines. Needs root, iproute2, curl.
 */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { Ear } from '../../test/lan/ear.ts'
import { Lan, type LanNode, ROOT, together } from '../../test/lan/rig.ts'
import { quantile } from '../voice/score.ts'

const SET_S = 4
const LOST_BEFORE_MS = 200
const LISTEN_MS = 2_000

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : Number(process.argv[at + 1] ?? otherwise)
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, Math.max(0, ms)))

/** When it is due, give or take half of what the request took. */
async function setTimer(node: LanNode): Promise<{ due: number; unsure_ms: number }> {
  const body = JSON.stringify({ text: 'set a timer for four seconds', room: 'hall' })
  const from = Date.now()
  const { stdout } = await node.host.run('curl', [
    ...['-s', '-H', 'content-type: application/json', '-d', body],
    'http://127.0.0.1:7420/api/v1/ask',
  ])
  const took = Date.now() - from
  if (!stdout.includes('Timer set for four seconds')) throw new Error(`the timer was not set: ${stdout}`)
  return { due: from + took / 2 + SET_S * 1_000, unsure_ms: took / 2 }
}

async function round(nodes: readonly LanNode[], how: 'killed' | 'cut') {
  const [first, ...rest] = nodes as [LanNode, ...LanNode[]]
  const ears = nodes.map((node) => new Ear(node, 'hall'))
  await Promise.all(ears.map((ear) => ear.ready()))
  const { due, unsure_ms } = await setTimer(first)
  await pause(due - LOST_BEFORE_MS - Date.now())
  if (how === 'killed') await first.end('SIGKILL')
  else first.host.cut()
  await pause(due + LISTEN_MS - Date.now())
  const heard = ears.slice(1).flatMap((ear) => ear.heard.map(({ at }) => at))
  for (const ear of ears) ear.close()
  if (how === 'killed') {
    first.start()
    await first.ready()
  } else first.host.plug()
  await together(nodes, 30_000)
  // What the lost one has to say about it when it is back belongs to no round.
  await pause(LISTEN_MS + 1_000)
  const late = heard.length === 0 ? undefined : Math.min(...heard) - due
  return { heard: heard.length, late, unsure_ms, on: rest.length }
}

const lan = new Lan()
try {
  const names = ['a', 'b', 'c', 'd', 'e'].slice(0, option('nodes', 3))
  const nodes = await lan.start(names)
  await together(nodes, 30_000)
  for (const how of ['killed', 'cut'] as const) {
    const rounds: Awaited<ReturnType<typeof round>>[] = []
    for (let index = 0; index < option('rounds', 20); index += 1) rounds.push(await round(nodes, how))
    const late = rounds.flatMap((one) => one.late ?? [])
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim()
    console.log(
      JSON.stringify({
        ...{ bench: 'cluster/timers', what: how, nodes: names.length, n: rounds.length },
        ...{ rang: late.length, once: rounds.filter(({ heard }) => heard === 1).length },
        late_ms: {
          p50: Math.round(quantile(late, 0.5)),
          p90: Math.round(quantile(late, 0.9)),
          most: Math.round(Math.max(...late)),
        },
        unsure_ms: Math.round(Math.max(...rounds.map(({ unsure_ms }) => unsure_ms))),
        ...{
          load: Math.round(loadavg()[0]! * 10) / 10,
          machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
          commit,
        },
      }),
    )
  }
} finally {
  await lan.close()
}
