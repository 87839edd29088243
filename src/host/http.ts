/** One request to a server outside, to an address that was looked up and judged before. Types only. */

export interface HttpOrder {
  /** An IP address: nothing is looked up any more. */
  readonly address: string
  readonly port: number
  /** With TLS; the certificate must be for `host`. */
  readonly secure: boolean
  readonly host: string
  /** Path and query. */
  readonly path: string
  readonly method: string
  /** `Host` is among them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case; of one that came more than once the first. */
  readonly headers: Readonly<Record<string, string>>
  /** What comes, piece by piece. Errors: throws when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>
  /** Drops the connection; what did not come yet never does. */
  close(): void
}

/** The way out of the house. There is one in the node only because skills that a person allowed it may use it. */
export interface HttpDoor {
  /** IP addresses of a name. Errors: throws when there are none. */
  resolve(host: string): Promise<readonly string[]>
  /** Errors: throws when nobody answers, or what comes is not HTTP. The signal drops the connection too. */
  open(order: HttpOrder, signal: AbortSignal): Promise<HttpResponse>
}
