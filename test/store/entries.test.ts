/** Entries that two nodes changed while they could not talk, in two real databases. */
import { expect, it } from 'vitest'
import type { EntryChange } from '../../src/actors/index.ts'
import type { ReplicaDatabase } from '../../src/store/crdt/replica-database.ts'
import { statementsOf } from '../../src/store/entries.ts'
import { openDatabase, scratch } from './crdt/opening.ts'

const put = (key: string, value: string): EntryChange => ({ change: 'put', key, value })
const renew = (key: string, value: string): EntryChange => ({ change: 'put', key, value, renews: true })
const gone = (key: string): EntryChange => ({ change: 'delete', key })

it('of an entry the later life counts: what renews it stands against a deletion made meanwhile, a plain put does not', async () => {
  const opened = await Promise.all([scratch(), scratch()].map((path) => openDatabase(`${path}/replica`)))
  const [a, b] = opened.map(({ database }) => database) as [ReplicaDatabase, ReplicaDatabase]
  const write = (on: ReplicaDatabase, ...changes: EntryChange[]) => on.write(statementsOf('list', changes))
  const tell = (from: ReplicaDatabase, to: ReplicaDatabase): void => {
    for (const site of from.sites()) to.merge(from.changesSince(0, 5_000, site).rows)
  }
  const all = (on: ReplicaDatabase) =>
    Object.fromEntries(
      on
        .read({ sql: 'SELECT key, value FROM entries ORDER BY key' }, 100)
        .map(([key, value]) => [key, value]),
    )
  for (const key of ['plain', 'renewed', 'both', 'ended', 'left']) write(a, put(key, '1'))
  tell(a, b)

  write(
    a,
    put('plain', '2'),
    renew('renewed', '2'),
    renew('both', '2'),
    renew('ended', '2'),
    put('only a', '1'),
  )
  write(b, gone('plain'), gone('renewed'), renew('both', '3'), put('only b', '1'), gone('left'))
  write(b, renew('ended', '3'))
  write(b, gone('ended'))
  tell(a, b)
  tell(b, a)
  expect(all(a)).toEqual({ renewed: '"2"', both: '"3"', 'only a': '"1"', 'only b': '"1"' })
  expect(all(b)).toEqual(all(a))
  for (const { close } of opened) close()
})
