/** Where the effects of skills go when there is no voice: store and sandboxes. */
import type { Outside, OutsideEffect } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import type { Skills } from '../../src/skills/index.ts'
import { type Store, storePorts } from '../../src/store/index.ts'

export function outsideOf(store: Store, { port }: Skills): Outside {
  const kept = storePorts(store)
  return {
    read: (effect, deliver, actor) => kept.read(effect as OutsideEffect<'read'>, deliver, actor),
    write: (effect, deliver) => kept.write(effect as OutsideEffect<'write'>, deliver),
    invoke: (effect, deliver, actor) => port.request(effect as OutsideEffect<'invoke'>, deliver, actor),
    cancel: (id, actor, kind) => {
      if (kind === 'invoke') port.cancel(requestId(id), actor)
      else kept.cancel(id, actor)
    },
    actorGone: (actor) => {
      kept.actorGone(actor)
      port.actorGone(actor)
    },
  }
}
