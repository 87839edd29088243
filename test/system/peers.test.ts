/** Where multicast does not reach, an address given by hand on one side is enough: the two become one household. */
import { expect, test } from 'vitest'
import { at, QUIET, twoPorts } from './ports.ts'
import { RunningNode } from './running-node.ts'

interface Row {
  readonly self: boolean
  readonly state: string
}

/** Polls: the node tells nobody when a household has grown. */
async function nodes(node: RunningNode): Promise<Row[]> {
  const deadline = Date.now() + 40_000
  for (;;) {
    const rows = await node.json<Row[]>('nodes')
    if (rows.some(({ self, state }) => !self && state === 'alive') || Date.now() > deadline) return rows
    await new Promise((done) => setTimeout(done, 200))
  }
}

// Whose household goes on depends on their random ids: either way round must work, so it is tried more than once.
test.each([1, 2])('two nodes, one of which knows the address of the other, join (%i)', async () => {
  const port = await twoPorts()
  const known = await RunningNode.start([...at(port), ...QUIET], 'says-so')
  try {
    const knowing = await RunningNode.start([...at(0, port), ...QUIET], 'says-so')
    try {
      const states = (await nodes(knowing)).map(({ self, state }) => [self, state])
      expect(states.toSorted()).toEqual([
        [false, 'alive'],
        [true, 'alive'],
      ])
    } finally {
      await knowing.dispose()
    }
  } finally {
    await known.dispose()
  }
})
