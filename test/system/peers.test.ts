/** Where multicast does not reach, an address given by hand on one side is enough: the two become one household. */
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { RunningNode } from './running-node.ts'

const QUIET = ['stt', 'llm', 'tts'].flatMap((kind) => ['--set', `inference.${kind}=off`])

/** A port with a free one right above it, where the node enrols others. */
async function twoPorts(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 30_000)
    const free = await Promise.all([port, port + 1].map(isFree))
    if (free.every(Boolean)) return port
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })

interface Row {
  readonly self: boolean
  readonly state: string
}

/** Polls: the node tells nobody when a household has grown. */
async function members(node: RunningNode): Promise<Row[]> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const rows = await node.json<Row[]>('nodes')
    if (rows.some(({ self, state }) => !self && state === 'alive') || Date.now() > deadline) return rows
    await new Promise((done) => setTimeout(done, 200))
  }
}

// Whose household goes on depends on their random ids: either way round must work, so it is tried a few times.
test.each([1, 2, 3])('two nodes, one of which knows the address of the other, join (%i)', async () => {
  const port = await twoPorts()
  const enrol = ['--set', `cluster.enrolment_port=${port + 1}`]
  const known = await RunningNode.start(['--port', String(port), ...enrol, ...QUIET], 'says-so')
  try {
    const knowing = await RunningNode.start(
      ['--peer', `127.0.0.1:${port}`, '--set', 'cluster.enrolment_port=0', ...QUIET],
      'says-so',
    )
    try {
      const states = (await members(knowing)).map(({ self, state }) => [self, state])
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
