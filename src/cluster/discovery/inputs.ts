/** What discovery is told, and what it then wants done. */
import type { LoqaError, NodeId } from '../../host/index.ts'
import type { Life } from '../household/clones.ts'
import type { Secret } from '../household/secret.ts'
import type { Standing } from '../household/sighting.ts'
import type { Place } from '../transport/mesh.ts'

export type DiscoveryEffect =
  /**
   * Dial now, and say `dialled` with the same number when it ended, however it ended. `expected` undefined: whoever answers
   * there. Never more than `max_dials` are waited for at once.
   */
  | {
      readonly type: 'dial'
      readonly attempt: number
      readonly place: Place
      readonly expected: NodeId | undefined
    }
  /** For the household machine (`met`): a node of another household, or of none we can tell, announced itself. */
  | { readonly type: 'met'; readonly node: NodeId; readonly standing: Standing | undefined }
  /** Our own id was announced by another start than ours, by somebody who holds the household key: for `heardOf`. */
  | { readonly type: 'cloned'; readonly life: Life }
  /** Addresses of this node changed, to be gossiped to members (`told`) now. */
  | { readonly type: 'moved'; readonly places: readonly Place[] }
  /** For the log. `what` is stable, `attributes` hold no personal content. */
  | {
      readonly type: 'note'
      readonly level: 'info' | 'warn'
      readonly what: string
      readonly attributes: Readonly<Record<string, string | number>>
    }

export type DiscoveryInput =
  /** The household: what strangers are told now, and the keys that open links (`openingKeys`), the current one first. */
  | { readonly type: 'tell'; readonly standing: Standing | undefined; readonly keys: readonly Secret[] }
  /** The household: who is in it, who was removed. Replaces what was said before. */
  | {
      readonly type: 'members'
      readonly members: ReadonlySet<NodeId>
      readonly revoked: ReadonlySet<NodeId>
    }
  /** A member says where another one (or it itself) can be reached. */
  | { readonly type: 'told'; readonly node: NodeId; readonly places: readonly Place[] }
  /** This node has a link to that one, whoever dialled; `place` only when it was dialled. Saying it twice does nothing. */
  | { readonly type: 'linked'; readonly node: NodeId; readonly place: Place | undefined }
  /** It has none any more. */
  | { readonly type: 'unlinked'; readonly node: NodeId; readonly why: string }
  | { readonly type: 'dialled'; readonly attempt: number; readonly outcome: DialOutcome }
  /**
   * The link worked, but one side would not have the other (certificate, version, clock, cloned id). It is dialled rarely
   * from then on, and `explain` says why; forgotten at the next `linked`.
   */
  | { readonly type: 'refused'; readonly node: NodeId; readonly error: LoqaError }

/** Who answered, or the error of `Mesh.dial`. */
export type DialOutcome = { readonly node: NodeId } | { readonly error: LoqaError }
