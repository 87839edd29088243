/** Why a package may not run here. */
import { LoqaError } from '../../host/index.ts'

export type TrustFault =
  /** Nobody signed it. */
  | 'skill-unsigned'
  /** It is not what was signed. */
  | 'skill-tampered'
  /** Nobody who is trusted here vouches for the key that signed it. */
  | 'skill-untrusted'
  /** The publisher's time was over when it was added, or had not begun. */
  | 'skill-expired'
  /** Its key, its publisher or this package was revoked. */
  | 'skill-revoked'
  /** This node's policy does not allow it. */
  | 'skill-forbidden'
  /** Older than what is here, or another package under the same version. */
  | 'skill-downgrade'
  /** The household keeps to a version. */
  | 'skill-pinned'
  /** It asks for more than was granted. */
  | 'skill-ungranted'

export class TrustError extends LoqaError {
  readonly fault: TrustFault

  constructor(fault: TrustFault, message: string, hint?: string) {
    super(fault, message, { hint })
    this.fault = fault
  }
}
