/** What a skill may ask for and what it is told of the answer: decisions of the broker, pure. */
import { LoqaError } from '../../host/index.ts'
import type { HttpGrant, HttpMethod, HttpRequest } from '../host-ports.ts'
import { isLoopback, reachOf } from './addresses.ts'

/** The body of an answer. It travels into the sandbox as JSON, whole. */
export const MAX_BODY_BYTES = 128 * 1024
/** As browsers do; five because a skill names its servers. */
export const MAX_REDIRECTS = 5

export const refused = (why: string): LoqaError =>
  new LoqaError('http-refused', `The request was refused: ${why}`)

/** Set by the broker, or of the connection's business (RFC 9110, 7.6.1; RFC 9113, 8.2.2). */
const NOT_FOR_SKILLS =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|content-length|upgrade|expect|accept-encoding|proxy-.*|sec-.*|via|forwarded|x-forwarded-.*)$/
/** Of one answer a skill is told these. */
const TOLD = new Set([
  ...['content-type', 'date', 'etag', 'last-modified', 'expires', 'cache-control', 'retry-after', 'link'],
  ...['content-language', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
])
const MAX_TOLD_CHARS = 512
/** What goes on to another server than the one it was meant for. */
const HARMLESS = new Set(['accept', 'accept-language', 'content-type', 'user-agent'])

export interface Target {
  readonly url: URL
  readonly port: number
  readonly secure: boolean
}

/** Errors: `http-refused` with the reason. */
export function targetOf(text: string, grant: HttpGrant): Target {
  if (!URL.canParse(text)) throw refused('it has no address that can be read')
  const url = new URL(text)
  const secure = url.protocol === 'https:'
  if (!secure && url.protocol !== 'http:') throw refused('only http and https are spoken')
  if (url.username !== '' || url.password !== '') throw refused('the address holds a password')
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const host = url.hostname.replace(/\.$/, '')
  if (!grant.hosts.some((allowed) => isNamed(allowed, host, port, url.port === ''))) {
    throw refused(`${host}${url.port === '' ? '' : `:${port}`} is not among the hosts it was granted`)
  }
  return { url, port, secure }
}

/** `api.example.com` is its usual ports only; `*.example.com` all below it, not itself. */
function isNamed(allowed: string, host: string, port: number, usual: boolean): boolean {
  const [name = '', named] = allowed.split(':')
  if (named === undefined ? !usual : Number(named) !== port) return false
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) && host.length > name.length - 1 : host === name
}

export interface Surroundings {
  /** Ports this node itself listens on. */
  readonly ports: readonly number[]
  /** Addresses of this machine. */
  readonly addresses: readonly string[]
}

/** All addresses a name has must be fit: one that is not says that somebody plays tricks. Errors: `http-refused`. */
export function judgeAddresses(
  addresses: readonly string[],
  { port }: Pick<Target, 'port'>,
  grant: HttpGrant,
  own: Surroundings,
): readonly string[] {
  if (addresses.length === 0) throw refused('its host has no address')
  for (const address of addresses) {
    const reach = reachOf(address)
    if (reach === 'never') throw refused('its host has an address that is nobody’s to ask')
    if (reach === 'private' && !grant.private) throw refused('its host is inside this house')
    const here = isLoopback(address) || own.addresses.includes(address.replace(/^::ffff:/i, ''))
    // Whoever asks the node itself, from this machine, is taken for its person.
    if (here && own.ports.includes(port)) throw refused('it asks this node itself')
  }
  return addresses
}

/** Errors: `http-refused`. */
export function headersFor(
  { headers, body }: HttpRequest,
  { url }: Pick<Target, 'url'>,
): Readonly<Record<string, string>> {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  for (const [name, value] of lower) {
    if (NOT_FOR_SKILLS.test(name)) throw refused(`the header ${name} is not a skill’s to set`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value) || !isLatin(value)) {
      throw refused(`the header ${name} holds what no header may`)
    }
  }
  return {
    accept: '*/*',
    'user-agent': 'loqa-skill',
    ...Object.fromEntries(lower),
    host: url.host,
    connection: 'close',
    'accept-encoding': 'identity',
    ...(body === undefined ? {} : { 'content-length': String(new TextEncoder().encode(body).length) }),
  }
}

const isLatin = (text: string): boolean => [...text].every((letter) => letter.codePointAt(0)! < 256)

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** The request an answer sends us on with; undefined when it is no redirect. Errors: `http-refused`. */
export function redirected(
  request: HttpRequest,
  from: Target,
  status: number,
  location: string | undefined,
): HttpRequest | undefined {
  if (!REDIRECTS.has(status) || location === undefined) return undefined
  if (!URL.canParse(location, from.url.href))
    throw refused('the server sends it on to no address that can be read')
  const to = new URL(location, from.url.href)
  if (from.secure && to.protocol !== 'https:') throw refused('the server sends it on without encryption')
  const keeps = status === 307 || status === 308 || request.method === 'GET' || request.method === 'HEAD'
  const method: HttpMethod = keeps ? request.method : 'GET'
  const mayKeep = to.host === from.url.host
  const headers = Object.entries(request.headers).filter(
    ([name]) => (mayKeep || HARMLESS.has(name.toLowerCase())) && (keeps || !/^content-/i.test(name)),
  )
  return {
    method,
    url: to.href,
    headers: Object.fromEntries(headers),
    ...(keeps && request.body !== undefined ? { body: request.body } : {}),
  }
}

export const toldHeaders = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => TOLD.has(name))
      .map(([name, value]) => [name, value.slice(0, MAX_TOLD_CHARS)]),
  )
