/** The hands of a download, in a simulated disk and time: silence ends a connection, an interruption keeps what came, bytes land in order. */
import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { type SimulatedHost, simulatedHost } from '../../../src/host/simulated/index.ts'
import type { DownloadEvent } from '../../../src/inference/catalogue/course.ts'
import { type Connection, fetchFile, SourceError, STALL_MS } from '../../../src/inference/catalogue/fetch.ts'
import type { Wanted } from '../../../src/inference/catalogue/wanted.ts'

const CONTENT = Buffer.concat([Buffer.from('lmgg'), Buffer.alloc(5_000, 7)])
const WANTED: Wanted = {
  ...{ name: 'm (m.bin)', format: 'ggml', bytes: CONTENT.length },
  sha256: createHash('sha256').update(CONTENT).digest('hex'),
  sources: ['https://silent/m.bin', 'https://good/m.bin'],
}

let host: SimulatedHost
let events: DownloadEvent[]
let opened: string[]
beforeEach(async () => {
  host = simulatedHost(1)
  events = []
  opened = []
  await host.disk.makeDirectory('/models')
})

/** Sends `parts` of 1,000 bytes, then ends, or is silent for ever. */
function connection(from: number, parts: number, silent: boolean): Connection {
  let at = from
  let left = parts
  return {
    answer:
      from === 0
        ? { status: 200, length: CONTENT.length }
        : { status: 206, range: { from, total: CONTENT.length } },
    async read() {
      if (left === 0 && silent) return new Promise(() => undefined)
      left -= 1
      const part = CONTENT.subarray(at, at + 1_000)
      at += part.length
      return part.length === 0 ? undefined : part
    },
    close() {},
  }
}

const open = async (url: string, from: number): Promise<Connection> => {
  opened.push(`${url} ${from}`)
  return url.includes('silent') ? connection(from, from === 0 ? 2 : 0, true) : connection(from, 99, false)
}

function fetching(signal = new AbortController().signal, using = open) {
  const doors = { disk: host.disk, clock: host.clock, space: async () => 1e12, open: using }
  const tell = (event: DownloadEvent): number => events.push(event)
  return fetchFile(doors, { wanted: WANTED, path: '/models/m.bin', tell, signal })
}

async function settle<T>(promise: Promise<T>): Promise<T> {
  let isOpen = true
  const done = promise.finally(() => {
    isOpen = false
  })
  done.catch(() => {})
  while (isOpen) {
    host.clock.runUntilIdle()
    await new Promise(setImmediate)
  }
  return done
}

describe('fetching a file', () => {
  test('a source that falls silent is asked again, then left; the other one goes on where it stopped', async () => {
    const fetched = await settle(fetching())
    expect(fetched).toEqual({ bytes: CONTENT.length, sha256: WANTED.sha256 })
    expect(Buffer.from(await settle(host.disk.read('/models/m.bin'))).equals(CONTENT)).toBe(true)
    expect(opened[0]).toBe('https://silent/m.bin 0')
    expect(opened.at(-1)).toBe('https://good/m.bin 2000')
    expect(events).toContainEqual({
      ...{ event: 'broken', bytes: 2_000 },
      why: `nothing came for ${STALL_MS / 1_000} s`,
    })
    expect(await settle(host.disk.list('/models'))).toEqual(['m.bin'])
  })

  test('interrupted, it keeps what came, and the next run goes on there', async () => {
    const controller = new AbortController()
    const running = fetching(controller.signal, async (url, from) => {
      opened.push(`${url} ${from}`)
      const line = connection(from, 3, true)
      return {
        ...line,
        read() {
          if (events.some((event) => event.event === 'progress' && event.bytes === 3_000)) controller.abort()
          return line.read()
        },
      }
    })
    await expect(settle(running)).rejects.toMatchObject({ code: 'interrupted' })
    expect((await settle(host.disk.info('/models/m.bin.part')))?.size).toBe(3_000)
    opened.length = 0
    await settle(fetching(undefined, async (url, from) => open(url.replace('silent', 'good'), from)))
    expect(opened).toEqual(['https://good/m.bin 3000'])
  })

  test('nobody answers anywhere: refused by name, in bounded time', async () => {
    const running = fetching(undefined, async () => {
      throw new SourceError('nobody answers there', false)
    })
    await expect(settle(running)).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('m (m.bin) could not be fetched from https://'),
    })
  })
})
