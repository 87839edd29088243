import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/host/simulated/index.ts'
import { SkillError } from '../../src/skills/errors.ts'
import { grantedImports } from '../../src/skills/permissions.ts'
import { checkModule, type ModuleRules } from '../../src/skills/wasm.ts'
import { moduleOf } from '../skills/hostile.ts'
import { SKILLS_FOLDER } from '../skills/house-skills.ts'

const RULES: ModuleRules = {
  imports: grantedImports(['storage', 'timers', 'speak']),
  exports: ['handle'],
  memory_kb: 1_024,
}
const ROUNDS = 100_000
const SEED = 20_261_121

const corpus = [
  readFileSync(`${SKILLS_FOLDER}/timer/timer.wasm`).subarray(0),
  moduleOf(['alloc', 'storage_get'], '(i32.const 0)', '(memory 1 900) (table 3 funcref)'),
  moduleOf([], '(i32.const 0)'),
].map((bytes) => new Uint8Array(bytes))

/** A module with one to four changes of the kinds that break parsers: flips, edge values, cuts, copies. */
function mutated(random: SimulatedRandom): Uint8Array {
  let bytes: Uint8Array = corpus[random.below(corpus.length)]!.slice()
  for (let change = random.below(4); change >= 0; change -= 1) {
    // Most of what is checked stands in the first few hundred bytes.
    const at = random.below(random.float() < 0.8 ? Math.min(bytes.length, 400) : bytes.length)
    const kind = random.below(5)
    if (kind === 0) bytes[at]! ^= 1 << random.below(8)
    else if (kind === 1) bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]!
    else if (kind === 2) bytes = bytes.slice(0, at)
    else if (kind === 3) bytes = join(bytes.subarray(0, at), bytes.subarray(random.below(bytes.length)))
    else bytes = join(bytes.subarray(0, at), Uint8Array.of(random.below(256)), bytes.subarray(at))
    if (bytes.length === 0) return bytes
  }
  return bytes
}

const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))

it(`${ROUNDS} damaged modules: refused in words, or within their grant and budget`, {
  timeout: 120_000,
}, () => {
  const random = new SimulatedRandom(SEED)
  let accepted = 0
  let compiled = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = mutated(random)
    let checked: ReturnType<typeof checkModule>
    try {
      checked = checkModule(bytes, RULES)
    } catch (thrown) {
      if (!(thrown instanceof SkillError) || thrown.message.length > 300) throw thrown
      continue
    }
    accepted += 1
    // What the engine sees in it is the judge. A sample, since compiling takes longer than checking.
    if (accepted % 5 !== 0 || !WebAssembly.validate(checked.bytes.slice())) continue
    compiled += 1
    const module = new WebAssembly.Module(checked.bytes.slice())
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      expect(kind).toBe('function')
      expect(RULES.imports).toContain(`${from}.${name}`)
    }
    expect(checked.memory_pages).toBeLessThanOrEqual(16)
    expect(WebAssembly.Module.exports(module)).toContainEqual({ name: 'handle', kind: 'function' })
  }
  expect(accepted).toBeGreaterThan(ROUNDS / 50)
  expect(compiled).toBeGreaterThan(100)
})
