/** The `read` and `write` ports of the actor runtime; what they say stands in `actors/collections.ts`. */
import type { Entry, EntryChange, Followed, Outcome, OutsidePort, Ref } from '../actors/index.ts'
import { errorShape, InvalidInputError } from '../host/index.ts'
import type { Store } from './store.ts'

type Deliver = (outcome: Outcome) => void

export interface StorePorts {
  read(effect: OutsidePort, deliver: Deliver, actor: Ref): void
  write(effect: OutsidePort, deliver: Deliver): void
  /** Ends following. A cancelled read or write still happens; the runtime drops what comes of it. */
  cancel(id: string, actor: Ref): void
}

interface Follower {
  readonly collection: string
  readonly tell: (followed: Followed) => void
}

/** Who follows a collection hears of what was written through these ports. */
export function storePorts(store: Store): StorePorts {
  const followers = new Map<string, Follower>()

  const settle = (id: Outcome['id'], work: Promise<unknown>, deliver: Deliver): void => {
    work.then(
      (body) => deliver({ type: 'outcome', id, event: 'done', body }),
      (thrown: unknown) => deliver({ type: 'outcome', id, event: 'failed', error: errorShape(thrown) }),
    )
  }

  const follow = ({ id, to }: OutsidePort, deliver: Deliver, actor: Ref): void => {
    const key = keyOf(id, actor)
    // What is written until the whole is there is told after it; some of it the whole has already, which changes nothing.
    let early: Followed[] | undefined = []
    const say = (body: Followed): void => deliver({ type: 'outcome', id, event: 'chunk', body })
    const follower: Follower = {
      collection: to,
      tell: (followed) => void (early === undefined ? say(followed) : early.push(followed)),
    }
    followers.set(key, follower)
    store.list(to).then(
      (entries) => {
        say({ whole: true, changes: entries.map(({ key, value }) => ({ change: 'put', key, value })) })
        for (const followed of early ?? []) say(followed)
        early = undefined
      },
      (thrown: unknown) => {
        if (followers.get(key) === follower) followers.delete(key)
        deliver({ type: 'outcome', id, event: 'failed', error: errorShape(thrown) })
      },
    )
  }

  return {
    read(effect, deliver, actor) {
      if (effect.op === 'follow') follow(effect, deliver, actor)
      else settle(effect.id, readFrom(store, effect), deliver)
    },
    write(effect, deliver) {
      const { id, to } = effect
      writeTo(store, effect).then(
        (changes) => {
          deliver({ type: 'outcome', id, event: 'done' })
          for (const { collection, tell } of followers.values()) {
            if (collection === to) tell({ whole: false, changes })
          }
        },
        (thrown: unknown) => deliver({ type: 'outcome', id, event: 'failed', error: errorShape(thrown) }),
      )
    },
    cancel: (id, actor) => void followers.delete(keyOf(id, actor)),
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

async function writeTo(store: Store, { op, to, body }: OutsidePort): Promise<readonly EntryChange[]> {
  if (op !== 'apply') throw new InvalidInputError(`The store cannot ${op}`)
  const changes = body as readonly EntryChange[]
  await store.apply(to, changes)
  return changes
}
