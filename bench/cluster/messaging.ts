/**
 * Messages between two processes on one machine, beside NATS, Moleculer's TCP transporter and Erlang's distribution, in one run:
 * rounds are interleaved, so that all meet the same noise. `node bench/cluster/messaging.ts [rounds]`, JSON lines; see README.md.
 * Ours alone is encrypted.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Peer, startPeer } from '../actors/peer.ts'
import { percentiles, print } from '../skills/measure.ts'

const ROUNDS = Math.max(3, Number(process.argv[2] ?? 5))
const here = import.meta.dirname
const peersAt = join(here, 'peers')

const MEASURES = {
  'one-way': { unit: 'messages/s of 100 B', count: 200_000, warm: 200_000, bar: 400_000 },
  ask: { unit: 'us', count: 4_000, warm: 12_000, bar: 250 },
  bulk: { unit: 'MB/s in pieces of 64 KiB', count: 200, warm: 200, bar: 120 },
} as const
type Measure = keyof typeof MEASURES

interface Contestant {
  readonly peer: Peer
  readonly measures: readonly Measure[]
  readonly close: () => void
}

const javascript = (name: string, file: string, ...flags: string[]): Promise<Peer> =>
  startPeer(name, process.execPath, ['--no-warnings', ...flags, file])

async function ours(): Promise<Contestant> {
  // The young generation a node runs with (bin/loqa-node).
  const peer = await javascript('ours', join(here, 'messaging-ours.ts'), '--max-semi-space-size=4')
  return { peer, measures: ['one-way', 'ask', 'bulk'], close: () => peer.close() }
}

const installed = (program: string): boolean => !spawnSync(program, ['-version'], { stdio: 'ignore' }).error
const inPeers = (library: string): boolean => existsSync(join(peersAt, 'node_modules', library))

async function nats(): Promise<Contestant | string> {
  if (!installed('nats-server')) return 'nats-server is not installed (apt: nats-server)'
  if (!inPeers('@nats-io/transport-node'))
    return 'its client is not installed (npm install in bench/cluster/peers)'
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', '14222'], { stdio: 'ignore' })
  const peer = await javascript('nats', join(peersAt, 'nats.ts'))
  return {
    peer,
    measures: ['one-way', 'ask', 'bulk'],
    close: () => {
      peer.close()
      server.kill()
    },
  }
}

async function moleculer(): Promise<Contestant | string> {
  if (!inPeers('moleculer')) return 'it is not installed (npm install in bench/cluster/peers)'
  const peer = await javascript('moleculer', join(peersAt, 'moleculer.ts'))
  return { peer, measures: ['one-way', 'ask'], close: () => peer.close() }
}

async function erlang(): Promise<Contestant | string> {
  if (!installed('erl')) return 'erl is not installed (apt: erlang-base)'
  const out = mkdtempSync(join(tmpdir(), 'otp-net-'))
  const compiled = spawnSync('erlc', ['-o', out, join(peersAt, 'otp_net.erl')], { encoding: 'utf8' })
  if (compiled.status !== 0) return `erlc failed: ${compiled.stdout}`
  const { ERL_EPMD_PORT: _, ...rest } = process.env
  Object.assign(process.env, rest, { ERL_EPMD_PORT: '14369', ERL_EPMD_ADDRESS: '127.0.0.1' })
  const children: ChildProcess[] = [spawn('epmd', [], { stdio: 'ignore' })]
  const flags = (name: string): string[] => [
    ...['-noshell', '-name', `${name}@127.0.0.1`, '-setcookie', 'bench', '-pa', out],
    ...['-kernel', 'inet_dist_use_interface', '{127,0,0,1}'],
  ]
  children.push(spawn('erl', [...flags('far'), '-noinput', '-s', 'otp_net', 'far'], { stdio: 'ignore' }))
  const peer = await startPeer('erlang', 'erl', [
    ...flags('near'),
    '-run',
    'otp_net',
    'near',
    'far@127.0.0.1',
  ])
  return {
    peer,
    measures: ['one-way', 'ask', 'bulk'],
    close: () => {
      peer.close()
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

const contestants: Contestant[] = []
for (const [name, start] of Object.entries({ ours, nats, moleculer, erlang })) {
  const contestant = await start()
  if (typeof contestant === 'string') print('cluster/messaging-skipped', { peer: name, why: contestant })
  else contestants.push(contestant)
}

try {
  for (const what of Object.keys(MEASURES) as Measure[]) {
    const { unit, count, warm, bar } = MEASURES[what]
    const found = new Map<string, number[]>()
    const taking = contestants.filter(({ measures }) => measures.includes(what))
    for (const { peer } of taking) await peer.run(what, warm)
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { peer } of taking) {
        const { numbers } = await peer.run(what, count)
        found.set(peer.name, [...(found.get(peer.name) ?? []), ...numbers])
      }
    }
    for (const [peer, series] of found) {
      const measured = percentiles(series)
      const met = what === 'ask' ? measured.p50 <= bar : measured.p50 >= bar
      print(`cluster/${what}`, {
        peer,
        encrypted: peer === 'ours',
        unit,
        ...measured,
        ...(peer === 'ours' ? { bar, met } : {}),
        load: Number(loadavg()[0]!.toFixed(1)),
      })
    }
  }
} finally {
  for (const { close } of contestants) close()
}
