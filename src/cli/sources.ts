/** Where files come from: web servers and the disk. Only a person's command opens these doors. */
import { type IncomingMessage, request as requestOpen } from 'node:http'
import { request as requestProtected } from 'node:https'
import { fileURLToPath } from 'node:url'
import { VERSION } from '../host/version.ts'
import { type Connection, readAnswer, redirectOf, SourceError } from '../inference/catalogue/index.ts'
import type { World } from './world.ts'

/** Read at once from a file. */
const FILE_CHUNK_BYTES = 256 * 1024

export type OpenSource = (url: string, from: number, if_range: string | undefined) => Promise<Connection>

/** `told` hears each host before it is asked: it learns that this address wants the file. */
export function openSources(world: World, told: (host: string) => void): OpenSource {
  return async (url, from, if_range) => {
    const address = URL.parse(url)
    if (address === null) throw new SourceError('it is no address', true)
    if (address.protocol === 'file:') return openFile(world, address, from)
    for (let count = 0, at = address; ; count += 1) {
      told(at.host)
      const response = await ask(at, from, if_range)
      const { statusCode: status = 0, headers } = response
      if (![301, 302, 303, 307, 308].includes(status)) return connectionOf(response, world.clock.wall())
      response.destroy()
      const next = redirectOf(at, headers.location, count)
      if ('refused' in next) throw new SourceError(next.refused, true)
      at = next.to
    }
  }
}

function ask(url: URL, from: number, if_range: string | undefined): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? requestProtected : requestOpen
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      headers: {
        'user-agent': `loqa/${VERSION}`,
        // What is hashed is what lies there, not what a server packs for the way.
        'accept-encoding': 'identity',
        ...(from > 0 ? { range: `bytes=${from}-` } : {}),
        ...(from > 0 && if_range !== undefined ? { 'if-range': if_range } : {}),
      },
      agent: false,
    })
    asked.on('response', resolve)
    asked.on('error', (error: NodeJS.ErrnoException) => {
      reject(
        new SourceError(
          wordsOf(error),
          error.code === 'ENOTFOUND' || error.code?.startsWith('ERR_TLS') === true,
        ),
      )
    })
    asked.end()
  })
}

function connectionOf(response: IncomingMessage, now_ms: number): Connection {
  const parts = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  return {
    answer: readAnswer(response.statusCode ?? 0, response.headers, now_ms),
    async read() {
      try {
        const { done, value } = await parts.next()
        return done === true ? undefined : value
      } catch (thrown) {
        throw new SourceError(wordsOf(thrown as NodeJS.ErrnoException), false)
      }
    },
    close() {
      response.destroy()
    },
  }
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody answers there',
  ECONNRESET: 'the connection broke',
  ENOTFOUND: 'there is no such host, or no way to the internet',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ETIMEDOUT: 'it did not answer in time',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to the internet',
}

const wordsOf = (error: NodeJS.ErrnoException): string =>
  WORDS[error.code ?? ''] ?? (error.message === 'aborted' ? WORDS.ECONNRESET! : (error.code ?? error.message))

/** Answers as a server with ranges would. */
async function openFile({ disk }: World, url: URL, from: number): Promise<Connection> {
  const path = pathOf(url)
  const info = await disk.info(path)
  if (info?.kind !== 'file') throw new SourceError('there is no such file', true)
  const { size } = info
  const etag = `"${size}-${info.modified}"`
  const starts = from > 0
  let at = from
  return {
    answer:
      from > 0 && from >= size
        ? { status: 416 }
        : starts
          ? { status: 206, length: size - from, etag, range: { from, total: size } }
          : { status: 200, length: size, etag },
    async read() {
      const bytes = await disk.readAt(path, at, FILE_CHUNK_BYTES)
      at += bytes.length
      return bytes.length === 0 ? undefined : bytes
    },
    close() {},
  }
}

function pathOf(url: URL): string {
  try {
    return fileURLToPath(url)
  } catch {
    throw new SourceError('it names no file of this machine', true)
  }
}
