/**
 * Who may speak to the API: a pure decision on the headers of a request.
 *
 * G1 A page of another site cannot use it, also not by DNS rebinding: `Host` must be loopback, an IP address or a
 *    configured name, and a present `Origin` must be the very same host or a configured origin.
 * G2 When a token is configured every request but the two health probes and the files of the page carries it; it is compared in constant
 *    time.
 * G3 A refusal says which rule refused and how to allow it, never what would have been answered.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Failure, fail } from './failure.ts'
import { isPagePath } from './page-files.ts'

export interface GuardRules {
  readonly allowed_hosts: readonly string[]
  readonly allowed_origins: readonly string[]
  /** Undefined: no token is needed (loopback only). */
  readonly token: string | undefined
}

export interface GuardedRequest {
  readonly path: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly authorization: string | undefined
  /** Browsers cannot set headers on a WebSocket: they offer the token as a subprotocol `loqa.bearer.<token>`. */
  readonly protocols: string | undefined
}

const OPEN_PATHS = ['/healthz', '/readyz']

/** Undefined lets the request pass. */
export function refusal(request: GuardedRequest, rules: GuardRules): Failure | undefined {
  const host = hostName(request.host)
  if (host === undefined || !isKnownHost(host, rules)) {
    return fail(
      'host-refused',
      'This name is not one of this node',
      'Use 127.0.0.1, or add the name to api.allowed_hosts.',
    )
  }
  if (request.origin !== undefined && !isKnownOrigin(request.origin, request.host, rules)) {
    return fail(
      'origin-refused',
      'Pages of other sites may not use this node',
      'Add the origin to api.allowed_origins if the page is yours.',
    )
  }
  const isOpen = OPEN_PATHS.includes(request.path) || isPagePath(request.path)
  if (!isOpen && !hasToken(request, rules)) {
    return fail(
      'unauthorized',
      'The request carries no valid token',
      'Send "Authorization: Bearer <token>" with the token of api.token_file.',
    )
  }
  return undefined
}

/** True when the caller may see more than the bare answer of an open probe. */
export function hasToken(request: GuardedRequest, rules: GuardRules): boolean {
  if (rules.token === undefined) return true
  const given =
    /^Bearer +(\S+)$/i.exec(request.authorization ?? '')?.[1] ??
    /(?:^|,\s*)loqa\.bearer\.([^\s,]+)/.exec(request.protocols ?? '')?.[1]
  return given !== undefined && sameText(given, rules.token)
}

/** Compares digests, so that neither the place of the first difference nor the length shows in the time it takes. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

/** The name in a Host header without its port; undefined when it is none. */
function hostName(header: string | undefined): string | undefined {
  const found = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/?#@\s]+)(?::\d{1,5})?$/.exec(header ?? '')
  return found?.[1]?.toLowerCase()
}

function isKnownHost(host: string, rules: GuardRules): boolean {
  // An address cannot be rebound: rebinding needs a name whose answer changes.
  if (host.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return true
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  return rules.allowed_hosts.some((name) => name.toLowerCase() === host)
}

function isKnownOrigin(origin: string, host: string | undefined, rules: GuardRules): boolean {
  if (rules.allowed_origins.includes(origin)) return true
  const own = host?.toLowerCase()
  return [`http://${own}`, `https://${own}`].includes(origin.toLowerCase())
}
