import { signingPublicKey } from '../../../src/cluster/household/crypto.ts'
import { Secret } from '../../../src/cluster/household/secret.ts'
import { type NodeId, nodeIdOf } from '../../../src/host/index.ts'

const secret = (fill: number): Secret => new Secret(new Uint8Array(32).fill(fill))

export const KEY = secret(1)
export const OTHER_KEY = secret(2)
export const identities = Array.from({ length: 8 }, (_, i) => secret(100 + i))
export const idOf = (identity: Secret): NodeId => nodeIdOf(signingPublicKey(identity))
