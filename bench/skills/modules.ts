/**
 * Writes the skills that bench/skills/sandbox.ts measures with: `node bench/skills/modules.ts <folder>`. A process of its own, since the
 * assembler goes on compiling itself in the background while others want to measure.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { moduleOf, saying, writeSkill } from '../../test/skills/hostile.ts'
import { HOST_CALLS, IDLE } from './counts.ts'

const root = process.argv[2]!
const house = join(root, 'house')
const others = join(root, 'others')
const echo = saying('{"speech":"hello"}')
const asking = moduleOf(
  ['alloc', 'storage_get'],
  `(local $k i64) (local $n i32) (local.set $k (call $alloc (i64.const 1)))
   (loop $again
     (drop (call $storage_get (local.get $k)))
     (local.set $n (i32.add (local.get $n) (i32.const 1)))
     (br_if $again (i32.lt_u (local.get $n) (i32.const ${HOST_CALLS}))))
   (i32.const 0)`,
)
writeSkill(house, 'echo', echo, { zone: 1 })
writeSkill(house, 'asking', asking, { zone: 1 })
writeSkill(others, 'loops', moduleOf([], '(loop $again (br $again)) (i32.const 0)'), { call_ms: 100 })
for (let index = 0; index < IDLE.shipped; index += 1) writeSkill(house, `shipped-${index}`, echo, { zone: 1 })
for (let index = 0; index < IDLE.others; index += 1) writeSkill(others, `other-${index}`, echo)
writeFileSync(join(root, 'bare.wasm'), moduleOf([], '(i32.const 0)'))
writeFileSync(join(root, 'echo.wasm'), echo)
