/** Why a place could not be dialled: one code per condition the dialling loop acts on. */
import { authority, LoqaError } from '../../host/index.ts'
import { DIAL_MS } from './bounds.ts'
import { WRONG_KEY } from './encrypter.ts'
import type { Place } from './mesh.ts'

export type DialFault = 'unreachable' | 'wrong-peer' | 'wrong-key' | 'handshake-failed' | 'timed-out'

export class DialError extends LoqaError {
  constructor(code: DialFault, message: string, cause?: unknown) {
    super(code, message, { retryable: code !== 'wrong-peer' && code !== 'wrong-key', cause })
  }
}

export const named = ({ host, port }: Place): string => authority(host, port)

/** Of the operating system: nobody there, or no way there. */
const UNREACHABLE =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|EINVAL|ETIMEDOUT|EACCES|EPERM)$/

/** What libp2p threw, in our words. */
export function dialError(place: Place, thrown: unknown, expired: boolean): DialError {
  const where = named(place)
  if (thrown instanceof DialError) return thrown
  if (expired) {
    return new DialError('timed-out', `${where} did not finish a handshake in ${DIAL_MS / 1_000} s`, thrown)
  }
  const error = thrown instanceof Error ? thrown : new Error('not an error')
  if (error.message === WRONG_KEY) {
    return new DialError('wrong-key', `${where} does not hold the key of this household`, thrown)
  }
  if (error.name === 'InvalidPeerIdError') {
    return new DialError('wrong-peer', `${where} answers with this node's own id`, thrown)
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (UNREACHABLE.test(code)) return new DialError('unreachable', `${where} cannot be reached`, thrown)
  return new DialError('handshake-failed', `${where} answers, but not as a node of this version`, thrown)
}
