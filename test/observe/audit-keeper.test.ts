import { beforeEach, describe, expect, it } from 'vitest'
import { newSelf, sign, verify } from '../../src/cluster/index.ts'
import { keyOf, wall } from '../../src/host/index.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { MAX_KEPT, readShelved, shelfKey, signCheckpoint } from '../../src/observe/audit-checkpoint.ts'
import { nextNight } from '../../src/observe/audit-watch.ts'
import { AuditKeeper, AuditWatch, openAudit, type Shelf } from '../../src/observe/index.ts'

const HOUR_MS = 3_600_000

/** What all nodes share, and everybody may write in. */
class CommonShelf implements Shelf {
  readonly entries = new Map<string, unknown>()
  puts = 0
  broken = false

  async list() {
    if (this.broken) throw new Error('no store')
    return [...this.entries].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1))
  }
  async put(key: string, value: unknown) {
    if (this.broken) throw new Error('no store')
    this.puts += 1
    this.entries.set(key, structuredClone(value))
  }
  /** Numbers of the records whose checkpoints `holder` has of `of`. */
  numbers(holder: string, of: string): number[] {
    return (readShelved(shelfKey(holder, of), this.entries.get(shelfKey(holder, of)))?.checkpoints ?? []).map(
      ({ seq }) => seq,
    )
  }
}

let shelf: CommonShelf
beforeEach(() => {
  shelf = new CommonShelf()
})

/** A node: a disk, a key, and a keeper that can be ended and started anew. */
async function house(seed: number) {
  const { disk, clock, random } = simulatedHost(seed)
  await disk.makeDirectory('/d')
  const failed: string[] = []
  let self = newSelf('node', random)
  const start = async () => {
    const node: string = self.card.node
    const secret = self.identity
    const audit = await openAudit(disk, clock, '/d/audit.log', node)
    const keeper = await AuditKeeper.open({
      ...{ audit, disk, clock, path: '/d/audit.checkpoint', node, shelf },
      sign: (bytes) => sign(secret, bytes),
      isSigned: (of, bytes, signature) => {
        const key = keyOf(of)
        return key !== undefined && verify(key, bytes, signature)
      },
      checked: () => undefined,
      failed: (what) => failed.push(what),
    })
    return { audit, keeper, node, secret, watch: new AuditWatch(keeper, audit, clock, (w) => failed.push(w)) }
  }
  const write = async (audit: Awaited<ReturnType<typeof openAudit>>, count: number) => {
    const entry = { actor: 'a', who: '-', what: 'skill.call', object: 'o', outcome: 'ok' }
    clock.advance(1)
    await Promise.all(Array.from({ length: count }, () => audit.append(entry)))
  }
  const lines = async () =>
    new TextDecoder()
      .decode(await disk.read('/d/audit.log'))
      .split('\n')
      .slice(0, -1)
  const setLines = (all: readonly string[]) =>
    disk.write('/d/audit.log', new TextEncoder().encode(all.map((line) => `${line}\n`).join('')))
  /** Lets whoever waits for others to go first go on, until `work` has ended. */
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let ended = false
    const end = () => {
      ended = true
    }
    work.then(end, end)
    while (!ended) {
      clock.advance(0)
      await new Promise((done) => setImmediate(done))
    }
    return work
  }
  /** Time passes, and what it brings about is done. */
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 60_000) {
      clock.advance(60_000)
      for (let turn = 0; turn < 4; turn += 1) await new Promise((done) => setImmediate(done))
    }
  }
  const rename = () => {
    self = newSelf('other', random)
    return self.card.node as string
  }
  return { disk, clock, failed, start, write, lines, setLines, during, pass, rename }
}

const faultsOf = async (keeper: AuditKeeper) => {
  const { verdict } = await keeper.verify()
  return verdict.ok ? [] : verdict.faults
}

