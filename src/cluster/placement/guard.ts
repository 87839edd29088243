/**
 * Between other nodes and the runtime's `spawnAddress`: what lives elsewhere is not started here for them, and what was started is
 * claimed before they hear of it. Whoever asks an actor that lives elsewhere by now hears so, with the claim before it on the same link, and
 * asks again there. All else passes by.
 */
import {
  type Address,
  addressOf,
  type FromAfar,
  placedAddress,
  type SpawnRequest,
} from '../../actors/index.ts'
import type { LoqaError } from '../../host/index.ts'

export interface GuardParts {
  /** This node's `spawnAddress`. */
  readonly own: Address
  readonly isPlaced: (kind: string) => boolean
  /** Why it is not started here. */
  readonly refusal: (address: Address) => LoqaError | undefined
  /** It lives here. */
  readonly begun: (address: Address) => void
  /** The copy here is about to end, for another one counts. */
  readonly isYielding: (address: Address) => boolean
}

export const guarded = (
  here: FromAfar,
  { own, isPlaced, refusal, begun, isYielding }: GuardParts,
): FromAfar => ({
  ...here,
  ask(target, message, how, settle) {
    if (target !== own) {
      const address = addressOf(target)
      if (!address.startsWith('loqa:/') || address.startsWith('loqa://'))
        return here.ask(target, message, how, settle)
      const elsewhere = isYielding(address) ? refusal(address) : undefined
      if (elsewhere !== undefined) {
        settle.failed(elsewhere)
        return () => undefined
      }
      return here.ask(target, message, how, {
        answered: (answer) => settle.answered(answer),
        failed: (error) => settle.failed(error.code === 'not-found' ? (refusal(address) ?? error) : error),
      })
    }
    const { kind, key } = message as Partial<SpawnRequest>
    // What is wrong with a request says who carries it out.
    if (typeof kind !== 'string' || typeof key !== 'string' || !isPlaced(kind)) {
      return here.ask(target, message, how, settle)
    }
    const address = placedAddress(kind, key)
    const refused = refusal(address)
    if (refused !== undefined) {
      settle.failed(refused)
      return () => undefined
    }
    return here.ask(target, message, how, {
      answered(answer) {
        begun(address)
        // A claim may have come while it was started.
        const error = refusal(address)
        if (error === undefined) settle.answered(answer)
        else settle.failed(error)
      },
      failed: (error) => settle.failed(error),
    })
  },
})
