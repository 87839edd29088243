/**
 * Writes the folders of all attacking skills: `node test/skills/write-attacks.ts <folder> <zone>`, and prints what must become of each.
 * A process of its own because the assembler takes 150 MB, and to start a process takes the longer the larger who starts it is.
 */
import { join } from 'node:path'
import { ATTACKS, REFUSED, REQUESTS, requesting } from './attacks.ts'
import { moduleOf, writeSkill } from './hostile.ts'

export interface Written {
  /** Name → the fault it ends with when it is called. */
  readonly attacks: Readonly<Record<string, string>>
  /** Name → a word of the reason why it is not loaded. */
  readonly refused: Readonly<Record<string, string>>
  /** Ask for what they must not get. */
  readonly requests: readonly string[]
}

/** What a skill does that is no attack; for processes that attack by themselves. */
export const HARMLESS = 'harmless'

const [root, zone] = process.argv.slice(2)
const attackers = zone === '1' ? 1 : 2
for (const [name, { code, module, permissions }] of Object.entries(ATTACKS)) {
  // On a busy machine the other limits must be reached before this one.
  const call_ms = code === 'skill-timeout' ? 200 : 2_000
  writeSkill(root!, name, module, { zone: attackers, call_ms, ...(permissions && { permissions }) })
}
writeSkill(root!, 'storm', ATTACKS['storms-its-host']!.module, { zone: attackers, call_ms: 2_000 })
for (const [name, request] of Object.entries(REQUESTS)) {
  writeSkill(root!, name, requesting(request), {
    zone: attackers,
    permissions: ['http'],
    http: request.hosts,
  })
}
for (const [name, { module }] of Object.entries(REFUSED)) writeSkill(root!, name, module)
writeSkill(join(root!, '..', 'spare'), HARMLESS, moduleOf([], '(i32.const 0)'))
const written: Written = {
  attacks: Object.fromEntries(Object.entries(ATTACKS).map(([name, { code }]) => [name, code])),
  refused: Object.fromEntries(Object.entries(REFUSED).map(([name, { why }]) => [name, why])),
  requests: Object.keys(REQUESTS),
}
process.stdout.write(JSON.stringify(written))