describe('checkpoints', () => {
  it('are signed at the start, every thousand records, every hour with new ones, and at the end', async () => {
    const { start, write, pass, during } = await house(1)
    const first = await start()
    const signed = () => shelf.numbers(first.node, first.node)
    await write(first.audit, 3)
    await during(first.watch.begin())
    expect(signed()).toEqual([3])
    await write(first.audit, 999)
    await pass(60_000)
    expect(signed()).toEqual([3])
    await write(first.audit, 1)
    await pass(60_000)
    expect(signed()).toEqual([3, 1003])
    await pass(2 * HOUR_MS)
    expect(signed()).toEqual([3, 1003])
    await write(first.audit, 1)
    await pass(60_000)
    expect(signed()).toEqual([3, 1003, 1004])
    await write(first.audit, 1)
    await during(first.watch.stop())
    await during(first.watch.stop())
    expect(signed()).toEqual([3, 1003, 1004, 1005])
  }, 30_000)

  it('are bounded, and handed on later when the store was away', async () => {
    const { start, write, during, failed } = await house(1)
    const { audit, keeper, node } = await start()
    shelf.broken = true
    for (let count = 0; count < MAX_KEPT + 8; count += 1) {
      await write(audit, 1)
      await during(keeper.checkpoint())
    }
    expect(failed.length).toBeGreaterThan(MAX_KEPT)
    shelf.broken = false
    await during(keeper.look())
    expect(shelf.numbers(node, node)).toEqual(Array.from({ length: MAX_KEPT }, (_, i) => i + 9))
  })

  it('are held by three others, and written again only when there is something new', async () => {
    const nodes = await Promise.all([1, 2, 3, 4, 5, 6].map(house))
    const running = await Promise.all(nodes.map((one) => one.start()))
    for (const [index, one] of nodes.entries()) {
      await one.write(running[index]!.audit, 2)
      await one.during(running[index]!.keeper.checkpoint())
    }
    const lookAll = async () => {
      for (const [index, one] of nodes.entries()) await one.during(running[index]!.keeper.look())
    }
    await lookAll()
    for (const { node } of running) {
      const holders = [...shelf.entries.keys()].filter((key) => key.endsWith(`/${node}`))
      expect(holders).toHaveLength(4)
    }
    const before = shelf.puts
    await lookAll()
    expect(shelf.puts).toBe(before)
  })
})

/** Two nodes; `attic` wrote ten records and was signed twice, `cellar` holds what it was handed. */
async function pair() {
  const attic = await house(1)
  const cellar = await house(2)
  const first = await attic.start()
  const other = await cellar.start()
  await cellar.write(other.audit, 1)
  await cellar.during(other.keeper.checkpoint())
  await attic.write(first.audit, 6)
  await attic.during(first.keeper.checkpoint())
  await attic.write(first.audit, 4)
  await attic.during(first.keeper.checkpoint())
  await cellar.during(other.keeper.look())
  return { attic, cellar, other, node: first.node }
}

