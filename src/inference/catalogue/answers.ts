/** What the head of an HTTP answer says about a file. Pure: everything in it was written by a stranger. */
import { limits } from '../../host/index.ts'
import type { Answer } from './course.ts'

export type HeadFields = Readonly<Record<string, string | readonly string[] | undefined>>

/** An ETag is a name of a version; longer ones are dropped, the file is then begun anew after a break. */
const MAX_ETAG_LETTERS = 512

export function readAnswer(status: number, head: HeadFields, now_ms: number): Omit<Answer, 'type' | 'space'> {
  const length = countOf(one(head['content-length']))
  const etag = strongTag(one(head.etag))
  const range = status === 206 ? readRange(one(head['content-range'])) : undefined
  const retry_after_ms = readRetryAfter(one(head['retry-after']), now_ms)
  return {
    status,
    // Packed on the way, the length is that of something else.
    ...(length === undefined || one(head['content-encoding']) !== undefined ? {} : { length }),
    ...(etag === undefined ? {} : { etag }),
    ...(range === undefined ? {} : { range }),
    ...(retry_after_ms === undefined ? {} : { retry_after_ms }),
  }
}

const one = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

/** RFC 9110 §8.8.3: weak tags (`W/`) promise the same meaning, not the same bytes. */
const strongTag = (tag: string | undefined): string | undefined =>
  tag !== undefined && tag.length <= MAX_ETAG_LETTERS && /^"[\x21\x23-\x7e]*"$/.test(tag) ? tag : undefined

function countOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined
  return Number(text)
}

/** RFC 9110 §14.4: `bytes 100-199/200`, the size `*` when unknown. A range that contradicts itself is none. */
function readRange(text: string | undefined): Answer['range'] {
  const parts = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text ?? '')
  if (parts === null) return undefined
  const [, first = '', last = '', size = ''] = parts
  const from = Number(first)
  const to = Number(last)
  const total = countOf(size)
  if (to < from || from > limits.MAX_MODEL_BYTES) return undefined
  if (total === undefined) return { from }
  // Part of a part would end early; the next connection goes on from there.
  return to >= total ? undefined : { from, total }
}

/** Seconds, or a date. */
function readRetryAfter(text: string | undefined, now_ms: number): number | undefined {
  if (text === undefined) return undefined
  const seconds = countOf(text)
  if (seconds !== undefined) return seconds * 1_000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now_ms)
}

/** Redirects of one connection: a store sends to its delivery network, that to a server nearby. */
export const MAX_REDIRECTS = 5

export type Redirect = { readonly to: URL } | { readonly refused: string }

/** Where to ask next; from a protected connection never to an open one, and never to a file. */
export function redirectOf(from: URL, location: string | undefined, count: number): Redirect {
  if (location === undefined || location.length > 8_192) return { refused: 'it redirects to nowhere' }
  if (count >= MAX_REDIRECTS) return { refused: `it redirects more than ${MAX_REDIRECTS} times` }
  const to = URL.parse(location, from.href)
  if (to === null || (to.protocol !== 'https:' && to.protocol !== 'http:'))
    return { refused: 'it redirects to something that is no web address' }
  if (from.protocol === 'https:' && to.protocol === 'http:')
    return { refused: 'it redirects to an unprotected address' }
  return { to }
}
