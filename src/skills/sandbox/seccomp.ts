/**
 * A filter of system calls for sandbox processes, as the kernel takes it: classic BPF, seccomp(2) and
 * Documentation/userspace-api/seccomp_filter. What is in the list fails with EPERM, all else goes through. The list holds
 * what a skill's process never needs: sockets, other processes, mounts and namespaces, keys, and the calls of the kernel
 * that break most often. Pure.
 */

/** AUDIT_ARCH_* of linux/audit.h, and the numbers of the calls on that machine, in the same order. */
const MACHINES: Readonly<Record<string, { readonly arch: number; readonly calls: readonly number[] }>> = {
  x64: {
    arch: 0xc000003e,
    calls: [
      41, 42, 43, 44, 46, 49, 50, 53, 288, 101, 310, 311, 312, 165, 166, 155, 161, 272, 308, 248, 249, 250,
      321, 298, 323, 425, 426, 427, 304, 175, 313, 176, 246, 169, 167,
    ],
  },
  arm64: {
    arch: 0xc00000b7,
    calls: [
      198, 203, 202, 206, 211, 200, 201, 199, 242, 117, 270, 271, 272, 40, 39, 41, 51, 97, 268, 217, 218, 219,
      280, 241, 282, 425, 426, 427, 265, 105, 273, 106, 104, 142, 224,
    ],
  },
}

/** The same order as the numbers above. */
export const REFUSED_CALLS = [
  'socket',
  'connect',
  'accept',
  'sendto',
  'sendmsg',
  'bind',
  'listen',
  'socketpair',
  'accept4',
  'ptrace',
  'process_vm_readv',
  'process_vm_writev',
  'kcmp',
  'mount',
  'umount2',
  'pivot_root',
  'chroot',
  'unshare',
  'setns',
  'add_key',
  'request_key',
  'keyctl',
  'bpf',
  'perf_event_open',
  'userfaultfd',
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
  'open_by_handle_at',
  'init_module',
  'finit_module',
  'delete_module',
  'kexec_load',
  'reboot',
  'swapon',
] as const

/**
 * Besides, what a program that is no runner of ours could do with its own machine code: start others or threads, and keep memory that its
 * bounds do not count.
 */
const OF_ADAPTERS: Readonly<Record<string, readonly number[]>> = {
  x64: [56, 57, 58, 435, 319, 447, 29, 64, 68, 240],
  arm64: [220, 435, 279, 447, 194, 190, 186, 180],
}

/** On a machine that has all of them; `fork` and `vfork` are not on every one. */
export const REFUSED_TO_ADAPTERS = [
  ...(['clone', 'fork', 'vfork', 'clone3', 'memfd_create', 'memfd_secret', 'shmget'] as const),
  ...(['semget', 'msgget', 'mq_open'] as const),
] as const

/** `struct seccomp_data`: the call's number, then the machine. */
const NUMBER_AT = 0
const ARCH_AT = 4
const LOAD = 0x20
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_AT_LEAST = 0x35
const RETURN = 0x06
const ALLOW = 0x7fff0000
const REFUSE = 0x00050000 | 1
const KILL = 0x80000000
/** Calls of x32 on a 64-bit kernel have this bit: other numbers for the same, so none of them. */
const X32_BIT = 0x40000000

/** The filter for a machine as `process.arch` calls it; undefined for one that is not known here. */
export function callFilter(machine: string): Uint8Array | undefined {
  const known = MACHINES[machine]
  return known === undefined ? undefined : filterOf(known.arch, known.calls)
}

/** The same for a native adapter. */
export function adapterFilter(machine: string): Uint8Array | undefined {
  const known = MACHINES[machine]
  return known === undefined
    ? undefined
    : filterOf(known.arch, [...known.calls, ...(OF_ADAPTERS[machine] ?? [])])
}

function filterOf(arch: number, calls: readonly number[]): Uint8Array {
  const program: [code: number, ifTrue: number, ifFalse: number, value: number][] = [
    [LOAD, 0, 0, ARCH_AT],
    [JUMP_IF_EQUAL, 1, 0, arch],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER_AT],
    [JUMP_IF_AT_LEAST, calls.length + 1, 0, X32_BIT],
    ...calls.map((call, index): [number, number, number, number] => [
      JUMP_IF_EQUAL,
      calls.length - index,
      0,
      call,
    ]),
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, REFUSE],
  ]
  const bytes = new Uint8Array(program.length * 8)
  const view = new DataView(bytes.buffer)
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, ifTrue)
    view.setUint8(index * 8 + 3, ifFalse)
    view.setUint32(index * 8 + 4, value, true)
  }
  return bytes
}
