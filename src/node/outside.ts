/** Where the effects of actors go. */
import type { Outside, OutsideEffect } from '../actors/index.ts'
import { type LoqaError, requestId } from '../host/index.ts'
import type { Skills } from '../skills/index.ts'
import { type Store, storePorts } from '../store/index.ts'
import type { Voice } from '../voice/index.ts'

/** `gaveWay`: why this node may write nothing any more. */
export function outsideOf(
  voice: Voice,
  { port }: Skills,
  store: Store,
  gaveWay: () => LoqaError | undefined,
): Outside {
  const { infer, play, cancel, actorGone } = voice.outside
  const kept = storePorts(store)
  return {
    infer,
    play,
    invoke: (effect, deliver, actor) => port.request(effect as OutsideEffect<'invoke'>, deliver, actor),
    read: (effect, deliver, actor) => kept.read(effect as OutsideEffect<'read'>, deliver, actor),
    write: (effect, deliver) => {
      const error = gaveWay()
      // A copy of this node goes on; what this one wrote would have to be thrown away.
      if (error === undefined) kept.write(effect as OutsideEffect<'write'>, deliver)
      else deliver({ type: 'outcome', id: requestId(effect.id), event: 'failed', error: error.toJSON() })
    },
    cancel: (id, actor, kind) => {
      if (kind === 'invoke') port.cancel(requestId(id), actor)
      else if (kind === 'read') kept.cancel(id, actor)
      else cancel(id, actor, kind)
    },
    actorGone: (actor) => {
      actorGone(actor)
      kept.actorGone(actor)
      port.actorGone(actor)
    },
  }
}
