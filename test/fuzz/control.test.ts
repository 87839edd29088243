import { describe, expect, it } from 'vitest'
import { decodeControl, encodeControl } from '../../src/cluster/running/messages.ts'
import { nodeId } from '../../src/host/index.ts'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { everyMessage } from '../cluster/running/control-messages.ts'

const ROUNDS = 100_000

describe('control frames of a broken or hostile member', () => {
  it(`${ROUNDS} damaged ones: each is read or refused, none throws, memory stays`, () => {
    const random = new SimulatedRandom(20_261_126)
    const frames = everyMessage.map((message) => encodeControl(nodeId('12a'), message))
    const counts = { read: 0, malformed: 0, 'unknown-type': 0 }
    let slowest_ms = 0
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    for (let round = 0; round < ROUNDS; round += 1) {
      const bytes = damaged(frames[round % frames.length]!, frames, random)
      const began = performance.now()
      const decoded = decodeControl(bytes)
      slowest_ms = Math.max(slowest_ms, performance.now() - began)
      counts[decoded.ok ? 'read' : decoded.why] += 1
    }
    expect(counts.malformed).toBeGreaterThan(ROUNDS / 4)
    expect(counts.read).toBeGreaterThan(0)
    expect(slowest_ms).toBeLessThan(250)
    globalThis.gc?.()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024)
  })
})

/** Flips bits, cuts, splices, repeats. */
function damaged(frame: Uint8Array, others: readonly Uint8Array[], random: SimulatedRandom): Uint8Array {
  const bytes = Buffer.from(frame)
  switch (random.below(5)) {
    case 0:
      for (let flips = random.below(4); flips >= 0; flips -= 1)
        bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
      return bytes
    case 1:
      return bytes.subarray(0, random.below(bytes.length + 1))
    case 2: {
      const other = others[random.below(others.length)]!
      return Buffer.concat([
        bytes.subarray(0, random.below(bytes.length)),
        other.subarray(random.below(other.length)),
      ])
    }
    case 3: {
      const at = random.below(bytes.length)
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(random.bytes(random.below(32))),
        bytes.subarray(at),
      ])
    }
    default:
      return Buffer.from(random.bytes(random.below(512)))
  }
}
