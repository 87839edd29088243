import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { openAudit, verifyAudit } from '../../src/observe/index.ts'

const PATH = '/data/audit.jsonl'
const entry = (object: string) => ({
  actor: 'session/1',
  who: '-',
  what: 'skill.call',
  object,
  outcome: 'ok',
})

async function world() {
  const host = simulatedHost(1)
  await host.disk.makeDirectory('/data')
  const open = () => openAudit(host.disk, host.clock, PATH, 'attic')
  const text = async () => new TextDecoder().decode(await host.disk.read(PATH))
  return { ...host, open, text }
}

describe('the audit log', () => {
  it('is whole after appends, also from many at once, and goes on after a restart', async () => {
    const { open } = await world()
    const audit = await open()
    await Promise.all(['a', 'b', 'c'].map((name) => audit.append(entry(name))))
    const again = await open()
    expect((await again.append(entry('d'))).seq).toBe(4)
    expect(await again.verify()).toMatchObject({ ok: true, records: 4 })
  })

  it('keeps every acknowledged record through a power cut', async () => {
    const { open, disk } = await world()
    const audit = await open()
    await audit.append(entry('a'))
    await disk.append(PATH, new TextEncoder().encode('{"seq":2,"ti'))
    disk.powerCut()
    const again = await open()
    await again.append(entry('b'))
    expect(await again.verify()).toMatchObject({ ok: true, records: 2 })
  })

  it('takes away a torn last line, which nobody was told of', async () => {
    const { open, disk } = await world()
    await (await open()).append(entry('a'))
    await disk.append(PATH, new TextEncoder().encode('{"seq":2,"ti'))
    await disk.sync(PATH)
    const again = await open()
    await again.append(entry('b'))
    expect(await again.verify()).toMatchObject({ ok: true, records: 2 })
  })

  it('goes on when a full disk has room again', async () => {
    const { open, disk } = await world()
    const audit = await open()
    await audit.append(entry('a'))
    disk.faults = { ...disk.faults, capacity: 0 }
    await expect(audit.append(entry('lost'))).rejects.toMatchObject({ code: 'disk-full' })
    disk.faults = { ...disk.faults, capacity: Number.POSITIVE_INFINITY }
    await audit.append(entry('b'))
    expect(await audit.verify()).toMatchObject({ ok: true, records: 2 })
  })

  it('names the line after a record that was rewritten, its own hash too', async () => {
    const forged = async (changed: number): Promise<string[]> => {
      const { open, text } = await world()
      const audit = await open()
      for (let index = 0; index < 5; index++)
        await audit.append(entry(index === changed ? 'forged' : `o${index}`))
      return (await text()).split('\n').slice(0, -1)
    }
    const lines = await forged(-1)
    for (let at = 0; at < 4; at++) {
      const rewritten = lines.with(at, (await forged(at))[at]!)
      expect(verifyAudit(`${rewritten.slice(0, at + 1).join('\n')}\n`).ok).toBe(true)
      expect(verifyAudit(`${rewritten.join('\n')}\n`)).toMatchObject({ ok: false, line: at + 2 })
    }
  })

  it('names the first bad line of any change', async () => {
    const { open, text } = await world()
    const audit = await open()
    for (let index = 0; index < 12; index++) await audit.append(entry(`o${index}`))
    const good = await text()
    const lines = good.split('\n').slice(0, -1)
    fc.assert(
      fc.property(
        fc.nat(11),
        fc.constantFrom('edit', 'remove', 'swap', 'repeat'),
        fc.nat(1_000),
        (at, how, offset) => {
          const changed = [...lines]
          const line = changed[at]!
          let first = at + 1
          if (how === 'edit') {
            const place = offset % line.length
            const letter = line[place] === 'x' ? 'y' : 'x'
            changed[at] = `${line.slice(0, place)}${letter}${line.slice(place + 1)}`
          } else if (how === 'remove') {
            // A missing tail cannot be seen in the file itself.
            if (at === 11) return
            changed.splice(at, 1)
          } else if (how === 'repeat') {
            changed.splice(at, 0, line)
            first = at + 2
          } else {
            if (at === 11) return
            ;[changed[at], changed[at + 1]] = [changed[at + 1]!, line]
          }
          const verdict = verifyAudit(`${changed.join('\n')}\n`)
          expect(verdict).toMatchObject({ ok: false, line: first })
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
