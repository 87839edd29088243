import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openReplica } from '../../src/store/crdt/index.ts'
import { writerOf } from '../store/writers.ts'
import { codeOf, fill, mountSmallDisk } from './small-disk.ts'

const { directory, mounted, unmount } = mountSmallDisk('loqa-replica-full-', '8m')
afterAll(unmount)

const put = (key: string, size: number) => [
  { sql: 'INSERT INTO entries VALUES (?, ?, ?)', parameters: ['c', key, 'x'.repeat(size)] },
]

describe.skipIf(!mounted)('a file system that is full (needs root)', () => {
  it('refuses writes whole, keeps reading, loses nothing, and works again when there is space', async () => {
    const path = join(directory, 'household')
    const key = new Uint8Array(32).fill(1)
    const replica = await openReplica({ path, key, writer: writerOf(1) })
    await replica.write(put('before', 100))
    const others = join(directory, 'others.bin')
    fill(others)
    const codes = await Promise.all([
      codeOf(replica.write(put('large', 100_000))),
      codeOf(replica.write(put('other', 100_000))),
    ])
    expect(codes).toEqual(['store-full', 'store-full'])
    const keys = async (from = replica) =>
      (await from.read({ sql: 'SELECT key FROM entries ORDER BY key' })).flat()
    expect(await keys()).toEqual(['before'])
    rmSync(others)
    expect(await codeOf(replica.write(put('after', 100_000)))).toBe('worked')
    expect(await keys()).toEqual(['after', 'before'])
    await replica.close()
    const again = await openReplica({ path, key, writer: writerOf(1) })
    expect(await keys(again)).toEqual(['after', 'before'])
    expect(await again.verify()).toEqual([])
    await again.close()
  })

  it('that fills up under a steady load ends in refusals, never in damage', async () => {
    const path = join(directory, 'filling')
    const key = new Uint8Array(32).fill(1)
    const replica = await openReplica({ path, key, writer: writerOf(1) })
    const kept: string[] = []
    for (let i = 0, refused = 0; refused < 20; i += 1) {
      const code = await codeOf(replica.write(put(`k${i}`, 20_000)))
      if (code === 'worked') kept.push(`k${i}`)
      else {
        expect(code).toBe('store-full')
        refused += 1
      }
    }
    expect(kept.length).toBeGreaterThan(20)
    await replica.close()
    const again = await openReplica({ path, key, writer: writerOf(1) })
    const found = (await again.read({ sql: 'SELECT key FROM entries' })).flat()
    expect(found.toSorted()).toEqual(kept.toSorted())
    expect(await again.verify()).toEqual([])
    await again.close()
  })
})
