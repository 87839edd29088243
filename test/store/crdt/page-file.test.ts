import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { PageFile } from '../../../src/store/crdt/page-file.ts'
import { PAGE_BYTES } from '../../../src/store/crdt/page-table.ts'
import { MortalDisk, PowerCut } from './mortal-disk.ts'
import { codeOf, openPages, pageOptions, scratch } from './opening.ts'

const PATH = '/data/household'

const pageOf = (value: number): Uint8Array => {
  const page = new Uint8Array(PAGE_BYTES).fill(value & 0xff)
  new DataView(page.buffer).setUint32(0, value)
  return page
}
const numberIn = (page: Uint8Array): number => {
  const value = new DataView(page.buffer, page.byteOffset).getUint32(0)
  expect(Buffer.compare(page, value === 0 ? new Uint8Array(PAGE_BYTES) : pageOf(value))).toBe(0)
  return value
}
const numbersIn = (pages: PageFile): number[] =>
  Array.from({ length: pages.count() }, (_, page) => numberIn(pages.read(page)!))

/** Mulberry32: the same run for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('a page file', () => {
  it('gives back what was flushed, also after it was opened anew', () => {
    const path = join(scratch(), 'db')
    const first = openPages(path)
    first.write(0, pageOf(1))
    first.write(2, pageOf(3))
    first.flush()
    first.write(1, pageOf(2))
    first.flush()
    expect(numbersIn(first)).toEqual([1, 2, 3])
    first.close()
    const second = openPages(path)
    expect(numbersIn(second)).toEqual([1, 2, 3])
    expect(second.endedUnclean).toBe(false)
    second.truncate(1)
    second.flush()
    second.close()
    const third = openPages(path)
    expect(numbersIn(third)).toEqual([1])
    expect(statSync(path).size).toBe(PAGE_BYTES)
    third.close()
  })

  it('keeps its files from other users, and leaves none behind that it does not need', () => {
    const directory = scratch()
    const pages = openPages(join(directory, 'db'))
    for (let round = 1; round < 4; round += 1) {
      pages.write(0, pageOf(round))
      pages.flush()
      pages.checkpoint()
    }
    expect(readdirSync(directory)).toEqual(['db', 'db-log-3', 'db-table'])
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
    pages.close()
  })

  it('takes one sync a commit', () => {
    const disk = new MortalDisk()
    const pages = openPages(PATH, disk)
    const before = disk.syncs
    for (let round = 1; round <= 10; round += 1) {
      for (let page = 0; page < 5; page += 1) pages.write(page, pageOf(round))
      pages.flush()
    }
    expect(disk.syncs - before).toBe(10)
  })

  it('holds nothing readable', () => {
    const disk = new MortalDisk()
    const pages = openPages(PATH, disk)
    const secret = Buffer.from('the canary sings at midnight')
    const page = pageOf(1)
    page.set(secret, 100)
    pages.write(0, page)
    pages.flush()
    const held = (): boolean =>
      [...disk.contents.values()].some(({ now }) => Buffer.from(now).includes(secret))
    expect(held()).toBe(false)
    pages.checkpoint()
    expect(held()).toBe(false)
  })
})

describe('F1: a commit is there after a power cut, or was not acknowledged', () => {
  const RUNS = Number(process.env.LOQA_SEEDS ?? 500)

  /** Commits, checkpoints and reopens at random until the power is cut; returns what was acknowledged and what came next. */
  function run(
    disk: MortalDisk,
    chance: () => number,
    known: number[],
  ): { acknowledged: number[]; asked: number[] } {
    let acknowledged = known
    let asked = known
    let value = 0
    try {
      let pages = openPages(PATH, disk)
      expect(numbersIn(pages)).toEqual(known)
      for (;;) {
        const what = chance()
        if (what < 0.15) pages.checkpoint()
        else if (what < 0.2) {
          pages.close()
          pages = openPages(PATH, disk)
        } else {
          asked = [...acknowledged]
          if (what < 0.3) {
            asked.length = Math.floor(chance() * (asked.length + 1))
            pages.truncate(asked.length)
          }
          for (let writes = Math.floor(chance() * 6); writes >= 0; writes -= 1) {
            const page = Math.floor(chance() * 12)
            value += 1
            // What lies between the end and a page behind it is zeros.
            while (asked.length < page) asked.push(0)
            asked[page] = value
            pages.write(page, pageOf(value))
          }
          pages.flush()
          acknowledged = asked
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof PowerCut)) throw thrown
      return { acknowledged, asked }
    }
  }

  it(`in ${RUNS} cuts at any operation, one after another on the same disk`, () => {
    let cuts = 0
    let torn = 0
    for (let seed = 1; cuts < RUNS; seed += 1) {
      const chance = chanceOf(seed)
      let disk = new MortalDisk()
      let values: number[] = []
      for (let life = 0; life < 5; life += 1, cuts += 1) {
        disk.left = Math.floor(chance() * 60)
        const { acknowledged, asked } = run(disk, chance, values)
        disk = disk.afterCut(chance)
        const found = openPages(PATH, disk)
        expect(found.verify(), `seed ${seed}`).toEqual([])
        values = numbersIn(found)
        const isOld = JSON.stringify(values) === JSON.stringify(acknowledged)
        if (!isOld) expect(values, `seed ${seed}`).toEqual(asked)
        else if (JSON.stringify(acknowledged) !== JSON.stringify(asked)) torn += 1
        // Closing makes a checkpoint: the next life then finds a log without the scars of this one.
        if (chance() < 0.5) found.close()
      }
    }
    // The cuts did bite: writes that were under way were lost.
    expect(torn).toBeGreaterThan(RUNS / 50)
  })
})

