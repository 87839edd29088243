import { describe, expect, it } from 'vitest'
import { SimulatedRandom, simulatedHost } from '../../src/host/simulated/index.ts'
import { decodeKeyFile, encodeKeyFile } from '../../src/store/key-file.ts'
import { openKeys, passphraseFrom } from '../../src/store/keys.ts'

const DATA = '/data'
const FILE = `${DATA}/store.key`

async function directory(seed: number) {
  const { disk, random } = simulatedHost(seed)
  await disk.makeDirectory(DATA)
  const open = (passphrase?: string) => openKeys({ disk, random, directory: DATA, passphrase })
  return { disk, random, open }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

describe('the key of what a node keeps', () => {
  it('is made once, for its owner alone, and gives the same key for a purpose ever after', async () => {
    const { disk, open } = await directory(1)
    const first = await open()
    expect((await disk.info(FILE))?.mode).toBe(0o600)
    const replica = first.for('replica')
    expect(replica).toHaveLength(32)
    disk.powerCut()
    const second = await open()
    expect(second.for('replica')).toEqual(replica)
    expect(second.for('timeline')).not.toEqual(replica)
    const other = await directory(2)
    expect((await other.open()).for('replica')).not.toEqual(replica)
  })

  it('hands out copies: who writes into one spoils nobody else’s', async () => {
    const { open } = await directory(3)
    const keys = await open()
    const before = hex(keys.for('replica'))
    keys.for('replica').fill(0)
    expect(hex(keys.for('replica'))).toBe(before)
  })

  it('is not replaced where files lie that it sealed', async () => {
    const { disk, open } = await directory(4)
    await open()
    await disk.remove(FILE)
    await disk.append(`${DATA}/timeline.db`, Buffer.from('x'))
    await expect(open()).rejects.toMatchObject({
      code: 'store-key-missing',
      message: expect.stringContaining('timeline.db'),
    })
    expect(await disk.info(FILE)).toBeUndefined()
  })

  it('is refused when others may read it', async () => {
    const { disk, open } = await directory(5)
    await open()
    await disk.write(FILE, await disk.read(FILE), { mode: 0o640 })
    await expect(open()).rejects.toMatchObject({ code: 'store-key-exposed' })
  })

  it('is refused when any bit of its file is another, or a part is missing', async () => {
    const { disk, open } = await directory(6)
    await open()
    const whole = await disk.read(FILE)
    const refused = async (bytes: Uint8Array): Promise<void> => {
      await disk.write(FILE, bytes, { mode: 0o600 })
      await expect(open()).rejects.toMatchObject({ code: expect.stringMatching(/^store-key-damaged$/) })
    }
    // The end of the line carries nothing.
    for (let at = 0; at < whole.length - 1; at += 1) {
      const bytes = whole.slice()
      bytes[at]! ^= 1 << (at % 8)
      await refused(bytes)
    }
    for (const length of [0, 1, whole.length >> 1, whole.length - 2]) await refused(whole.slice(0, length))
    await refused(Buffer.alloc(1_000_000, 0x7b))
  })

  it('of a newer version says so', async () => {
    const { createHash } = await import('node:crypto')
    const body = JSON.stringify({ version: 2, key: 'in another form' })
    const sum = createHash('sha256').update(body).digest('hex')
    expect(() => decodeKeyFile(FILE, Buffer.from(JSON.stringify({ sum, body })))).toThrow(/newer version/)
  })
})

describe('a passphrase', () => {
  it('seals the key: nothing of it is in the file, and only this passphrase opens it', async () => {
    const { disk, open } = await directory(10)
    const key = (await open('correct horse battery')).for('timeline')
    expect((await open('correct horse battery')).for('timeline')).toEqual(key)
    await expect(open('correct horse batterz')).rejects.toMatchObject({
      code: 'store-key-wrong',
      hint: expect.stringContaining('store.passphrase_file'),
    })
    await expect(open()).rejects.toMatchObject({ code: 'store-key-sealed' })
    const file = textOf(await disk.read(FILE))
    expect(file).not.toContain('"key')
  })

  it('given later seals the key that is there', async () => {
    const { disk, open } = await directory(11)
    const key = (await open()).for('timeline')
    expect((await open('correct horse battery')).for('timeline')).toEqual(key)
    expect(textOf(await disk.read(FILE))).toContain('sealed')
    await expect(open()).rejects.toMatchObject({ code: 'store-key-sealed' })
  })

  it('that does not open is told from a file that is damaged', async () => {
    const bytes = await encodeKeyFile(new Uint8Array(32), 'correct horse', new SimulatedRandom(1))
    bytes[bytes.length - 20]! ^= 1
    expect(() => decodeKeyFile(FILE, bytes)).toThrow(/damaged/)
  })

  it('is the first line of its file, and not a short one', () => {
    expect(passphraseFrom('correct horse \r\nsecond\n')).toBe('correct horse ')
    expect(() => passphraseFrom('short\n')).toThrow(/8 to 1024/)
    expect(() => passphraseFrom('')).toThrow(/8 to 1024/)
  })
})

describe('destroying the key', () => {
  it('writes over it before it goes, and leaves nothing to ask for', async () => {
    const { disk, open } = await directory(20)
    const keys = await open()
    const before = await disk.read(FILE)
    const seen: Uint8Array[] = []
    const overwrite = disk.overwrite.bind(disk)
    disk.overwrite = async (path, bytes) => {
      await overwrite(path, bytes)
      disk.powerCut()
      seen.push(await disk.read(path))
    }
    await keys.destroy()
    expect(seen).toHaveLength(1)
    expect(seen[0]).toHaveLength(before.length)
    expect(hex(seen[0]!)).not.toContain(hex(before.subarray(120, 128)))
    expect(await disk.info(FILE)).toBeUndefined()
    expect(() => keys.for('timeline')).toThrow(/destroyed/)
    await keys.destroy()
  })

  it('takes with it what a crash in the middle of writing left behind', async () => {
    const { disk, open } = await directory(21)
    const keys = await open()
    await disk.write(`${FILE}.17-1.tmp`, await disk.read(FILE))
    await keys.destroy()
    expect(await disk.list(DATA)).toEqual([])
    const other = (await open()).for('timeline')
    expect(other).toHaveLength(32)
  })

  it('that the disk refuses says so and leaves the key', async () => {
    const { disk, open } = await directory(22)
    const keys = await open()
    disk.overwrite = () => disk.read('/nowhere').then(() => undefined)
    await expect(keys.destroy()).rejects.toMatchObject({ code: 'disk-missing' })
    expect(keys.for('timeline')).toHaveLength(32)
  })
})
