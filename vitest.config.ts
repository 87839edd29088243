import { defineConfig } from 'vitest/config'
import LongestFirst from './test/order.ts'

/** What these assert is a share of the machine: beside other tests they would measure those. */
const ALONE = ['test/process/transport.test.ts']

export default defineConfig({
  test: {
    pool: 'forks',
    // Bounds for what hangs, not for what is slow: a machine may be busy with something else.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Nodes of tests that run beside each other must not find each other, nor those of a house around this machine.
    env: { LOQA_CLUSTER_DISCOVERY: 'false' },
    reporters: ['default', './test/closing-line.ts'],
    sequence: { sequencer: LongestFirst },
    // One more than the two cores this is tuned for: a third of the time tests wait for processes, links and clocks.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
