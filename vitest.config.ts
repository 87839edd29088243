import { accessSync, constants, statfsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import Mixed from './test/order.ts'

/** What these assert is a share of the machine: beside other tests they would measure those. */
const ALONE = ['test/process/transport.test.ts']
/**
 * Folders whose tests start no node and keep nothing outside their files: they share processes, and each module is read once for
 * all of them, which is a tenth of the suite's work.
 */
const SHARED = [
  ...['actors', 'api', 'cli', 'cluster', 'config', 'devices', 'host', 'inference', 'node', 'observe', 'sdk'],
  ...['skills', 'store', 'training', 'voice', 'web'],
].map((folder) => `test/${folder}/**/*.test.ts`)

/**
 * Where tests keep their files. In memory where there is plenty: what is tested is what a killed process leaves, and that lies in the
 * system's memory either way; a suite waits for a disk ten thousand times. What a disk does is tested on one made for that.
 */
const IN_MEMORY = '/dev/shm'
const PLENTY_BYTES = 4 * 2 ** 30
function directory(): { TMPDIR?: string } {
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY)
    accessSync(IN_MEMORY, constants.W_OK)
    return bavail * bsize >= PLENTY_BYTES ? { TMPDIR: IN_MEMORY } : {}
  } catch {
    return {}
  }
}

/**
 * Tests of whole nodes, browsers and killed processes (`REAL`) on a machine that does more than this have a second try where nobody sits in front
 * of them (`CI` is set). Each that needed it is named at the end, and more than two fail the run (`test/closing-line.ts`).
 */
const retry = process.env.CI === undefined ? 0 : 1

const REAL = ['contract', 'lan', 'process', 'system'].map((folder) => `test/${folder}/**/*.test.ts`)

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  test: {
    globalSetup: here('test/shipped.ts'),
    pool: 'forks',
    // Node runs TypeScript by itself, and keeps what it compiled.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    execArgv: ['--disable-warning=ExperimentalWarning', '--import', here('test/as-shipped.ts')],
    // Bounds for what hangs, not for what is slow: a machine may be busy with something else.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000, interval: 20 } },
    // Nodes of tests that run beside each other must not find each other, nor those of a house around this machine.
    // Nor may a node answer with less because the machine is busy with tests, or from memory where a test takes its engine away.
    env: {
      ...{ LOQA_CLUSTER_DISCOVERY: 'false', LOQA_QOS_TIER: 'rich', LOQA_QOS_ANSWERS_KEPT: '0' },
      ...directory(),
    },
    reporters: ['default', './test/closing-line.ts'],
    sequence: { sequencer: Mixed },
    // One more than the two cores this is tuned for: a third of the time tests wait for processes, links and clocks.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...SHARED, ...REAL],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'real', include: REAL, exclude: ALONE, retry, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'shared', include: SHARED, isolate: false, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, retry, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
