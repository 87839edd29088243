/**
 * The way to the node this page came from: requests and WebSockets with its token, when it wants one. The token comes from the person, or from
 * the part of the address that browsers never send (`/#token=…`), and is kept in this browser alone.
 */

const KEPT = 'loqa.token'
/** A node that is there answers at once; a phone that wakes up has no network for some seconds. */
const TIMEOUT_MS = 8_000

export class NodeError extends Error {
  readonly status: number
  readonly hint: string | undefined

  constructor(status: number, message: string, hint?: string) {
    super(message)
    this.status = status
    this.hint = hint
  }
}

let token = localStorage.getItem(KEPT) ?? ''

/** Takes the token out of the address, so that no copy of the address carries it on. */
export function takeTokenFromAddress(): void {
  const given = /[#&]token=([^&]+)/.exec(location.hash)?.[1]
  if (given === undefined) return
  useToken(decodeURIComponent(given))
  history.replaceState(null, '', location.pathname)
}

/** This page over https, with the token: browsers keep what they know apart by scheme. */
export function securedAddress(): URL {
  const url = new URL('/', location.href)
  url.protocol = 'https:'
  if (token !== '') url.hash = `token=${encodeURIComponent(token)}`
  return url
}

export function useToken(given: string): void {
  token = given.trim()
  if (token === '') localStorage.removeItem(KEPT)
  else localStorage.setItem(KEPT, token)
}

/** Errors: `NodeError`; its status is 0 when nothing answers. */
export async function ask<T>(path: string, body?: unknown): Promise<T> {
  let answer: Response
  try {
    answer = await fetch(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(body === undefined ? TIMEOUT_MS : 4 * TIMEOUT_MS),
    })
  } catch {
    throw new NodeError(0, 'The node does not answer', 'Is it running, and are you in its network?')
  }
  if (answer.ok) return (await answer.json()) as T
  const { error } = (await answer.json().catch(() => ({}))) as { error?: { message: string; hint?: string } }
  throw new NodeError(answer.status, error?.message ?? `The node says ${answer.status}`, error?.hint)
}

/** Browsers set no headers on a WebSocket: the token goes as a subprotocol. */
export function openSocket(path: string): WebSocket {
  const url = new URL(path, location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return new WebSocket(url, token === '' ? ['loqa.v1'] : ['loqa.v1', `loqa.bearer.${token}`])
}
