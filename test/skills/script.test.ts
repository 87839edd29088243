/** What the node does with a script before and on the way to its sandbox. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SkillManifest } from '../../src/skills/index.ts'
import { withLeastMemory } from '../../src/skills/sandbox/runner/script-engine.ts'
import { packScript, unpackScript } from '../../src/skills/sandbox/script-source.ts'
import { checkScript, MAX_SCRIPT_BYTES, MIN_SCRIPT_MEMORY_KB } from '../../src/skills/script.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('a script on its way to the sandbox', () => {
  it('arrives as it was sent, with what it runs on', () => {
    const part = fc.uint8Array({ maxLength: 64 })
    fc.assert(
      fc.property(part, part, part, (engine, kit, skill) => {
        expect(unpackScript(packScript({ engine, kit, skill }))).toEqual({ engine, kit, skill })
      }),
      { seed: 7 },
    )
  })

  it('is refused when it is cut off, and whatever else comes is no more than refused', () => {
    const packed = packScript({ engine: bytes('engine'), kit: bytes('kit'), skill: bytes('') })
    expect(() => unpackScript(packed.subarray(0, packed.length - 1))).toThrow(RangeError)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (anything) => {
        try {
          unpackScript(anything)
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(RangeError)
        }
      }),
      { seed: 7 },
    )
  })
})

describe('a script', () => {
  const manifest = (memory_kb: number): SkillManifest => ({ budgets: { memory_kb } }) as never

  it('is text of a size that people write, with room for its interpreter', () => {
    const text = bytes('export const handle = () => ({})')
    expect(checkScript(text, manifest(MIN_SCRIPT_MEMORY_KB))).toBe(text)
    expect(() => checkScript(text, manifest(MIN_SCRIPT_MEMORY_KB - 1))).toThrow('interpreter')
    expect(() => checkScript(new Uint8Array(MAX_SCRIPT_BYTES + 1), manifest(2_048))).toThrow('256 KiB')
    expect(() => checkScript(Uint8Array.of(0xff, 0xfe), manifest(2_048))).toThrow('UTF-8')
  })
})

describe('the engine of scripts', () => {
  const file = createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm')
  const engine = new Uint8Array(readFileSync(file))

  it('asks for no more memory than it is told, and is otherwise what it was', () => {
    const changed = withLeastMemory(engine, 82)
    expect(changed).toHaveLength(engine.length)
    expect(WebAssembly.validate(changed)).toBe(true)
    expect(changed.filter((byte, at) => byte !== engine[at]).length).toBeLessThanOrEqual(5)
    expect(withLeastMemory(changed, 256)).toEqual(engine)
  })

  it('is found out when it is not built as expected', () => {
    expect(() => withLeastMemory(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), 82)).toThrow('no memory')
  })
})
