/**
 * Native adapters: skills that are a program of their own, for what WebAssembly cannot do well. Whoever signed one is trusted more than
 * anybody else who brings skills, so a policy names them (`trust/judge.ts`, J5); the program itself is trusted no more than a module that
 * broke out of its sandbox: it runs behind the same fence, and where that does not hold it does not run.
 *
 * It is handed to the fence from the node's memory, as its signature was checked, and is one process with one thread, without network, files,
 * other processes or devices. It speaks the runner's frames on its standard streams. Pure.
 */
import { SkillError, type SkillErrorShape, skillError } from './errors.ts'
import { describeFence, type Fence } from './sandbox/fence.ts'

/** Of ELF: the first bytes, and where it says which machine it is for (System V ABI, "ELF header"). */
const MAGIC = [0x7f, 0x45, 0x4c, 0x46]
const MACHINE_AT = 18
const HEADER_BYTES = 64
const MACHINES: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' }

/** Errors: `SkillError` `skill-refused` for what is no program. */
export function checkProgram(bytes: Uint8Array): Uint8Array {
  const isProgram = bytes.length > HEADER_BYTES && MAGIC.every((byte, at) => bytes[at] === byte)
  if (isProgram) return bytes
  throw new SkillError('skill-refused', 'The adapter was refused: its module is no program of Linux (ELF)')
}

/** Why this program cannot run on this machine. `here`: as `process.arch` calls it. */
export function adapterProblem(program: Uint8Array, fence: Fence, here: string): SkillErrorShape | undefined {
  const machine = MACHINES[program[MACHINE_AT] ?? 0] ?? 'another machine'
  if (machine !== here) {
    return skillError('skill-runtime', `It is a program for ${machine}, and this machine is ${here}`)
  }
  if (fence.name === 'bubblewrap' && fence.limits && fence.filter !== undefined) return undefined
  return skillError(
    'skill-runtime',
    `It is a program of its own, which runs behind bubblewrap only; here is ${describeFence(fence)}`,
    'Install bubblewrap, where this system lets users make namespaces; loqa doctor names the fence.',
  )
}
