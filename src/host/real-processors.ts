/** The processors as the operating system counts them; in a container those of the whole machine. */
import { cpus } from 'node:os'
import type { Processors } from './processors.ts'

export const realProcessors: Processors = () => {
  let busy_ms = 0
  let all_ms = 0
  for (const { times } of cpus()) {
    const busy = times.user + times.nice + times.sys + times.irq
    busy_ms += busy
    all_ms += busy + times.idle
  }
  return { busy_ms, all_ms }
}
