import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SkillError } from '../../src/skills/errors.ts'
import { grantedImports } from '../../src/skills/permissions.ts'
import { checkModule, type ModuleRules, readyModule } from '../../src/skills/wasm.ts'
import { assemble, moduleOf, saying } from './hostile.ts'
import { SKILLS_FOLDER } from './house-skills.ts'

const RULES: ModuleRules = { imports: grantedImports(['storage']), exports: ['handle'], memory_kb: 1_024 }

const refusal = (bytes: Uint8Array, rules: ModuleRules = RULES): string => {
  try {
    checkModule(bytes, rules)
  } catch (thrown) {
    if (thrown instanceof SkillError && thrown.fault === 'skill-refused') return thrown.message
    throw thrown
  }
  return 'accepted'
}

/** Grows the memory of an accepted module until the engine refuses; pages it got. */
function pagesOf(bytes: Uint8Array): number {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes.slice()))
  return (instance.exports.handle as () => number)()
}
const GROWING = '(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (memory.size)'

describe('a module', () => {
  it.each([
    ['without a maximum', '(memory 1)', 16],
    ['with a larger maximum', '(memory 1 500)', 16],
    ['with a smaller maximum', '(memory 1 3)', 3],
    ['that starts with all it may have', '(memory 16)', 16],
  ])('%s can grow to its budget and no further', (_, memory, pages) => {
    const checked = checkModule(moduleOf([], GROWING, memory), RULES)
    expect(checked.memory_pages).toBe(pages)
    expect(pagesOf(checked.bytes)).toBe(pages)
  })

  it('says what it imports and exports', () => {
    const { imports, exports } = checkModule(moduleOf(['alloc', 'storage_get'], '(i32.const 0)'), RULES)
    expect(imports).toEqual(['extism:host/env.alloc', 'extism:host/user.storage_get'])
    expect(exports).toEqual(['handle'])
  })

  it('loses its debugging notes and nothing else', () => {
    const bytes = moduleOf([], '(i32.const 7)', '(memory 16 16)')
    const name = [...'notes'].map((letter) => letter.charCodeAt(0))
    const noted = Uint8Array.from([...bytes, 0, 8, name.length, ...name, 1, 2])
    expect(checkModule(noted, RULES).bytes).toEqual(checkModule(bytes, RULES).bytes)
  })

  it('that ships with the node is accepted', () => {
    for (const name of ['timer', 'clock', 'list']) {
      const rules = { ...RULES, imports: grantedImports(['storage', 'timers', 'speak', 'clock', 'random']) }
      expect(refusal(readFileSync(`${SKILLS_FOLDER}/${name}/${name}.wasm`), rules)).toBe('accepted')
    }
  })

  it.each([
    ['grants are missing', moduleOf(['clock_now'], '(i32.const 0)'), 'clock_now", which it was not granted'],
    ['it needs more memory than it may have', moduleOf([], '(i32.const 0)', '(memory 17)'), '1088 KiB'],
    ['it has a shared memory', moduleOf([], '(i32.const 0)', '(memory 1 2 shared)'), 'shared'],
    ['it has a 64-bit memory', moduleOf([], '(i32.const 0)', '(memory i64 1)'), '64 bits'],
    [
      'an import is a global',
      assemble('(module (import "extism:host/env" "alloc" (global i32)))'),
      'not a function',
    ],
    ['its entry is no function', assemble('(module (memory (export "handle") 1))'), 'does not export'],
    ['it is of another version', Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), 'version'],
    ['it is a component', Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), 'version'],
    [
      'its sections come twice',
      Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0]),
      'order',
    ],
    ['a section is unknown', Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 77, 0]), 'unknown'],
    [
      'a number has no end',
      Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 1]),
      'number',
    ],
    [
      'a section lies about its length',
      Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 0x7f, 1]),
      'cut off',
    ],
    [
      'it claims a million imports',
      Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 2, 3, 0xc0, 0x84, 0x3d]),
      'imports',
    ],
    ['it is larger than any of ours', new Uint8Array(5 * 1_024 * 1_024), 'larger than 4 MiB'],
  ])('is refused when %s', (_, bytes, why) => {
    expect(refusal(bytes)).toContain(why)
  })
})

describe('a module made ready to be called often', () => {
  const ready = (module: Uint8Array) =>
    readyModule(
      checkModule(module, { imports: grantedImports([]), exports: ['handle'], memory_kb: 1_024 }).bytes,
    )

  it('imports its memory, keeps what it may grow to, and runs as before', () => {
    const { bytes, memory, starts } = ready(saying('{"speech":"hello"}'))
    expect([memory, starts]).toEqual([{ least: 1, most: 16 }, false])
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes.slice()))).toContainEqual({
      ...{ module: 'loqa', name: 'memory', kind: 'memory' },
    })
  })

  it('keeps a memory that takes long to wipe, and none stays none', () => {
    const large = assemble('(module (memory 17) (func (export "handle") (result i32) (i32.const 0)))')
    const limit = { imports: grantedImports([]), exports: ['handle'], memory_kb: 4_096 }
    const checked = checkModule(large, limit).bytes
    expect(readyModule(checked)).toEqual({ bytes: checked, starts: false })
    const none = checkModule(
      assemble('(module (func (export "handle") (result i32) (i32.const 0)))'),
      limit,
    ).bytes
    expect(readyModule(none)).toEqual({ bytes: none, starts: false })
  })

  it('says when making an instance runs code', () => {
    const module = assemble(
      '(module (memory 1) (func $s) (start $s) (func (export "handle") (result i32) (i32.const 0)))',
    )
    expect(ready(module).starts).toBe(true)
  })
})
