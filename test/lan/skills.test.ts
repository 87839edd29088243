/**
 * Promised: a skill that is added on one node answers on all; one that is revoked on one node ends on all within 2 s, and on a node that was
 * away within 2 s of its return, whatever that node's copy on disk looks like by then.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SkillView, TurnView } from '../../src/api/index.ts'
import { petFiles } from '../skills/package/pets.ts'
import { Lan, type LanNode, type Line, together, whyNoLan } from './rig.ts'

const WITHIN_MS = 2_000

/** When a node ended the skill, and said why. */
const refusal = (node: LanNode, since: number): Line | undefined =>
  node.lines.find(
    ({ at, message, code }) => at >= since && message === 'A skill may not run' && code === 'skill-revoked',
  )

const reply = async (node: LanNode): Promise<string> =>
  (await node.json<TurnView>('ask', 'feed the pet')).reply

const rowOn = async (node: LanNode): Promise<SkillView | undefined> =>
  (await node.json<SkillView[]>('skill', 'ls')).find(({ name }) => name === 'pet')

/** Looks again until it holds. */
async function untilOn(node: LanNode, holds: (row: SkillView | undefined) => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!holds(await rowOn(node))) {
    if (Date.now() > deadline)
      throw new Error(`${node.name}: ${JSON.stringify(await rowOn(node))}\n${node.output}`)
  }
}

describe.skipIf(whyNoLan !== undefined)('a skill on a LAN', () => {
  let lan: Lan
  let nodes: LanNode[] = []
  const folder = mkdtempSync(join(tmpdir(), 'loqa-pet-'))
  beforeAll(async () => {
    mkdirSync(join(folder, 'pet'))
    for (const { name, bytes } of petFiles()) writeFileSync(join(folder, 'pet', name), bytes)
    lan = new Lan()
    nodes = await lan.start(['a', 'b', 'c'])
    await together(nodes, 20_000)
  }, 60_000)
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await lan.close()
  })

  it('is added on one node and answers on all', async () => {
    const [a] = nodes as [LanNode, LanNode, LanNode]
    const refused = await a.loqa('skill', 'add', join(folder, 'pet'), '--yes')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('Nobody vouches for pet')])
    await a.json('skill', 'add', join(folder, 'pet'), '--unsigned', '--yes')
    await Promise.all(
      nodes.map(async (node) => {
        const isAdded = (row: SkillView | undefined) =>
          row?.state === 'ready' && row.level === 'own' && row.zone === 3
        await untilOn(node, isAdded)
        expect(await reply(node)).toBe('Fed.')
      }),
    )
  }, 60_000)

  it('is revoked on one node and ends on all: at once where nodes are there, on its return where one was away', async () => {
    const [a, b, c] = nodes as [LanNode, LanNode, LanNode]
    await c.end('SIGKILL')
    // Somebody changes its copy meanwhile: it must not run that, and takes the household's.
    const file = join(c.data, 'skills', 'pet.loqa')
    const genuine = readFileSync(file)
    writeFileSync(file, Buffer.from(genuine).fill(0x55, genuine.length >> 1))
    const began = Date.now()
    const spanOf = ({ at }: Line, since: number): number => at - since
    await a.json('skill', 'revoke', 'pet', '--why', 'it bites', '--yes')
    const given = await a.until(() => refusal(a, began), 10_000, 'that a ended it')
    const heard = await b.until(() => refusal(b, began), 10_000, 'that b ended it')
    expect(spanOf(heard, given.at)).toBeLessThan(WITHIN_MS)

    const back = Date.now()
    c.start()
    await c.ready()
    const late = await c.until(() => refusal(c, back), 20_000, 'that c ended it')
    const linked = Math.min(
      ...[a, b].map(
        (other) => c.lines.find(({ at, peer }) => at >= back && peer === other.id)?.at ?? late.at,
      ),
    )
    // Nodes meet before they carry anything out: it is back when it is ready as well.
    const ready = c.lines.find(({ at, message }) => at >= back && message === 'The node is ready')!.at
    expect(spanOf(late, Math.max(linked, ready))).toBeLessThan(WITHIN_MS)
    await Promise.all(
      nodes.map(async (node) => {
        expect(await reply(node)).not.toBe('Fed.')
        const problem = 'This package was revoked: it bites'
        expect(await rowOn(node)).toMatchObject({ state: 'unusable', problem })
      }),
    )
    // The copy it found changed was not what it ran: it took the one of the household, and that one was revoked.
    expect(readFileSync(file).equals(genuine)).toBe(true)
    const again = await a.loqa('skill', 'add', join(folder, 'pet'), '--unsigned', '--yes')
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('was revoked')])
  }, 90_000)
})
