/**
 * The household key in front of noise: a connection encrypter that settles which key both sides hold (`proof.ts`) and then lets
 * noise do its handshake with a prologue made of it. Links that are open are not touched when the keys change.
 */
import { noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, MessageStream, SecureConnectionOptions } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'
import type { Random } from '../../host/index.ts'
import type { Secret } from '../household/secret.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { CLAIM_BYTES, claim, judge, NONCE_BYTES, TAG_BYTES } from './proof.ts'
import { inOneWrite, withoutErrors } from './tuning.ts'

/** Named with its version: what comes after it may change. */
const PROTOCOL = '/loqa/1/noise'
/** The message of an error that says no more; libp2p hands on nothing but messages. */
export const WRONG_KEY = 'wrong-key'

type NoiseFactory = ReturnType<typeof noise>
type NoiseComponents = Parameters<NoiseFactory>[0]

export interface KeyHolder {
  /** Asked at each handshake, so that a change of keys holds at once. */
  keys(): readonly Secret[]
}

export const householdNoise =
  (holder: KeyHolder, random: Random): ((components: NoiseComponents) => ConnectionEncrypter) =>
  (components) => {
    const crypto = noiseCrypto(random)
    const over = (prologueBytes: Uint8Array): ConnectionEncrypter =>
      noise({ prologueBytes, crypto })(components)
    return {
      protocol: PROTOCOL,

      async secureOutbound(connection: MessageStream, options?: SecureConnectionOptions) {
        const bytes = byteStream(connection)
        const asked = await bytes.read({ ...options, bytes: NONCE_BYTES })
        const mine = claim(holder.keys(), asked.subarray(), random)
        await bytes.write(mine.bytes, options)
        const tag = await bytes.read({ ...options, bytes: TAG_BYTES })
        const prologue = mine.conclude(tag.subarray())
        if (prologue === undefined) throw new Error(WRONG_KEY)
        const secured = await over(prologue).secureOutbound(inOneWrite(bytes.unwrap()), options)
        withoutErrors(secured.connection)
        return secured
      },

      async secureInbound(connection: MessageStream, options?: SecureConnectionOptions) {
        const bytes = byteStream(connection)
        const asked = random.bytes(NONCE_BYTES)
        await bytes.write(asked, options)
        const claimed = await bytes.read({ ...options, bytes: CLAIM_BYTES })
        const { tag, prologue } = judge(holder.keys(), asked, claimed.subarray(), random)
        await bytes.write(tag, options)
        if (prologue === undefined) throw new Error(WRONG_KEY)
        const secured = await over(prologue).secureInbound(inOneWrite(bytes.unwrap()), options)
        withoutErrors(secured.connection)
        return secured
      },
    }
  }