describe('a log that is held against its checkpoints', () => {
  it('with its tail cut is named by the file beside it, and by whoever holds them when all here is gone', async () => {
    const { attic, other, node } = await pair()
    const lines = await attic.lines()
    await attic.setLines(lines.slice(0, 8))
    let again = await attic.start()
    expect(await faultsOf(again.keeper)).toMatchObject([
      {
        kind: 'tail-missing',
        seq: 9,
        sure_until: 6,
        shown_by: { holders: ['audit.checkpoint', node, other.node] },
      },
    ])
    // With the file lost, what the store has is not written over.
    await attic.disk.remove('/d/audit.checkpoint')
    again = await attic.start()
    await attic.during(again.watch.begin())
    expect(shelf.numbers(node, node)).toEqual([6, 10, 8])
    // As if somebody had also put back an older copy of all else.
    await attic.disk.remove('/d/audit.checkpoint')
    shelf.entries.delete(shelfKey(node, node))
    again = await attic.start()
    expect(await faultsOf(again.keeper)).toMatchObject([
      { kind: 'tail-missing', seq: 9, shown_by: { holders: [other.node] } },
    ])
    // What the node signs from now on neither makes it good nor pushes out what shows it.
    await attic.during(again.watch.begin())
    await attic.during(again.watch.stop())
    expect(shelf.numbers(node, node)).toEqual([6, 10, 8])
    expect(await faultsOf((await attic.start()).keeper)).toMatchObject([{ kind: 'tail-missing', seq: 9 }])
    again = await attic.start()
    await attic.during(again.watch.begin())
    await attic.write(again.audit, 40)
    await attic.during(again.watch.stop())
    expect(await faultsOf((await attic.start()).keeper)).toMatchObject([{ kind: 'rewritten', seq: 10 }])
  })

  it('removed, replaced or written anew is found', async () => {
    const { attic, cellar, node } = await pair()
    await attic.disk.remove('/d/audit.log')
    expect(await faultsOf((await attic.start()).keeper)).toMatchObject([{ kind: 'tail-missing', seq: 1 }])
    await attic.setLines(await cellar.lines())
    expect((await faultsOf((await attic.start()).keeper)).map(({ kind }) => kind)).toEqual([
      'foreign',
      'tail-missing',
    ])
    // Of the right length, by the right node, whole in itself.
    await attic.disk.remove('/d/audit.log')
    await attic.disk.rename('/d/audit.checkpoint', '/d/kept')
    attic.clock.jumpWall(HOUR_MS)
    await attic.write((await attic.start()).audit, 10)
    await attic.disk.rename('/d/kept', '/d/audit.checkpoint')
    expect((await faultsOf((await attic.start()).keeper)).map(({ kind, seq }) => [kind, seq])).toEqual([
      ['rewritten', 6],
      ['rewritten', 10],
    ])
    expect(node).toMatch(/^12D3KooW/)
  })

  it('cut while the node runs is found without any checkpoint', async () => {
    const { start, write, lines, setLines } = await house(1)
    const { audit, keeper } = await start()
    await write(audit, 5)
    const all = await lines()
    await setLines(all.slice(0, 3))
    expect(await faultsOf(keeper)).toMatchObject([{ kind: 'tail-missing', seq: 4 }])
    await write(audit, 1)
    expect(await faultsOf(keeper)).toMatchObject([{ kind: 'out-of-order', line: 4, seq: 6 }])
  })

  it('is checked again when a checkpoint comes that was not known here', async () => {
    const { attic, other, node } = await pair()
    const entries = new Map(shelf.entries)
    shelf.entries.clear()
    await attic.disk.remove('/d/audit.checkpoint')
    await attic.setLines((await attic.lines()).slice(0, 8))
    const again = await attic.start()
    await attic.during(again.watch.begin())
    expect(again.keeper.report?.verdict.ok).toBe(true)
    // The household is back.
    shelf.entries.set(shelfKey(other.node, node), entries.get(shelfKey(other.node, node)))
    await attic.during(again.keeper.look())
    expect(again.keeper.report?.open).toMatchObject([{ kind: 'tail-missing', seq: 9 }])
  })

  it('is checked every night', async () => {
    const { start, write, lines, setLines, during, pass } = await house(1)
    const { audit, keeper, watch } = await start()
    await write(audit, 5)
    await during(watch.begin())
    const all = await lines()
    await setLines(all.with(1, all[1]!.replace('"ok"', '"denied"')))
    await pass(2 * HOUR_MS)
    const night = keeper.report?.checked_at
    await pass(24 * HOUR_MS)
    expect(keeper.report?.checked_at).not.toBe(night)
    expect(keeper.report?.open).toMatchObject([{ kind: 'changed', line: 2 }])
    await during(watch.stop())
  }, 30_000)

  it('goes on under another identity', async () => {
    const { attic, other } = await pair()
    const before = await attic.start()
    const next = attic.rename()
    const entry = { actor: 'household', who: '-', what: 'node.reset', object: before.node, outcome: next }
    await before.audit.append(entry)
    const after = await attic.start()
    expect(after.node).toBe(next)
    expect(await faultsOf(after.keeper)).toEqual([])
    await attic.write(after.audit, 3)
    await attic.during(after.keeper.checkpoint())
    expect(await faultsOf((await attic.start()).keeper)).toEqual([])
    await attic.setLines((await attic.lines()).slice(0, 9))
    expect((await faultsOf((await attic.start()).keeper)).length).toBeGreaterThan(0)
    expect(other.node).not.toBe(next)
  })
})

describe('the night', () => {
  it('is the next half past three, whatever the hour', () => {
    for (const hour of [0, 2, 3, 4, 12, 23]) {
      const now = wall(new Date(2026, 2, 28, hour, 30).getTime())
      const night = nextNight(now)
      expect(new Date(night).toTimeString()).toMatch(/^03:30:00/)
      expect(night).toBeGreaterThan(now)
      // A day in which clocks are changed has 25 hours at most.
      expect(night - now).toBeLessThanOrEqual(25 * HOUR_MS)
    }
  })
})