/** Two pages as of a checkpoint; the second again, and a third, in the log. */
function sample(): MortalDisk {
  const disk = new MortalDisk()
  const pages = openPages(PATH, disk)
  pages.write(0, pageOf(1))
  pages.write(1, pageOf(2))
  pages.flush()
  pages.checkpoint()
  pages.write(1, pageOf(22))
  pages.flush()
  pages.write(2, pageOf(33))
  pages.flush()
  return disk
}
const SAMPLE = [1, 22, 33]

/** Code of the damage that opening or checking reports, or `whole`. What is handed out is right in any case. */
function reported(disk: MortalDisk): string {
  try {
    const pages = openPages(PATH, disk)
    const damaged = pages.verify()
    if (damaged.length > 0) {
      for (const page of damaged) expect(codeOf(() => pages.read(page))).toBe('store-damaged')
      return 'store-damaged'
    }
    expect(numbersIn(pages)).toEqual(SAMPLE)
    return 'whole'
  } catch (thrown) {
    const { code } = thrown as { code?: string }
    if (code === undefined) throw thrown
    return code
  }
}

describe('F2: bytes that are not what was written', () => {
  it('are reported when the file is opened, whichever byte of the table or the log was changed', () => {
    const whole = sample()
    for (const path of [`${PATH}-table`, `${PATH}-log-1`]) {
      for (let at = 0; at < whole.contents.get(path)!.now.length; at += 1) {
        const disk = whole.copy()
        disk.contents.get(path)!.now[at]! ^= 1 << (at % 8)
        const found = reported(disk)
        if (found !== 'store-damaged') expect([path, at, found]).toEqual([path, at, 'store-damaged'])
      }
    }
  })

  it('are reported when they are read, whichever byte of a page was changed', () => {
    const disk = sample()
    const pages = openPages(PATH, disk)
    const bytes = disk.contents.get(PATH)!.now
    // Page 1 is superseded by the log: there it makes no difference.
    for (let at = 0; at < bytes.length; at += at < PAGE_BYTES ? 1 : 127) {
      bytes[at]! ^= 1 << (at % 8)
      const damaged = at < PAGE_BYTES ? [0] : []
      if (pages.verify().length !== damaged.length) expect([at, pages.verify()]).toEqual([at, damaged])
      if (at < PAGE_BYTES && at % 64 === 0) expect(codeOf(() => pages.read(0))).toBe('store-damaged')
      bytes[at]! ^= 1 << (at % 8)
    }
    expect(bytes.length).toBe(2 * PAGE_BYTES)
    expect(numbersIn(pages)).toEqual(SAMPLE)
  })

  it('are reported when a page stands in the place of another', () => {
    const disk = sample()
    const pages = openPages(PATH, disk)
    pages.close()
    const bytes = disk.contents.get(PATH)!.now
    bytes.copyWithin(PAGE_BYTES, 0, PAGE_BYTES)
    const again = openPages(PATH, disk)
    expect(again.verify()).toEqual([1])
    expect(codeOf(() => again.read(1))).toBe('store-damaged')
    expect(numberIn(again.read(0)!)).toBe(1)
  })

  it('are reported when a page is put back from an older state', () => {
    const disk = sample()
    const older = disk.contents.get(PATH)!.now.slice(PAGE_BYTES, 2 * PAGE_BYTES)
    const pages = openPages(PATH, disk)
    expect(numberIn(pages.read(1)!)).toBe(22)
    pages.close()
    disk.contents.get(PATH)!.now.set(older, PAGE_BYTES)
    expect(openPages(PATH, disk).verify()).toEqual([1])
  })

  it.each(['-table', '-log-1', ''])(
    'are reported when the file "household%s" is put back from an older state',
    (which) => {
      const disk = sample()
      const older = disk.copy()
      const pages = openPages(PATH, disk)
      pages.close()
      disk.contents.set(PATH + which, older.contents.get(PATH + which)!)
      expect(reported(disk)).toBe(which === '-log-1' ? 'whole' : 'store-damaged')
    },
  )

  it.each(['-table', '-log-1', ''])('are reported when the file "household%s" is gone', (which) => {
    const disk = sample()
    disk.contents.delete(PATH + which)
    expect(reported(disk)).toBe('store-damaged')
  })

  it('are reported when records of the log change places or one is repeated', () => {
    const whole = sample()
    const log = whole.contents.get(`${PATH}-log-1`)!.now
    const [header, first, second] = [
      log.subarray(0, 64),
      log.subarray(64, 64 + 4224),
      log.subarray(64 + 4224),
    ]
    for (const records of [
      [second, first],
      [first, first, second],
      [first, second, second],
      [second],
      [first, second, first],
    ]) {
      const disk = whole.copy()
      disk.contents.get(`${PATH}-log-1`)!.now = Buffer.concat([header, ...records])
      expect(codeOf(() => openPages(PATH, disk))).toBe('store-damaged')
    }
  })
})

