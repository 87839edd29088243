/**
 * What membership costs a node and how soon it notices, by the number of members, in virtual time.
 *
 *   node bench/cluster/membership.ts                     2 to 1,000 members, JSON lines and membership.svg beside this file
 *   node bench/cluster/membership.ts --false-deaths S N  N members (1,000) at 10 % loss for S virtual seconds (3,600)
 *
 * Messages and bytes are exact: they are counted. Processor time is of machine and simulator together, so it is above what a node needs.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MEMBERSHIP_PRESETS, type MembershipMessage, memberOf } from '../../src/cluster/index.ts'
import { encodeFrame } from '../../src/host/index.ts'
import { type SimulatedNode, World } from '../../test/sim/cluster/world.ts'
import { type Bar, barChart } from '../plot.ts'
import { print } from '../skills/measure.ts'

const SIZES = [2, 5, 10, 20, 32, 50, 100, 200, 500, 1_000]
const LOSS = 0.1
/** Every so many messages one is encoded to learn its size. */
const SAMPLE = 101
const TWO_DECIMALS = 100

const rounded = (value: number): number => Math.round(value * TWO_DECIMALS) / TWO_DECIMALS

/** A message as it would stand on the wire, length and envelope included. */
const bytesOf = (body: MembershipMessage, from: SimulatedNode): number =>
  encodeFrame({
    trace_id: 'membership',
    session_id: null,
    actor_id: `loqa://${from.id}/membership`,
    capability_tier: 'fast',
    privacy_scope: 'ephemeral',
    type: `membership.${body.type}`,
    body,
  }).length

interface Watched {
  readonly world: World
  readonly deaths: { at: number; id: string; by: string }[]
  readonly bytes: { sampled: number; messages: number }
  suspicions: number
}

function watched(size: number): Watched {
  const deaths: Watched['deaths'] = []
  const bytes = { sampled: 0, messages: 0 }
  let seen = 0
  const result: Watched = {
    deaths,
    bytes,
    suspicions: 0,
    world: new World({
      seed: size,
      nodes: size,
      config: MEMBERSHIP_PRESETS.lan,
      acquainted: true,
      observer: {
        change: (by, { id, status }) => {
          if (status === 'suspect') result.suspicions += 1
          if (status === 'dead') deaths.push({ at: result.world.now, id, by: by.id })
        },
        effect: (node, effect) => {
          if (effect.type !== 'send' || seen++ % SAMPLE !== 0) return
          bytes.sampled += bytesOf(effect.message, node)
          bytes.messages += 1
        },
      },
    }),
  }
  return result
}

/** Milliseconds until no live node holds this one for alive or suspect. */
function untilGone(world: World, gone: SimulatedNode): number {
  const start = world.now
  const holds = (node: SimulatedNode): boolean => {
    const status = node.state && memberOf(node.state.roster, gone.id)?.standing.status
    return status === 'alive' || status === 'suspect'
  }
  while (world.now - start < 30_000 && world.nodes.some(holds)) world.clock.advance(50)
  return world.now - start
}

function measure(size: number, virtual_s: number): number {
  const run = watched(size)
  const { world } = run
  world.weather.loss = LOSS
  world.clock.advance(2_000)
  const sent = world.sent
  const cpu = process.cpuUsage()
  world.clock.advance(virtual_s * 1_000)
  const used_us = process.cpuUsage(cpu).user
  const per_s = (world.sent - sent) / size / virtual_s
  const bytes = run.bytes.sampled / run.bytes.messages
  const false_deaths = run.deaths.length
  const crashed = world.nodes[size >> 1]!
  world.crash(crashed)
  const noticed_ms = untilGone(world, crashed)
  print('cluster/membership', {
    members: size,
    loss: LOSS,
    virtual_s,
    messages_per_node_s: rounded(per_s),
    bytes_per_message: rounded(bytes),
    bytes_per_node_s: Math.round(per_s * bytes),
    cpu_percent_per_node: rounded(used_us / 1e4 / size / virtual_s),
    suspicions: run.suspicions,
    false_deaths,
    crash_known_everywhere_ms: noticed_ms,
  })
  return per_s
}

/** One virtual minute after the other, so that a long run shows how far it is. */
function falseDeaths(virtual_s: number, size: number): void {
  const run = watched(size)
  run.world.weather.loss = LOSS
  const cpu = process.cpuUsage()
  for (let done_s = 0; done_s < virtual_s; ) {
    const step_s = Math.min(60, virtual_s - done_s)
    run.world.clock.advance(step_s * 1_000)
    done_s += step_s
    print('cluster/membership-false-deaths', {
      members: size,
      loss: LOSS,
      virtual_s: done_s,
      messages: run.world.sent,
      suspicions_told: run.suspicions,
      false_deaths: run.deaths.length,
      cpu_s: rounded(process.cpuUsage(cpu).user / 1e6),
    })
  }
  process.exitCode = run.deaths.length === 0 ? 0 : 1
}

const flag = process.argv.indexOf('--false-deaths')
if (flag >= 0) {
  falseDeaths(Number(process.argv[flag + 1] ?? 3_600), Number(process.argv[flag + 2] ?? 1_000))
} else {
  const bars: Bar[] = SIZES.map((size) => ({
    label: `${size} members`,
    value: measure(size, size > 200 ? 10 : 30),
  }))
  const chart = barChart({
    title: 'Messages a node sends each second for membership',
    subtitle: '10 % loss; up to 32 members everyone hears everyone, above each hears 16 others',
    unit: '/s',
    most: 150,
    bars,
  })
  writeFileSync(join(import.meta.dirname, 'membership.svg'), chart)
}
