import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Disk, DiskError } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'loqa-disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const asText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'worked',
    (error: unknown) => (error instanceof DiskError ? error.reason : String(error)),
  )

const doors: { name: string; disk: Disk; root: string }[] = [
  { name: 'real', disk: realHost().disk, root: folder },
  { name: 'simulated', disk: simulatedHost(1).disk, root: '/data' },
]

describe.each(doors)('the $name disk', ({ disk, root }) => {
  const at = (name: string): string => join(root, name)

  it('gives back what was written, whole and in part', async () => {
    await disk.makeDirectory(root)
    await disk.write(at('a'), text('hello'))
    expect(asText(await disk.read(at('a')))).toBe('hello')
    expect(asText(await disk.readAt(at('a'), 1, 3))).toBe('ell')
    expect(asText(await disk.readAt(at('a'), 3, 100))).toBe('lo')
  })

  it('replaces a file as a whole and leaves no temporary file behind', async () => {
    await disk.makeDirectory(at('whole'))
    await disk.write(at('whole/a'), text('a long first content'))
    await disk.write(at('whole/a'), text('second'))
    expect(asText(await disk.read(at('whole/a')))).toBe('second')
    expect(await disk.list(at('whole'))).toEqual(['a'])
  })

  it('appends, syncs, renames and removes', async () => {
    await disk.makeDirectory(at('log'))
    await disk.append(at('log/x'), text('one '))
    await disk.append(at('log/x'), text('two'))
    await disk.sync(at('log/x'))
    await disk.rename(at('log/x'), at('log/y'))
    expect(asText(await disk.read(at('log/y')))).toBe('one two')
    await disk.remove(at('log/y'))
    await disk.remove(at('log/y'))
    expect(await disk.list(at('log'))).toEqual([])
  })

  it('writes over what lies there, in place, and leaves the rest', async () => {
    await disk.makeDirectory(at('over'))
    await disk.write(at('over/x'), text('a secret, and more'))
    await disk.overwrite(at('over/x'), text('xxxxxxxx'))
    expect(asText(await disk.read(at('over/x')))).toBe('xxxxxxxx, and more')
    expect(await reasonOf(disk.overwrite(at('over/none'), text('x')))).toBe('missing')
    await disk.sync(at('over'))
  })

  it.skipIf(process.platform === 'win32')(
    'gives a file the permissions asked for, by default the owner alone',
    async () => {
      await disk.makeDirectory(at('modes'))
      await disk.write(at('modes/own'), text('x'))
      await disk.write(at('modes/shown'), text('x'), { mode: 0o644 })
      expect((await disk.info(at('modes/own')))?.mode).toBe(0o600)
      expect((await disk.info(at('modes/shown')))?.mode).toBe(0o644)
      await disk.write(at('modes/shown'), text('x'))
      expect((await disk.info(at('modes/shown')))?.mode).toBe(0o600)
    },
  )

  it('tells how much may still be written', async () => {
    await disk.makeDirectory(root)
    expect(await disk.free(root)).toBeGreaterThan(0)
    expect(await reasonOf(disk.free(at('nowhere')))).toBe('missing')
  })

  it('tells files from directories and absence', async () => {
    await disk.makeDirectory(at('deep/er'))
    await disk.write(at('deep/f'), text('12345'))
    expect(await disk.info(at('deep'))).toMatchObject({ kind: 'directory' })
    expect(await disk.info(at('deep/f'))).toMatchObject({ kind: 'file', size: 5 })
    expect(await disk.info(at('deep/none'))).toBeUndefined()
    expect(await disk.list(at('deep'))).toEqual(['er', 'f'])
  })

  it('names the reason of a failure', async () => {
    expect(await reasonOf(disk.read(at('absent')))).toBe('missing')
    expect(await reasonOf(disk.write(at('no/such/folder'), text('x')))).toBe('missing')
    expect(await reasonOf(disk.list(at('nowhere')))).toBe('missing')
  })
})

describe('the real disk', () => {
  it('makes a directory with its parents, again too, and gives up where none can be', async () => {
    const { disk } = realHost()
    await disk.makeDirectory(join(folder, 'made/b/c'))
    await disk.makeDirectory(join(folder, 'made/b/c'))
    expect(await disk.list(join(folder, 'made/b'))).toEqual(['c'])
    await disk.write(join(folder, 'made/file'), text('x'))
    expect(await reasonOf(disk.makeDirectory(join(folder, 'made/file')))).toBe('exists')
    expect(await reasonOf(disk.makeDirectory(join(folder, 'made/file/b')))).toBe('missing')
    // The kernel's own folder exists and takes nobody's children.
    if ((await disk.info('/proc/self')) !== undefined)
      expect(await reasonOf(disk.makeDirectory('/proc/nobody/here'))).toBe('missing')
  })
})

describe('the simulated disk', () => {
  it('loses what was not synced when the power is cut, and nothing else', async () => {
    const { disk } = simulatedHost(2)
    await disk.makeDirectory('/d')
    await disk.write('/d/kept', text('kept'))
    await disk.append('/d/log', text('synced'))
    await disk.sync('/d/log')
    await disk.append('/d/log', text(' lost'))
    await disk.append('/d/never', text('lost too'))
    disk.powerCut()
    expect(asText(await disk.read('/d/kept'))).toBe('kept')
    expect(asText(await disk.read('/d/log'))).toBe('synced')
    expect(await disk.info('/d/never')).toBeUndefined()
    expect(disk.counts.lost_bytes).toBe(13)
  })

  it('is full, fails and flips bits when told to', async () => {
    const { disk } = simulatedHost(3)
    await disk.makeDirectory('/d')
    disk.faults = { ...disk.faults, capacity: 10 }
    expect(await reasonOf(disk.write('/d/a', text('12345678901')))).toBe('full')
    disk.faults = { ...disk.faults, capacity: 100, corruption: 1 }
    await disk.write('/d/a', text('abc'))
    expect(asText(await disk.read('/d/a'))).not.toBe('abc')
    disk.faults = { ...disk.faults, corruption: 0, failure: 1 }
    expect(await reasonOf(disk.read('/d/a'))).toBe('io')
    expect(disk.counts).toMatchObject({ full: 1, flipped: 1, failed: 1 })
  })
})
