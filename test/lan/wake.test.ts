/** The wake word reaches three microphones of real nodes at different levels: one answers, the nearest. `bench/cluster/wake.ts`: eight, fifty times. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixture } from '../system/running-node.ts'
import { Lan, type LanNode, together, whyNoLan } from './rig.ts'
import { answering, Microphones, WAKE_ARGS } from './wake-trials.ts'

describe.skipIf(whyNoLan !== undefined)('the wake word in a house of three nodes', () => {
  let lan: Lan
  let nodes: LanNode[]
  let microphones: Microphones
  beforeAll(async () => {
    lan = new Lan()
    nodes = await lan.start(['a', 'b', 'c'], { args: [...WAKE_ARGS] })
    await together(nodes, 60_000)
    microphones = new Microphones(nodes, fixture('hey-loqa.wav'))
  }, 120_000)
  afterAll(async () => {
    microphones?.close()
    await lan?.close()
  })

  it('exactly one answers in three trials', async () => {
    for (const [loud, quiet, faint] of [
      [0, 1, 2],
      [1, 2, 0],
      [2, 0, 1],
    ] as const) {
      const gains = [0, 0, 0]
      gains[loud] = 1
      gains[quiet] = 0.5
      gains[faint] = 0.25
      const ended = await microphones.hear(gains)
      // A machine that is busy may let one hear the word when the others have decided; two never answer.
      expect(answering(ended), JSON.stringify(ended)).toHaveLength(1)
    }
  }, 60_000)
})
