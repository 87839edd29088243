import { describe, expect, it } from 'vitest'
import { describeFence, fenced, NO_FENCE } from '../../../src/skills/sandbox/fence.ts'
import { callFilter, REFUSED_CALLS } from '../../../src/skills/sandbox/seccomp.ts'

/** Promised: the kernel's filter refuses what is in its list, on the machine it is for, and lets the rest through. */

/** What the kernel would make of a call: classic BPF, as far as the filter uses it. */
function verdict(program: Uint8Array, nr: number, arch: number): 'allowed' | 'refused' | 'killed' {
  const view = new DataView(program.buffer)
  let loaded = 0
  for (let at = 0; ; at += 1) {
    const value = view.getUint32(at * 8 + 4, true)
    const jump = (holds: boolean): number => view.getUint8(at * 8 + (holds ? 2 : 3))
    switch (view.getUint16(at * 8, true)) {
      case 0x20:
        loaded = value === 0 ? nr : arch
        break
      case 0x15:
        at += jump(loaded === value)
        break
      case 0x35:
        at += jump(loaded >= value)
        break
      default:
        return value === 0x7fff0000 ? 'allowed' : value === 0x80000000 ? 'killed' : 'refused'
    }
  }
}

const X64 = 0xc000003e
const ARM64 = 0xc00000b7

describe('the filter of system calls', () => {
  it.each([
    [
      'x64',
      X64,
      { socket: 41, connect: 42, ptrace: 101, reboot: 169 },
      { read: 0, write: 1, execve: 59, futex: 202 },
    ],
    [
      'arm64',
      ARM64,
      { socket: 198, connect: 203, ptrace: 117, reboot: 142 },
      { read: 63, write: 64, execve: 221 },
    ],
  ])(
    'of %s refuses sockets, other processes and the like, and nothing a runner needs',
    (machine, arch, no, yes) => {
      const filter = callFilter(machine)!
      for (const nr of Object.values(no)) expect(verdict(filter, nr, arch)).toBe('refused')
      for (const nr of Object.values(yes)) expect(verdict(filter, nr, arch)).toBe('allowed')
      const refused = Array.from({ length: 600 }, (_, nr) => nr).filter(
        (nr) => verdict(filter, nr, arch) === 'refused',
      )
      expect(refused).toHaveLength(REFUSED_CALLS.length)
      // The same calls by their other numbers; and those of another machine, whose numbers mean something else.
      expect(verdict(filter, 0x40000000, arch)).toBe('refused')
      expect(verdict(filter, 0, arch === X64 ? ARM64 : X64)).toBe('killed')
    },
  )

  it('is not made for a machine it does not know', () => {
    expect(callFilter('s390x')).toBeUndefined()
  })
})

describe('a fence', () => {
  const node = { file: '/opt/node', args: ['--permission', 'runner.js'] }
  const sight = { program: '/opt/node', folders: ['/srv/runner/'] }

  it('is nothing around a command where the system offers none, and says so', () => {
    expect(fenced(NO_FENCE, node, sight)).toEqual(node)
    expect(describeFence(NO_FENCE)).toBe('none of the system')
  })

  it('of bubblewrap shows the program, its folder and libraries, cuts the network and starts with no rights', () => {
    const { file, args } = fenced(
      { name: 'bubblewrap', limits: false, filter: new Uint8Array(8) },
      node,
      sight,
    )
    expect(file).toBe('bwrap')
    for (const flag of ['--unshare-net', '--unshare-pid', '--die-with-parent', '--clearenv'])
      expect(args).toContain(flag)
    const shown = args.flatMap((word, at) => (word === '--ro-bind' ? [args[at + 1]] : []))
    expect(shown).toEqual(['/opt/node', '/srv/runner/'])
    expect(args.filter((word) => /^--(dev-)?bind/.test(word))).toEqual([])
    expect(args.slice(args.indexOf('--') + 1)).toEqual([node.file, ...node.args])
  })

  it('bounds memory and files outside of it', () => {
    const { file, args } = fenced({ name: 'unshare', limits: true, filter: undefined }, node, sight)
    expect(file).toBe('prlimit')
    expect(args).toContain('--fsize=0')
    expect(args.slice(args.indexOf('--') + 1, args.indexOf('--') + 4)).toEqual([
      'unshare',
      '--map-current-user',
      '--net',
    ])
  })
})
