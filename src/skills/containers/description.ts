/**
 * What an engine is asked for, and whether it is what came of it. Pure; the words are those of Docker's API (1.41 and later), which
 * Podman understands too. An engine may drop a bound it cannot hold and merely warn of it: so the container is looked at before it runs.
 */
import { z } from 'zod'

export interface Bounds {
  readonly image: string
  readonly memory_mb: number
  /** Of one second, in seconds: 0.5 is half of a processor. */
  readonly cpus: number
  /** Processes and threads. */
  readonly pids: number
}

/** By these the containers of a node are found again, when it ended without removing them. */
export const NODE_LABEL = 'loqa.node'
export const SKILL_LABEL = 'loqa.skill'

/** Nobody: what an image says of its user does not count. */
const USER = '65534:65534'
const OPEN_FILES = 256
const SHARED_MEMORY_BYTES = 1024 * 1024
/** Of 1,024, which everything else has: when the machine is busy, it waits. */
const CPU_SHARES = 128
/** When memory runs out, this goes before anything of the node. */
const OOM_SCORE = 500
const MB = 1024 * 1024

export function containerFor({ image, memory_mb, cpus, pids }: Bounds, node: string, skill: string) {
  const memory = memory_mb * MB
  return {
    ...{ Image: image, User: USER, Hostname: 'skill', NetworkDisabled: true },
    ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false },
    // The end of the connection is the end of its input: it can tell that nobody is there any more.
    ...{ OpenStdin: true, StdinOnce: true },
    Healthcheck: { Test: ['NONE'] },
    StopTimeout: 0,
    Labels: { [NODE_LABEL]: node, [SKILL_LABEL]: skill },
    HostConfig: {
      ...{ NetworkMode: 'none', ReadonlyRootfs: true, Binds: [], Privileged: false, IpcMode: 'private' },
      ...{ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] },
      ...{ Memory: memory, MemorySwap: memory, PidsLimit: pids, OomScoreAdj: OOM_SCORE },
      ...{ NanoCpus: Math.round(cpus * 1e9), CpuShares: CPU_SHARES, ShmSize: SHARED_MEMORY_BYTES },
      Ulimits: [
        { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
        { Name: 'nproc', Soft: pids, Hard: pids },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
      // What it says goes to the node alone, not to a file on disk.
      ...{ LogConfig: { Type: 'none' }, AutoRemove: true, RestartPolicy: { Name: 'no' } },
    },
  }
}

export const createdSchema = z.object({ Id: z.string().regex(/^[0-9a-f]{12,64}$/) })

export const listedSchema = z.array(z.object({ Id: z.string().regex(/^[0-9a-f]{12,64}$/) })).max(1_000)

const list = z.array(z.unknown()).nullish()
/** Of what an engine says about a container: what is held against what was asked. */
const inspectedSchema = z.object({
  Mounts: list,
  Config: z.object({ User: z.string(), Tty: z.boolean() }),
  HostConfig: z.object({
    NetworkMode: z.string(),
    ReadonlyRootfs: z.boolean(),
    Privileged: z.boolean(),
    Memory: z.number(),
    MemorySwap: z.number(),
    PidsLimit: z.number().nullish(),
    NanoCpus: z.number(),
    Binds: list,
    CapAdd: list,
    CapDrop: z.array(z.string()).nullish(),
    Devices: list,
    SecurityOpt: z.array(z.string()).nullish(),
  }),
})

/** Where a container is looser than it was asked to be, in words; undefined when it is not. */
export function looseIn(inspected: unknown, bounds: Bounds): string | undefined {
  const read = inspectedSchema.safeParse(inspected)
  if (!read.success) return 'what it says of the container is not understood'
  const { Mounts, Config, HostConfig: host } = read.data
  const memory = bounds.memory_mb * MB
  if (host.NetworkMode !== 'none') return 'the container would have a network'
  if (!host.ReadonlyRootfs) return 'the container could write to its files'
  if (host.Privileged || isSome(host.CapAdd) || !isSome(host.CapDrop))
    return 'the container would have rights'
  if (host.SecurityOpt?.some((option) => option.startsWith('no-new-privileges')) !== true)
    return 'the container could gain rights'
  if (Config.User !== USER) return 'the container would run as another user'
  if (Config.Tty) return 'the container would have a terminal'
  if (isSome(Mounts)) return 'its image wants a place on the disk'
  if (isSome(host.Binds) || isSome(host.Devices)) return 'the container would see something of this machine'
  if (host.Memory !== memory || host.MemorySwap !== memory) return 'its memory would not be bounded'
  if (host.PidsLimit !== bounds.pids) return 'its processes would not be bounded'
  if (host.NanoCpus !== Math.round(bounds.cpus * 1e9))
    return 'its share of the processors would not be bounded'
  return undefined
}

const isSome = (given: readonly unknown[] | null | undefined): boolean => (given?.length ?? 0) > 0
