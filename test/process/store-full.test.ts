import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { LoqaError } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { openStore } from '../../src/store/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'loqa-full-'))

/** A file system of 3 MiB; only root can have one. */
const mounted = (() => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
afterAll(() => {
  if (mounted) execFileSync('umount', ['-l', directory])
  rmSync(directory, { recursive: true, force: true })
})

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'worked',
    (thrown: unknown) => (thrown instanceof LoqaError ? thrown.code : String(thrown)),
  )

describe.skipIf(!mounted)('a file system that is full (needs root)', () => {
  it('refuses writes, keeps reading, loses nothing, and works again when there is space', async () => {
    const host = realHost()
    const store = await openStore({ host, directory })
    const put = (key: string, size: number) => [{ change: 'put', key, value: 'x'.repeat(size) }] as const
    await store.apply('a', put('before', 100))
    const others = join(directory, 'others.bin')
    for (let size = 1 << 20; size >= 512; size >>= 1) {
      // Whatever is left goes to somebody else.
      try {
        for (;;) writeFileSync(others, Buffer.alloc(size), { flag: 'a' })
      } catch {}
    }
    expect(await codeOf(store.apply('a', put('during', 100_000)))).toMatch(/^store-(full|io)$/)
    expect(store.health().state).toBe('read-only')
    expect(await store.get('a', 'before')).toMatchObject({ key: 'before' })
    expect(await store.get('a', 'during')).toBeNull()
    rmSync(others)
    expect(await codeOf(store.apply('a', put('after', 100_000)))).toBe('worked')
    expect(store.health().state).toBe('ok')
    await store.close()
    const again = await openStore({ host, directory })
    expect((await again.list('a')).map(({ key }) => key)).toEqual(['after', 'before'])
    await again.close()
  })
})
