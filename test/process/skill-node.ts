/**
 * Started by skill-timer.test.ts: runtime, store and skills together, as in a node, without voice. Each line of standard
 * input is an intent; results and announcements are lines of standard output.
 */

import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { placedAddress } from '../../src/actors/index.ts'
import { createRuntime } from '../../src/actors/runtime.ts'
import { nodeId, sessionId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { createLog } from '../../src/observe/index.ts'
import { type Intent, loadSkills, type SkillInvoke, skill } from '../../src/skills/index.ts'
import { openStore, ownDirectory } from '../../src/store/index.ts'
import { writerOf } from '../store/writers.ts'
import { outsideOf } from './outside.ts'

const say = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`)

const directory = process.argv[2]!
const host = realHost()
const log = createLog({
  level: 'warn',
  format: 'json',
  log_pii: false,
  output: { tty: false, color: false, write: (line) => void process.stderr.write(line) },
  wall: () => host.clock.wall(),
})
await ownDirectory(host.disk, directory, process.pid)
const store = await openStore({ host, directory, key: new Uint8Array(32).fill(1), writer: writerOf(1) })
const roots = [fileURLToPath(new URL('../../skills', import.meta.url)), join(directory, 'skills')]
const skills = await loadSkills({ host, log, node: nodeId('test'), roots, zone: 'UTC' })
skills.start()
const runtime = createRuntime({
  node: nodeId('test'),
  host,
  behaviors: { skill },
  outside: outsideOf(store, skills),
  observe: {
    log: (level, message, values) => log[level](message, values),
    metric: () => undefined,
    audit: () => undefined,
  },
})
runtime.subscribe('announce', (message) => say({ announced: message }))
for (const { key, args } of skills.actors) runtime.spawn({ kind: 'skill', key, args, restart: 'permanent' })

const invokeOf = (intent: Intent): SkillInvoke => ({
  type: 'skill.invoke',
  intent,
  session: sessionId('s'),
  room: 'kitchen',
  confirmed: false,
})
const ask = (intent: Intent) =>
  runtime.ask(placedAddress('skill', intent.name.split('.')[0]!), invokeOf(intent), { deadline_ms: 10_000 })

// A busy machine may need long to start the sandbox.
while ('failed' in (await ask({ name: 'clock.time', slots: {} })));
say({ ready: true })

createInterface({ input: process.stdin }).on('line', async (line) => {
  say({ result: await ask(JSON.parse(line) as Intent) })
})
