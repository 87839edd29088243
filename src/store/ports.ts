/** The `read` and `write` ports of the actor runtime; what they say stands in `actors/collections.ts`. */
import type { Entry, EntryChange, Outcome, OutsidePort, Ref } from '../actors/index.ts'
import { type Cancel, errorShape, InvalidInputError } from '../host/index.ts'
import type { Store } from './store.ts'

type Deliver = (outcome: Outcome) => void

export interface StorePorts {
  read(effect: OutsidePort, deliver: Deliver, actor: Ref): void
  write(effect: OutsidePort, deliver: Deliver): void
  /** Ends following; any other read or write still happens, and the runtime drops what comes of it. */
  cancel(id: string, actor: Ref): void
  actorGone(actor: Ref): void
}

export function storePorts(store: Store): StorePorts {
  const following = new Map<string, Cancel>()
  const settle = (id: Outcome['id'], work: Promise<unknown>, deliver: Deliver): void => {
    work.then(
      (body) => deliver({ type: 'outcome', id, event: 'done', body }),
      (thrown: unknown) => deliver({ type: 'outcome', id, event: 'failed', error: errorShape(thrown) }),
    )
  }
  const stop = (key: string): void => {
    following.get(key)?.()
    following.delete(key)
  }
  return {
    read(effect, deliver, actor) {
      if (effect.op !== 'follow') {
        settle(effect.id, readFrom(store, effect), deliver)
        return
      }
      const { id } = effect
      const key = keyOf(id, actor)
      stop(key)
      const cancel = store.follow(effect.to, {
        hear: (body) => deliver({ type: 'outcome', id, event: 'chunk', body }),
        failed: (error) => {
          following.delete(key)
          deliver({ type: 'outcome', id, event: 'failed', error: errorShape(error) })
        },
      })
      following.set(key, cancel)
    },
    write: (effect, deliver) => settle(effect.id, writeTo(store, effect), deliver),
    cancel: (id, actor) => stop(keyOf(id, actor)),
    actorGone(actor) {
      const prefix = keyOf('', actor)
      for (const key of [...following.keys()]) if (key.startsWith(prefix)) stop(key)
    },
  }
}

const keyOf = (id: string, actor: Ref): string => `${actor.address} ${actor.incarnation} ${id}`

async function readFrom(
  store: Store,
  { op, to, body }: OutsidePort,
): Promise<readonly Entry[] | Entry | null> {
  if (op === 'list') return store.list(to, (body as { prefix: string }).prefix)
  if (op === 'get') return store.get(to, (body as { key: string }).key)
  throw new InvalidInputError(`The store cannot ${op}`)
}

async function writeTo(store: Store, { op, to, body }: OutsidePort): Promise<void> {
  if (op !== 'apply') throw new InvalidInputError(`The store cannot ${op}`)
  await store.apply(to, body as readonly EntryChange[])
}
