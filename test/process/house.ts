/** Runtime, store, audit log and skills together, as in a node, in the process of a test. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { placedAddress } from '../../src/actors/index.ts'
import { createRuntime } from '../../src/actors/runtime.ts'
import { nodeId, sessionId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { noteIn, observeWith } from '../../src/node/observing.ts'
import { openAudit } from '../../src/observe/audit.ts'
import { createMetrics } from '../../src/observe/index.ts'
import type { HostPorts } from '../../src/skills/host-ports.ts'
import {
  type Announce,
  loadSkills,
  type SkillInvoke,
  type SkillResult,
  skill,
} from '../../src/skills/index.ts'
import type { SkillWatch } from '../../src/skills/watching.ts'
import { openStore, ownDirectory } from '../../src/store/index.ts'
import { silentLog } from '../skills/house-skills.ts'
import { writerOf } from '../store/writers.ts'
import { outsideOf } from './outside.ts'

export async function openHouse(
  directory: string,
  roots: readonly string[],
  reach: HostPorts = {},
  container_sockets: readonly string[] = [],
) {
  mkdirSync(directory, { recursive: true })
  const host = realHost()
  const node = nodeId('test')
  const ownership = await ownDirectory(host.disk, directory, process.pid)
  const audit = await openAudit(host.disk, host.clock, join(directory, 'audit.log'), node)
  const store = await openStore({ host, directory, key: new Uint8Array(32).fill(1), writer: writerOf(1) })
  const said: Announce[] = []
  const watch: SkillWatch = {
    audit: (what, object, outcome) => noteIn(audit, silentLog, { what, object, outcome }),
    tell: (announcement) => runtime.publish('announce', announcement),
  }
  const shared = { host, log: silentLog, node, watch, container_sockets }
  const skills = await loadSkills({ ...shared, roots, zone: 'UTC', ports: reach })
  const runtime = createRuntime({
    node,
    host,
    behaviors: { skill },
    outside: outsideOf(store, skills),
    observe: observeWith(silentLog, createMetrics(), audit, () => undefined),
  })
  runtime.subscribe('announce', (message) => said.push(message as Announce))
  skills.start()
  for (const { key, args } of skills.actors) runtime.spawn({ kind: 'skill', key, args, restart: 'permanent' })

  return {
    host,
    skills,
    runtime,
    audit,
    watch,
    /** What was announced so far. */
    said,
    /** One intent, as a conversation would have it carried out. */
    async ask(name: string, deadline_ms = 3_000): Promise<SkillResult> {
      const invoke: SkillInvoke = {
        type: 'skill.invoke',
        intent: { name, slots: {} },
        session: sessionId('s'),
        room: 'kitchen',
        confirmed: false,
      }
      const answer = await runtime.ask(placedAddress('skill', name.split('.')[0]!), invoke, { deadline_ms })
      if (!('speech' in answer)) throw new Error(`${name} was not answered: ${JSON.stringify(answer)}`)
      return answer as unknown as SkillResult
    },
    async stop(): Promise<void> {
      await runtime.shutdown(1_000)
      skills.stop()
      await skills.containers.closed()
      await store.close()
      await ownership.release()
    },
  }
}

export type TestHouse = Awaited<ReturnType<typeof openHouse>>
