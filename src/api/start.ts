/** Starts the API on its address, or says why that cannot be. */
import { LoqaError } from '../host/index.ts'
import { type ApiParts, buildServer } from './server.ts'

/** A token shorter than this can be guessed. */
const MIN_TOKEN_CHARACTERS = 32

export interface RunningApi {
  /** e.g. `http://127.0.0.1:7420`. */
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

/**
 * Errors: `port-in-use` names the port and the flag; `config-invalid` when others could reach the address but there is no
 * token, the token is too short, or the address is not one of this machine.
 */
export async function startApi(parts: ApiParts): Promise<RunningApi> {
  const { host, port } = parts.settings
  if (parts.token === undefined && !isLoopback(host)) {
    throw new LoqaError(
      'config-invalid',
      `HTTP may not listen on ${host} without a token: others can reach it`,
      {
        hint: 'Set api.token_file, or api.host = "127.0.0.1".',
      },
    )
  }
  if (parts.token !== undefined && parts.token.length < MIN_TOKEN_CHARACTERS) {
    throw new LoqaError(
      'config-invalid',
      `The API token is shorter than ${MIN_TOKEN_CHARACTERS} characters`,
      {
        hint: 'Make one: head -c 32 /dev/urandom | base64 | tr -d "/+=" > token',
      },
    )
  }
  const server = await buildServer(parts)
  try {
    await server.app.listen({ host, port })
  } catch (thrown) {
    await server.close()
    throw cannotListen(thrown, host, port)
  }
  const address = server.app.server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return { url: `http://${shownHost(host)}:${bound}`, port: bound, stop: () => server.close() }
}

/** The token in the text of `api.token_file`: its first line. */
export const tokenFrom = (text: string): string => text.split('\n', 1)[0]!.trim()

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** An address that can be typed into a browser on this machine. */
function shownHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function cannotListen(thrown: unknown, host: string, port: number): unknown {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined
  switch (code) {
    case 'EADDRINUSE':
      return new LoqaError('port-in-use', `Port ${port} of ${host} is in use by another program`, {
        hint: 'Choose another with --http-port (0 takes a free one), or stop the other program.',
        cause: thrown,
      })
    case 'EACCES':
      return new LoqaError('port-denied', `Port ${port} may not be used by this user`, {
        hint: 'Choose one above 1023 with --http-port.',
        cause: thrown,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new LoqaError('config-invalid', `${host} is not an address of this machine`, {
        hint: 'Set api.host to one of its addresses, or 127.0.0.1.',
        cause: thrown,
      })
    default:
      return thrown
  }
}
