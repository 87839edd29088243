/** The `read` and `write` ports of the actor runtime; what they say stands in `actors/collections.ts`. */
import type { Entry, EntryChange, Outcome, OutsidePort } from '../actors/index.ts'
import { errorShape, InvalidInputError } from '../host/index.ts'
import type { Store } from './store.ts'

type Deliver = (outcome: Outcome) => void

export interface StorePorts {
  read(effect: OutsidePort, deliver: Deliver): void
  write(effect: OutsidePort, deliver: Deliver): void
}

/** A cancelled read or write still happens; the runtime drops what comes of it. */
export function storePorts(store: Store): StorePorts {
  const settle = (id: Outcome['id'], work: Promise<unknown>, deliver: Deliver): void => {
    work.then(
      (body) => deliver({ type: 'outcome', id, event: 'done', body }),
      (thrown: unknown) => deliver({ type: 'outcome', id, event: 'failed', error: errorShape(thrown) }),
    )
  }
  return {
    read: (effect, deliver) => settle(effect.id, readFrom(store, effect), deliver),
    write: (effect, deliver) => settle(effect.id, writeTo(store, effect), deliver),
  }
}

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