describe('a wrong key', () => {
  it('is told from damage, and changes nothing', () => {
    const disk = sample()
    const before = disk.copy()
    const other = new Uint8Array(32).fill(2)
    expect(codeOf(() => openPages(PATH, disk, other))).toBe('store-key-wrong')
    expect([...disk.contents].map(([path, { now }]) => [path, now])).toEqual(
      [...before.contents].map(([path, { now }]) => [path, now]),
    )
    expect(reported(disk)).toBe('whole')
  })
})

describe('F3: a checkpoint', () => {
  it('that is interrupted at any of its operations loses nothing', () => {
    const chance = chanceOf(7)
    for (let operations = 0; ; operations += 1) {
      const disk = sample()
      const pages = openPages(PATH, disk)
      disk.left = operations
      let isDone = false
      try {
        pages.checkpoint()
        isDone = true
      } catch (thrown) {
        if (!(thrown instanceof PowerCut)) throw thrown
      }
      expect(reported(disk.afterCut(chance)), `after ${operations} operations`).toBe('whole')
      if (isDone) break
      expect(operations).toBeLessThan(50)
    }
  })

  it('that finds the disk full leaves everything as it is, and succeeds when there is space', () => {
    const disk = sample()
    const pages = openPages(PATH, disk)
    disk.capacity = [...disk.contents.values()].reduce((sum, { now }) => sum + now.length, 0) + 1_000
    expect(codeOf(() => pages.checkpoint())).toBe('store-full')
    expect(numbersIn(pages)).toEqual(SAMPLE)
    expect(reported(disk.copy())).toBe('whole')
    disk.capacity = Number.POSITIVE_INFINITY
    pages.checkpoint()
    expect(numbersIn(pages)).toEqual(SAMPLE)
    expect(reported(disk.copy())).toBe('whole')
  })
})

