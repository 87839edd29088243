/**
 * Whom a household lets bring skills, and how far each may go.
 *
 * A package is signed as a whole with an Ed25519 key. Whether that key means anything is decided here from data: roots (official, vetted)
 * of the node's policy, the nodes of the household, the publishers these vouch for, what was revoked. The judgement is a pure function
 * (`judge.ts`, with its numbered promises), made when a skill is added and again at each load. What the manifest says of itself counts
 * for nothing in it.
 *
 * Read `judge.ts` first, then `statements.ts`.
 */
export { asksOf, type PlainAsk, plainAsks } from './asks.ts'
export { TrustError, type TrustFault } from './errors.ts'
export { type Inspected, inspectPackage } from './inspect.ts'
export { judge, type Revocations, refuseUnsigned, type Trusted, type Verdict } from './judge.ts'
export { newKeyFile, type Signer, signerFrom, signerOf } from './keys.ts'
export { MAX_POLICY_BYTES, type Policy, policySchema, readPolicy } from './policy.ts'
export { signContent, signPackage } from './sign.ts'
export {
  type Delegation,
  decodeSignature,
  delegate,
  delegationSchema,
  digestShape,
  isDelegated,
  keyShape,
  LEVELS,
  type Level,
} from './statements.ts'
