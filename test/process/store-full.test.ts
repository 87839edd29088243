import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import { openStore } from '../../src/store/index.ts'
import { writerOf } from '../store/writers.ts'
import { codeOf, fill, mountSmallDisk } from './small-disk.ts'

const { directory, mounted, unmount } = mountSmallDisk('loqa-full-', '3m')
afterAll(unmount)

describe.skipIf(!mounted)('a file system that is full (needs root)', () => {
  it('refuses writes, keeps reading, loses nothing, and works again when there is space', async () => {
    const host = realHost()
    const store = await openStore({ host, directory, key: new Uint8Array(32).fill(1), writer: writerOf(1) })
    const put = (key: string, size: number) => [{ change: 'put', key, value: 'x'.repeat(size) }] as const
    await store.apply('a', put('before', 100))
    const others = join(directory, 'others.bin')
    fill(others)
    expect(await codeOf(store.apply('a', put('during', 50_000)))).toMatch(/^store-(full|io)$/)
    expect(store.health().state).toBe('read-only')
    expect(await store.get('a', 'before')).toMatchObject({ key: 'before' })
    expect(await store.get('a', 'during')).toBeNull()
    rmSync(others)
    expect(await codeOf(store.apply('a', put('after', 50_000)))).toBe('worked')
    expect(store.health().state).toBe('ok')
    await store.close()
    const again = await openStore({ host, directory, key: new Uint8Array(32).fill(1), writer: writerOf(1) })
    expect((await again.list('a')).map(({ key }) => key)).toEqual(['after', 'before'])
    await again.close()
  })
})
