/** What every mesh promises, whatever it runs on: `mesh.test.ts` holds the one in memory and the one over libp2p to it. */
import { afterEach, describe, expect, it } from 'vitest'
import type { Secret } from '../../../src/cluster/household/secret.ts'
import { FULL_BYTES, MAX_FRAME } from '../../../src/cluster/transport/bounds.ts'
import type { Link, Mesh, Place, StreamClass } from '../../../src/cluster/transport/mesh.ts'
import { STREAM_CLASSES } from '../../../src/cluster/transport/mesh.ts'
import type { NodeId } from '../../../src/host/index.ts'
import { identities, idOf, KEY, OTHER_KEY } from './identities.ts'

export interface Setting {
  readonly name: string
  /** A mesh that listens on loopback. */
  open(identity: Secret, keys: readonly Secret[]): Promise<Mesh>
}

export const localPlace = (mesh: Mesh): Place => ({ host: '127.0.0.1', port: mesh.places[0]!.port })

export interface Pair {
  readonly near: Link
  readonly far: Link
}

export async function linked(a: Mesh, b: Mesh, expected?: NodeId): Promise<Pair> {
  const accepted = Promise.withResolvers<Link>()
  b.onLink(accepted.resolve)
  const near = await a.dial(localPlace(b), expected)
  return { near, far: await accepted.promise }
}

/** Frames of a link as they come, and a promise of the moment when so many came. */
export function collect(link: Link): {
  frames: { streamClass: StreamClass; frame: Uint8Array }[]
  until: (count: number) => Promise<void>
} {
  const frames: { streamClass: StreamClass; frame: Uint8Array }[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  link.onFrame((streamClass, frame) => {
    frames.push({ streamClass, frame })
    waiting = waiting.filter(({ count, resolve }) => {
      if (frames.length < count) return true
      resolve()
      return false
    })
  })
  return {
    frames,
    until: (count) =>
      frames.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ count, resolve: () => resolve() })),
  }
}

export const closed = (link: Link): Promise<string> => new Promise((resolve) => link.onClose(resolve))

const numbered = (length: number, number: number): Uint8Array => {
  const frame = new Uint8Array(length)
  new DataView(frame.buffer).setUint32(0, number)
  return frame
}
const numberOf = (frame: Uint8Array): number => new DataView(frame.buffer, frame.byteOffset).getUint32(0)

