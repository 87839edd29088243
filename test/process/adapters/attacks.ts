/** What the adapter of `adapter.c` tries, and how it is asked to: the same for a native one and for one in a container. */
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import type { Skills } from '../../../src/skills/index.ts'
import { callSkill, EMPTY_CALL, PATIENT_MS } from '../../skills/house-skills.ts'

/** Each reaches for something of the machine, the network or the house, and says `refused …` when it gets nothing. */
export const REACHING = [
  ...['connects', 'scans-the-lan', 'reads-the-house', 'reads-the-system', 'writes-into-its-program'],
  ...['writes-a-file', 'writes-into-the-house', 'reads-the-memory-of-the-machine', 'signals-the-node'],
  ...['reads-the-environment-of-the-node', 'starts-a-shell', 'mounts', 'becomes-root', 'traces', 'forks'],
]

/** `server` listens where nothing may connect; `root` holds what nothing may read. */
export async function attack(skills: Skills, name: string, what: string, server: Server, root: string) {
  const { port } = server.address() as AddressInfo
  const slots = { port, secret: join(root, 'adapter'), folder: root, pid: process.pid }
  const input = JSON.stringify({ intent: `${name}.${what}`, slots })
  const outcome = await callSkill(skills, name, { ...EMPTY_CALL, input }, PATIENT_MS)
  return outcome.ok ? outcome.result : outcome.error
}
