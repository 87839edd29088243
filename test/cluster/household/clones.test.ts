/** One id, two machines: a copied data directory is named on both, and exactly one goes on writing. */
import { expect, it } from 'vitest'
import {
  aloneWith,
  type CloneState,
  heardOf,
  type Life,
  mayWrite,
} from '../../../src/cluster/household/clones.ts'
import { nodeId } from '../../../src/host/index.ts'

const life = (incarnation: number, boot: string, address: string, node = 'node'): Life => ({
  node: nodeId(node),
  incarnation,
  boot,
  address,
})
const [old, copy] = [life(4, 'aaaa', '10.0.0.2'), life(5, 'bbbb', '10.0.0.9')]

/** What each says when it hears the other. */
const meet = (one: Life, other: Life): [boolean, boolean, string[]] => {
  const [a, b] = [heardOf(aloneWith(one), other), heardOf(aloneWith(other), one)]
  return [mayWrite(a.state), mayWrite(b.state), [a, b].map(({ error }) => error?.message ?? '')]
}

it('the one started later goes on, the other refuses to write, and both name both', () => {
  const [old_writes, copy_writes, messages] = meet(old, copy)
  expect([old_writes, copy_writes]).toEqual([false, true])
  for (const message of messages) {
    expect(message).toContain('10.0.0.2 (start 4) refuses to write')
    expect(message).toContain('10.0.0.9 (start 5) goes on')
  }
})

it('of two with as many starts the greater boot id goes on: never both, never none', () => {
  for (const [one, other] of [
    ['aaaa', 'bbbb'],
    ['bbbb', 'aaaa'],
    ['0000', 'ffff'],
  ] as const) {
    const [a, b] = meet(life(4, one, 'x'), life(4, other, 'y'))
    expect([a, b].filter(Boolean).length).toBe(1)
  }
})

it('hearing itself, or hearing it twice, says nothing more', () => {
  const self = aloneWith(copy)
  expect(heardOf(self, copy)).toEqual({ state: self, error: undefined })
  const once = heardOf(self, old)
  expect(once.error?.code).toBe('node-cloned')
  expect(heardOf(once.state, old).error).toBeUndefined()
})

it('who refused goes on refusing when the other has gone silent', () => {
  const refused = heardOf(aloneWith(old), copy).state
  expect(mayWrite(heardOf(refused, old).state)).toBe(false)
})

it('a third node tells a restart from a clone', () => {
  const third = aloneWith(life(1, 'cccc', '10.0.0.3', 'third'))
  const hear = (lives: readonly Life[]): [CloneState, number] =>
    lives.reduce<[CloneState, number]>(
      ([state, named], next) => {
        const verdict = heardOf(state, next)
        return [verdict.state, named + Number(verdict.error !== undefined)]
      },
      [third, 0],
    )
  const restarted = life(5, 'dddd', '10.0.0.2')
  expect(hear([old, old, restarted, restarted])[1]).toBe(0)
  expect(hear([old, copy, old, copy, old])[1]).toBe(1)
})
