/**
 * Fences the operating system puts around sandbox processes, outermost first; each is a command that runs another. WebAssembly
 * and the runner hold a skill; these hold whoever broke out of both. Which of them a machine has is found out by trying
 * (`process.ts`); `loqa doctor` names it. Pure.
 *
 * - `bubblewrap`: no network, sees no process but itself, no files but the program's and the system's libraries, those
 *   read-only, no capabilities, no terminal, sockets and other calls refused by the kernel (`seccomp.ts`).
 * - `unshare`: no network.
 * - `limits`: beside either, and alone where neither works: bounds on memory, files, and no core dumps.
 */
export const FENCES = ['bubblewrap', 'unshare', 'none'] as const
export type FenceName = (typeof FENCES)[number]

export interface Fence {
  readonly name: FenceName
  /** Bounds of `prlimit` around it. */
  readonly limits: boolean
  /** The kernel's filter, where this machine's is known. */
  readonly filter: Uint8Array | undefined
}

export const NO_FENCE: Fence = { name: 'none', limits: false, filter: undefined }

/** What a fenced program may read: files or folders, each by its absolute path. */
export interface Sight {
  readonly program?: string
  readonly folders: readonly string[]
  /** Also these, if they are there. */
  readonly maybe?: readonly string[]
  /** Options of bubblewrap for what is handed over by descriptor. */
  readonly handed?: readonly string[]
}

export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** The filter's descriptor in the fenced process, behind the standard ones. */
export const FILTER_FD = 3

/** Private memory of a process: the heap (48 MB), the largest module twice (64 MiB each), blocks (64 MiB), stacks of threads. */
const MEMORY_BYTES = 1024 * 1024 * 1024
/** Node opens about 25. */
const OPEN_FILES = 64

/** Where a loader looks for a program's libraries; what is not there is left out. */
const LIBRARIES = [
  '/lib',
  '/lib64',
  '/lib32',
  '/usr/lib',
  '/usr/lib64',
  '/etc/ld.so.cache',
  '/nix/store',
  '/gnu/store',
]

/** The command that runs `command` behind the fence. */
export function fenced(fence: Fence, command: Command, sight: Sight): Command {
  const inner = within(fence, command, sight)
  if (!fence.limits) return inner
  const bounds = ['--core=0', '--fsize=0', `--nofile=${OPEN_FILES}`, `--data=${MEMORY_BYTES}`]
  return { file: 'prlimit', args: [...bounds, '--', inner.file, ...inner.args] }
}

function within(
  fence: Fence,
  { file, args }: Command,
  { program, folders, maybe = [], handed = [] }: Sight,
): Command {
  switch (fence.name) {
    case 'bubblewrap': {
      const seen = [...[...LIBRARIES, ...maybe].map((path) => ['--ro-bind-try', path, path])]
      for (const path of [...(program === undefined ? [] : [program]), ...folders])
        seen.push(['--ro-bind', path, path])
      return {
        file: 'bwrap',
        args: [
          ...[
            '--unshare-user',
            '--unshare-ipc',
            '--unshare-pid',
            '--unshare-net',
            '--unshare-uts',
            '--unshare-cgroup-try',
          ],
          // The process itself is the first of its namespace: when it ends, whatever it started ends with it.
          ...['--as-pid-1', '--die-with-parent', '--new-session', '--clearenv', '--cap-drop', 'ALL'],
          ...seen.flat(),
          ...handed,
          ...['--chdir', '/'],
          ...(fence.filter === undefined ? [] : ['--seccomp', String(FILTER_FD)]),
          ...['--', file, ...args],
        ],
      }
    }
    case 'unshare':
      return { file: 'unshare', args: ['--map-current-user', '--net', '--', file, ...args] }
    case 'none':
      return { file, args }
  }
}

/** Where a native adapter finds itself, and its descriptor: it comes from the node's memory, no file of this machine is it. */
const ADAPTER = '/adapter'
const ADAPTER_FD = 4
/** Beside its memory: the program and the system's libraries, as they are mapped. */
const ADAPTER_CODE_BYTES = 64 * 1024 * 1024

/** The command that runs a native adapter; only behind bubblewrap with both filter and limits. It yields to everything else. */
export function fencedAdapter(memory_kb: number, program_bytes: number): Command {
  const { file, args } = within(
    { name: 'bubblewrap', limits: true, filter: NOTHING },
    { file: ADAPTER, args: [] },
    {
      folders: [],
      handed: ['--perms', '0555', '--ro-bind-data', String(ADAPTER_FD), ADAPTER, '--remount-ro', '/'],
    },
  )
  const bounds = [
    // It can write to no file: this is for the one it is.
    ...['--core=0', `--fsize=${program_bytes}`, `--nofile=${OPEN_FILES}`],
    `--as=${memory_kb * 1024 + ADAPTER_CODE_BYTES}`,
  ]
  return { file: 'nice', args: ['-n', '10', 'prlimit', ...bounds, '--', file, ...args] }
}

const NOTHING = new Uint8Array()

/** One line for `loqa doctor`. */
export function describeFence({ name, limits, filter }: Fence): string {
  const bounds = limits ? ', bounded memory and files (prlimit)' : ''
  if (name === 'bubblewrap') {
    const calls = filter === undefined ? '' : ', filtered system calls'
    return `bubblewrap: no network, no other processes, read-only files of its own${calls}${bounds}`
  }
  if (name === 'unshare') return `unshare: no network${bounds}`
  return limits ? `none of the system's namespaces${bounds}` : 'none of the system'
}
