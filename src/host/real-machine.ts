/** The machine as its system describes it; nothing is started for that, and nothing kept. */
import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import type { Disk } from './host.ts'
import { batteryOf, boardOf, type MachineFacts, processorOf, soundDevicesOf } from './machine.ts'

const POWER = '/sys/class/power_supply'
const MB = 1e6

/** Never rejects: what cannot be read is not there. */
export async function readMachine(disk: Pick<Disk, 'read' | 'list'>): Promise<MachineFacts> {
  const text = (path: string): Promise<string> =>
    disk.read(path).then(
      (bytes) => Buffer.from(bytes).toString('utf8'),
      () => '',
    )
  const processor = processorOf(await text('/proc/cpuinfo'))
  const limit = process.constrainedMemory()
  const memory = limit > 0 && limit < totalmem() ? limit : totalmem()
  const supplies = await disk.list(POWER).catch(() => [])
  const batteries = await Promise.all(
    supplies.map(async (supply) => {
      const [type, capacity, status] = await Promise.all(
        ['type', 'capacity', 'status'].map((name) => text(`${POWER}/${supply}/${name}`)),
      )
      return batteryOf(type ?? '', capacity ?? '', status ?? '')
    }),
  )
  return {
    board: boardOf(await text('/proc/device-tree/model')),
    processor: processor.name ?? cpus()[0]?.model.trim() ?? process.arch,
    features: processor.features,
    cores: availableParallelism(),
    memory_mb: Math.round(memory / MB),
    free_memory_mb: Math.round(Math.min(memory, process.availableMemory?.() ?? freemem()) / MB),
    battery: batteries.find((battery) => battery !== null) ?? null,
    ...soundDevicesOf(await text('/proc/asound/pcm')),
  }
}