describe('a member that lies', () => {
  it('cannot make a sound log look broken, nor hide a broken one', async () => {
    const { attic, other, node } = await pair()
    const forged = (seq: number) => {
      const claim = { seq, hash: '2'.repeat(64) }
      // Signed, but not by the node it speaks of.
      return { ...signCheckpoint(node, claim, '2026-01-02T03:04:05.000Z', (b) => sign(other.secret, b)) }
    }
    const own = shelf.entries.get(shelfKey(node, node))
    await shelf.put(shelfKey(node, node), { checkpoints: [forged(5), forged(99)] })
    await shelf.put(shelfKey(other.node, node), { checkpoints: [forged(7)] })
    await shelf.put('not a key', { checkpoints: [forged(7)] })
    await shelf.put(shelfKey(node, 'x'), 'rubbish')
    for (let i = 0; i < 300; i += 1)
      await shelf.put(shelfKey(`liar-${i}`, node), { checkpoints: [forged(i + 1)] })
    const again = await attic.start()
    const { verdict, known } = await attic.during(again.keeper.verify())
    expect(verdict).toMatchObject({ ok: true, records: 10, sure_until: 10 })
    expect(known).toHaveLength(2)
    // Nor by saying again what was true once.
    await shelf.put(shelfKey(node, node), own)
    await attic.setLines((await attic.lines()).slice(0, 8))
    const cut = await attic.start()
    expect((await attic.during(cut.keeper.verify())).open).toMatchObject([{ kind: 'tail-missing', seq: 9 }])
  })

  it('is not helped to spread what it forged', async () => {
    const { cellar, other, node } = await pair()
    const forged = signCheckpoint(node, { seq: 99, hash: '2'.repeat(64) }, '2026-01-02T03:04:05.000Z', (b) =>
      sign(other.secret, b),
    )
    const own = shelf.entries.get(shelfKey(node, node)) as { checkpoints: unknown[] }
    await shelf.put(shelfKey(node, node), { checkpoints: [...own.checkpoints, forged] })
    await cellar.during(other.keeper.look())
    expect(shelf.numbers(other.node, node)).toEqual([6, 10])
  })
})

describe('a fault that a person acknowledged', () => {
  it('is a trouble no more, also after a restart; another one is', async () => {
    const { attic } = await pair()
    const lines = await attic.lines()
    await attic.setLines(lines.with(2, lines[2]!.replace('"ok"', '"denied"')))
    let again = await attic.start()
    expect((await again.keeper.verify()).open).toMatchObject([{ kind: 'changed', line: 3 }])
    const after = await attic.during(again.keeper.acknowledge())
    expect([after.verdict.ok, after.open]).toEqual([false, []])
    await expect(attic.during(again.keeper.acknowledge())).rejects.toMatchObject({ code: 'audit-unbroken' })
    again = await attic.start()
    expect((await again.keeper.verify()).open).toEqual([])
    const more = await attic.lines()
    expect(more.at(-1)).toContain('audit.acknowledged')
    await attic.setLines(more.with(4, more[4]!.replace('"ok"', '"denied"')))
    again = await attic.start()
    expect((await again.keeper.verify()).open).toMatchObject([{ kind: 'changed', line: 5 }])
    // Changed once more, it is not the one that was seen.
    await attic.setLines(more.with(2, more[2]!.replace('"denied"', '"ok "')))
    again = await attic.start()
    expect((await again.keeper.verify()).open).toMatchObject([{ kind: 'changed', line: 3 }])
  })

  it('is acknowledged by the node itself only', async () => {
    const { attic } = await pair()
    const lines = await attic.lines()
    await attic.setLines(lines.slice(0, 8))
    const again = await attic.start()
    const [fault] = (await again.keeper.verify()).open
    const vault = JSON.parse(new TextDecoder().decode(await attic.disk.read('/d/audit.checkpoint')))
    const statement = { node: again.node, time: '2026-01-02T03:04:05.000Z', marks: fault!.marks }
    vault.acknowledged = [{ ...statement, signature: '0'.repeat(128) }]
    await attic.disk.write('/d/audit.checkpoint', new TextEncoder().encode(JSON.stringify(vault)))
    expect((await (await attic.start()).keeper.verify()).open).toHaveLength(1)
  })

  it('stays in evidence however many checkpoints are signed after it', async () => {
    const { attic, node } = await pair()
    await attic.setLines((await attic.lines()).slice(0, 8))
    const { audit, keeper } = await attic.start()
    await attic.during(keeper.verify())
    for (let count = 0; count < MAX_KEPT + 4; count += 1) {
      await attic.write(audit, 1)
      await attic.during(keeper.checkpoint())
    }
    expect(shelf.numbers(node, node)).toContain(10)
    expect((await attic.during(keeper.verify())).open).toMatchObject([{ kind: 'rewritten', seq: 10 }])
  })
})

describe('the file of checkpoints', () => {
  it('damaged or missing costs what only it knew, nothing else', async () => {
    const { attic, node } = await pair()
    await attic.disk.write('/d/audit.checkpoint', new TextEncoder().encode('{"version":1'))
    const again = await attic.start()
    expect(attic.failed).toEqual(['read the checkpoints beside the log'])
    const { verdict } = await again.keeper.verify()
    expect(verdict).toMatchObject({ ok: true, sure_until: 10 })
    await attic.during(again.watch.begin())
    expect(shelf.numbers(node, node)).toContain(10)
  })
})