describe('F4: a flush that fails', () => {
  it('for lack of space changes nothing; smaller ones and later ones work', () => {
    const disk = sample()
    const pages = openPages(PATH, disk)
    disk.capacity = [...disk.contents.values()].reduce((sum, { now }) => sum + now.length, 0) + 10_000
    for (let page = 0; page < 3; page += 1) pages.write(page, pageOf(1_000 + page))
    expect(codeOf(() => pages.flush())).toBe('store-full')
    pages.discard()
    expect(numbersIn(pages)).toEqual(SAMPLE)
    expect(reported(disk.copy())).toBe('whole')
    pages.write(0, pageOf(1))
    pages.flush()
    disk.capacity = Number.POSITIVE_INFINITY
    pages.write(0, pageOf(1))
    pages.flush()
    expect(reported(disk.copy())).toBe('whole')
  })

  it('because the disk refuses to sync closes the file for writing: what is durable only opening anew can tell', () => {
    const disk = sample()
    const pages = openPages(PATH, disk)
    disk.refusesToSync = true
    pages.write(0, pageOf(9))
    expect(codeOf(() => pages.flush())).toBe('store-io')
    pages.discard()
    disk.refusesToSync = false
    pages.write(0, pageOf(9))
    expect(codeOf(() => pages.flush())).toBe('store-io')
    expect(pages.isBroken()).toBe(true)
  })
})

describe('a copy', () => {
  it('holds what was committed, sealed anew', () => {
    const directory = scratch()
    const pages = openPages(join(directory, 'db'))
    for (let page = 0; page < 50; page += 1) pages.write(page, pageOf(page + 1))
    pages.flush()
    pages.checkpoint()
    pages.write(7, pageOf(777))
    pages.flush()
    pages.write(8, pageOf(888))
    pages.copyTo(pageOptions(join(directory, 'copy')))
    const copy = openPages(join(directory, 'copy'))
    const expected = Array.from({ length: 50 }, (_, page) => (page === 7 ? 777 : page + 1))
    expect(numbersIn(copy)).toEqual(expected)
    copy.close()
    pages.close()
  })

  it('is there whole or not at all', () => {
    const from = openPages(PATH, sample())
    const space = 2 * PAGE_BYTES + 500
    for (let capacity = 0; ; capacity += 500) {
      const disk = new MortalDisk()
      disk.capacity = capacity
      const code = codeOf(() => from.copyTo(pageOptions(PATH, disk)))
      disk.capacity = Number.POSITIVE_INFINITY
      if (code === 'worked') {
        expect(capacity).toBeGreaterThan(space)
        expect(numbersIn(openPages(PATH, disk))).toEqual(SAMPLE)
        expect(codeOf(() => from.copyTo(pageOptions(PATH, disk)))).toBe('invalid-input')
        return
      }
      expect(code).toBe('store-full')
      // Whatever the attempt left is no hindrance.
      disk.open(PATH).write(0, pageOf(99))
      from.copyTo(pageOptions(PATH, disk))
      expect(numbersIn(openPages(PATH, disk))).toEqual(SAMPLE)
    }
  })
})
