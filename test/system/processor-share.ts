/**
 * Makes processes slow from outside, as on a small machine: a control group of the kernel gives them a share of one processor and no
 * more. Needs root.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Less than this the kernel deals out at no time. */
const LEAST_US = 1_000
/**
 * The share is dealt out anew this often. Over the kernel's usual 100 ms a process would run at full speed and then stand for most of
 * that time, which no slow machine does.
 */
const PERIOD_US = 10_000

interface Kernel {
  readonly root: string
  /** What it is given it gets at once, whatever else the machine does: the other half of being a machine of its own. */
  limit(group: string, share: number): void
}

const dealt = (share: number): { readonly period: number; readonly quota: number } => {
  const period = Math.round(Math.max(PERIOD_US, LEAST_US / share))
  return { period, quota: Math.round(share * period) }
}

const VERSION_1: Kernel = {
  root: '/sys/fs/cgroup/cpu',
  limit(group, share) {
    const { period, quota } = dealt(share)
    writeFileSync(join(group, 'cpu.shares'), '262144')
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(period))
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(quota))
  },
}
const VERSION_2: Kernel = {
  root: '/sys/fs/cgroup',
  limit(group, share) {
    const { period, quota } = dealt(share)
    writeFileSync(join(group, 'cpu.weight'), '10000')
    writeFileSync(join(group, 'cpu.max'), `${quota} ${period}`)
  },
}

const kernel: Kernel | undefined = [VERSION_1, VERSION_2].find((one) => {
  const group = join(one.root, `loqa-probe-${process.pid}`)
  try {
    mkdirSync(group)
    one.limit(group, 0.5)
    return true
  } catch {
    return false
  } finally {
    if (existsSync(group)) rmdirSync(group)
  }
})

/** Why nothing can be made slow on this machine; undefined where it can. */
export const whyNoShare: string | undefined =
  kernel === undefined ? 'there is no control group for processors that may be written here' : undefined

/** A tenth of a second apart: engines of a killed node end within a second. */
const CLOSE_TRIES = 100

let groups = 0

/** A machine with a share of one processor, e.g. 0.25. */
export class ProcessorShare {
  readonly #group: string

  constructor(share: number) {
    if (kernel === undefined) throw new Error(whyNoShare)
    groups += 1
    this.#group = join(kernel.root, `loqa-${process.pid}-${groups}`)
    mkdirSync(this.#group)
    kernel.limit(this.#group, share)
  }

  /** The process, its children, and all they start from now on. */
  hold(pid: number): void {
    writeFileSync(join(this.#group, 'cgroup.procs'), String(pid))
    for (const child of childrenOf(pid)) this.hold(child)
  }

  /** The process alone is as before. */
  release(pid: number): void {
    if (kernel !== undefined) writeFileSync(join(kernel.root, 'cgroup.procs'), String(pid))
  }

  /** After its processes were ended; the kernel lets go of them when they are gone. */
  async close(): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        rmdirSync(this.#group)
        return
      } catch (thrown) {
        if (tries === CLOSE_TRIES) throw thrown
        await new Promise((done) => setTimeout(done, 100))
      }
    }
  }
}

/** The engine processes of a node, from its sources or bundled. */
export function enginesOf(node: number): number[] {
  const found = childrenOf(node).filter((pid) =>
    /inference\/child\/|dist\/engine\.js/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')),
  )
  if (found.length === 0) throw new Error(`the node ${node} has no engines`)
  return found
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}
