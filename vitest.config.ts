import { defineConfig } from 'vitest/config'
import LongestFirst from './test/order.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // One more than the two cores this is tuned for: a third of the time tests wait for processes, links and clocks.
    maxWorkers: 3,
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Bounds for what hangs, not for what is slow: a machine may be busy with something else.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Nodes of tests that run beside each other must not find each other, nor those of a house around this machine.
    env: { LOQA_CLUSTER_DISCOVERY: 'false' },
    reporters: ['default', './test/closing-line.ts'],
  },
})
