import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture, ROOT } from './running-node.ts'

/** A network of its own, whose only way out is a cable that counts and leads nowhere. */
const NAMESPACE = `loqa-egress-${process.pid}`

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' })
const inside = (command: string, args: readonly string[], timeout = 60_000): string =>
  execFileSync('ip', ['netns', 'exec', NAMESPACE, command, ...args], { encoding: 'utf8', timeout })

const canIsolate = ((): boolean => {
  try {
    ip('netns', 'add', NAMESPACE)
    return true
  } catch {
    return false
  }
})()

const canCount = ((): boolean => {
  try {
    execFileSync('nft', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe.skipIf(!canIsolate)('a node at work in a network of its own', () => {
  beforeAll(() => {
    // The kernel itself must be quiet on the cable: no IPv6 neighbour discovery.
    inside('sysctl', ['-qw', 'net.ipv6.conf.all.disable_ipv6=1', 'net.ipv6.conf.default.disable_ipv6=1'])
    ip('-n', NAMESPACE, 'link', 'set', 'lo', 'up')
    ip('-n', NAMESPACE, 'link', 'add', 'outward', 'type', 'veth', 'peer', 'name', 'nowhere')
    ip('-n', NAMESPACE, 'address', 'add', '10.99.0.2/24', 'dev', 'outward')
    ip('-n', NAMESPACE, 'link', 'set', 'nowhere', 'up')
    ip('-n', NAMESPACE, 'link', 'set', 'outward', 'up', 'arp', 'off')
    ip('-n', NAMESPACE, 'route', 'add', 'default', 'via', '10.99.0.1')
  })
  afterAll(() => {
    ip('netns', 'delete', NAMESPACE)
  })

  const packetsOut = (): number => {
    const [link] = JSON.parse(ip('-n', NAMESPACE, '-s', '-j', 'link', 'show', 'outward')) as {
      stats64: { tx: { packets: number } }
    }[]
    return link!.stats64.tx.packets
  }

  it('would be caught if it sent anything', () => {
    inside('node', [
      '-e',
      'require("node:dgram").createSocket("udp4").send("x", 53, "10.99.0.1", () => process.exit())',
    ])
    expect(packetsOut()).toBeGreaterThan(0)
  })

  /** One life of a node: it starts, hears, answers, stores, ends. Gives what it printed. */
  const liveOnce = (discovery: boolean): string => {
    const script = `
      set -e
      data=$(mktemp -d)
      bin/loqa-node --data "$data" --port 0 --http-port 0 --set cluster.discovery="$2" >"$data/out" 2>&1 &
      node=$!
      trap 'code=$?; [ $code = 0 ] || cat "$data/out" >&2; kill -9 $node 2>/dev/null || true; rm -rf "$data"' EXIT
      for _ in $(seq 300); do grep -q "is ready" "$data/out" 2>/dev/null && break; sleep 0.1; done
      bin/loqa --data "$data" listen "$1" --json
      bin/loqa --data "$data" ask "add milk to the shopping list" --json
      # 1: it found something, which is no matter here: a test machine's disk may be slow.
      bin/loqa --data "$data" doctor || [ $? = 1 ]
      kill -TERM $node && wait $node
    `
    const timer = fixture('set-a-timer-for-five-minutes.wav')
    return inside('sh', ['-c', `cd "${ROOT}" && ${script}`, 'sh', timer, String(discovery)], 90_000)
  }

  it('hears, answers and stores without a packet to anyone, not even a name lookup', () => {
    const before = packetsOut()
    const output = liveOnce(false)
    expect(output).toContain('"timer.set"')
    expect(output).toContain('"list.add"')
    expect(packetsOut() - before).toBe(0)
  }, 120_000)

  it.skipIf(!canCount)(
    'with discovery on, says on the network that it is there, and nothing to anybody else',
    () => {
      // Groups that no router passes on: multicast DNS, and the joining of its group (RFC 6762, RFC 3376).
      const rules = `table inet egress {
      counter elsewhere { }
      counter groups { }
      chain out { type filter hook output priority 0;
        oifname "lo" accept
        ip daddr { 224.0.0.251, 224.0.0.22 } counter name groups accept
        counter name elsewhere
      }
    }
    `
      execFileSync('ip', ['netns', 'exec', NAMESPACE, 'nft', '-f', '-'], { input: rules })
      const output = liveOnce(true)
      expect(output).toContain('"timer.set"')
      const counted = (name: string): number =>
        Number(/packets (\d+)/.exec(inside('nft', ['list', 'counter', 'inet', 'egress', name]))?.[1])
      expect(counted('groups')).toBeGreaterThan(0)
      expect(counted('elsewhere')).toBe(0)
    },
    120_000,
  )
})
