/**
 * A vitest reporter that ends the run with one plain line any machine can read: `N passed, N failed, N skipped`. Tests that passed at a
 * second try only (`vitest.config.ts` says who has one) are named before it, and more than a few of them fail the run.
 */
import type { Reporter, TestModule } from 'vitest/node'

/** Of five thousand: a busy moment of the machine may cost one or two, more have a cause. */
const MOST_UNSTEADY = 2

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 }
    const unsteady: string[] = []
    for (const module of modules) {
      if (module.state() === 'failed' && module.children.size === 0) count.failed += 1
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state === 'passed' || state === 'failed' || state === 'skipped') count[state] += 1
        if (test.diagnostic()?.flaky === true) unsteady.push(`${module.relativeModuleId} > ${test.fullName}`)
      }
    }
    for (const name of unsteady) process.stdout.write(`unsteady, passed at its second try: ${name}\n`)
    if (unsteady.length > MOST_UNSTEADY) {
      count.passed -= unsteady.length
      count.failed += unsteady.length
      process.exitCode = 1
    }
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`)
  }
}