export function meshContract(setting: Setting): void {
  describe(`a mesh ${setting.name}`, () => {
    let meshes: Mesh[] = []
    const open = async (index: number, keys: readonly Secret[] = [KEY]): Promise<Mesh> => {
      const mesh = await setting.open(identities[index]!, keys)
      meshes.push(mesh)
      return mesh
    }
    const pair = async (): Promise<Pair> => linked(await open(0), await open(1))
    afterEach(async () => {
      await Promise.all(meshes.map((mesh) => mesh.close()))
      meshes = []
    })

    it('tells each side who the other is, and who dialled', async () => {
      const { near, far } = await pair()
      expect(near.peer).toBe(idOf(identities[1]!))
      expect(far.peer).toBe(idOf(identities[0]!))
      expect([near.dialled, far.dialled]).toEqual([true, false])
      expect(far.place.host).toBe('127.0.0.1')
    })

    it('carries frames of every class both ways, whole and in order, also empty ones and the longest', async () => {
      const { near, far } = await pair()
      const heard = [collect(near), collect(far)] as const
      const lengths = [0, 1, 4, 65_503, 65_504, 200_000, 3]
      for (const streamClass of STREAM_CLASSES) {
        const sizes = streamClass === 'bulk' ? [...lengths, MAX_FRAME.bulk] : [...lengths, 5]
        for (const [i, size] of sizes.entries()) {
          for (const link of [near, far])
            expect(link.send(streamClass, new Uint8Array(size).fill(i))).toBe(true)
        }
      }
      await Promise.all(heard.map(({ until }) => until(3 * 8)))
      for (const { frames } of heard) {
        for (const streamClass of STREAM_CLASSES) {
          const own = frames.filter((each) => each.streamClass === streamClass).map(({ frame }) => frame)
          expect(own.map(({ length }) => length)).toEqual([
            ...lengths,
            streamClass === 'bulk' ? MAX_FRAME.bulk : 5,
          ])
          for (const [i, frame] of own.entries()) expect(frame.every((byte) => byte === i)).toBe(true)
        }
      }
    })

    it('keeps frames that come before anybody listens', async () => {
      const { near, far } = await pair()
      for (let i = 0; i < 100; i += 1) near.send('data', numbered(50, i))
      await new Promise((resolve) => setImmediate(resolve))
      const heard = collect(far)
      await heard.until(100)
      expect(heard.frames.map(({ frame }) => numberOf(frame))).toEqual([...Array(100).keys()])
    })

    it.each(STREAM_CLASSES)(
      'refuses %s at the bound while nobody reads, and says when to go on',
      async (streamClass) => {
        const { near, far } = await pair()
        let sent = 0
        const fill = (): void => {
          while (near.send(streamClass, numbered(20_000, sent))) sent += 1
        }
        // What the network holds comes on top: full is when nothing more was taken for many turns of the loop.
        for (let quiet = 0; quiet < 500; quiet += 1) {
          const before = sent
          fill()
          if (sent !== before) quiet = 0
          expect(near.waiting(streamClass)).toBeLessThanOrEqual(FULL_BYTES[streamClass] + 2 ** 17)
          await new Promise((resolve) => setImmediate(resolve))
        }
        expect(sent * 20_000).toBeLessThan(FULL_BYTES[streamClass] + 8 * 2 ** 20)
        // Another class goes on meanwhile.
        const drained = Promise.withResolvers<StreamClass>()
        near.onDrain(drained.resolve)
        const heard = collect(far)
        expect(await drained.promise).toBe(streamClass)
        fill()
        await heard.until(sent)
        expect(heard.frames.map(({ frame }) => numberOf(frame))).toEqual([...Array(sent).keys()])
      },
    )

    it('sends what is waiting before it closes, and tells both sides once', async () => {
      const { near, far } = await pair()
      const heard = collect(far)
      const ends = [closed(near), closed(far)]
      for (let i = 0; i < 30; i += 1) near.send('bulk', numbered(100_000, i))
      near.send('control', numbered(10, 7))
      near.close()
      expect(near.send('control', new Uint8Array(1))).toBe(false)
      expect(await Promise.all(ends)).toEqual(['closed', 'the other side closed'])
      expect(heard.frames.length).toBe(31)
      expect(await closed(near)).toBe('closed')
    })

    it('tells the other side of an abort at once', async () => {
      const { near, far } = await pair()
      const ends = [closed(near), closed(far)]
      near.abort('enough')
      expect((await Promise.all(ends))[0]).toBe('enough')
    })

    it('refuses whoever holds another household key, and opens no link there', async () => {
      const [a, b] = [await open(0), await open(1, [OTHER_KEY])]
      const links: Link[] = []
      b.onLink((link) => links.push(link))
      await expect(a.dial(localPlace(b), undefined)).rejects.toMatchObject({
        code: 'wrong-key',
        retryable: false,
      })
      const none = await open(2, [])
      await expect(none.dial(localPlace(a), undefined)).rejects.toMatchObject({ code: 'wrong-key' })
      expect(links).toEqual([])
    })

    it('refuses another node than the one expected', async () => {
      const [a, b] = [await open(0), await open(1)]
      b.onLink(() => {})
      await expect(a.dial(localPlace(b), idOf(identities[2]!))).rejects.toMatchObject({ code: 'wrong-peer' })
      await expect(a.dial(localPlace(a), undefined)).rejects.toMatchObject({ code: 'wrong-peer' })
      await expect(linked(a, b, idOf(identities[1]!))).resolves.toBeDefined()
    })

    it('says that nobody is there', async () => {
      const [a, b] = [await open(0), await open(1)]
      const place = localPlace(b)
      await b.close()
      await expect(a.dial(place, undefined)).rejects.toMatchObject({ code: 'unreachable', retryable: true })
    })

    it('lets two nodes dial each other at once', async () => {
      const [a, b] = [await open(0), await open(1)]
      const accepted: Link[] = []
      a.onLink((link) => accepted.push(link))
      b.onLink((link) => accepted.push(link))
      const dialled = await Promise.all([a.dial(localPlace(b), undefined), b.dial(localPlace(a), undefined)])
      for (const link of dialled) {
        const other = accepted.find(({ peer }) => peer !== link.peer)!
        const heard = collect(other)
        link.send('control', numbered(8, 5))
        await heard.until(1)
      }
      expect(dialled.map(({ peer }) => peer)).toEqual([idOf(identities[1]!), idOf(identities[0]!)])
    })

    it('makes a link of each dial, also of dials to one place at the same time', async () => {
      const [a, b] = [await open(0), await open(1)]
      b.onLink(() => {})
      const dialled = await Promise.all([a.dial(localPlace(b), undefined), a.dial(localPlace(b), undefined)])
      expect(dialled[0]).not.toBe(dialled[1])
      dialled[0]!.abort('one of two')
      expect(dialled[1]!.send('control', new Uint8Array(1))).toBe(true)
    })

    it('changes keys with an overlap: old and new open links, what is open stays, then the old one opens none', async () => {
      const [a, b] = [await open(0), await open(1)]
      const { near, far } = await linked(a, b)
      await b.rekey([OTHER_KEY, KEY])
      await expect(linked(a, b)).resolves.toBeDefined()
      await a.rekey([OTHER_KEY, KEY])
      await b.rekey([OTHER_KEY])
      await expect(linked(a, b)).resolves.toBeDefined()
      await expect(linked(b, a)).resolves.toBeDefined()
      await a.rekey([KEY])
      await expect(a.dial(localPlace(b), undefined)).rejects.toMatchObject({ code: 'wrong-key' })
      const heard = collect(far)
      near.send('control', numbered(4, 9))
      await heard.until(1)
    })

    it('closes: links end on both sides and nobody can dial it', async () => {
      const [a, b] = [await open(0), await open(1)]
      const { near, far } = await linked(a, b)
      const ends = [closed(near), closed(far)]
      await b.close()
      await Promise.all(ends)
      await expect(a.dial(localPlace(b), undefined)).rejects.toMatchObject({ code: 'unreachable' })
      await expect(b.dial(localPlace(a), undefined)).rejects.toMatchObject({ code: 'unreachable' })
    })
  })
}
