/** Claims in the household's store: D1 to D4. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EntryChange } from '../../../src/actors/index.ts'
import { outranks } from '../../../src/cluster/migration/fence.ts'
import { recordChanges, recordFrom, recordKey } from '../../../src/cluster/placement/records.ts'
import { type NodeId, nodeId } from '../../../src/host/index.ts'

const ADDRESS = 'loqa:/session/dinner'
const [a, b, c] = ['a', 'b', 'c'].map(nodeId) as [NodeId, NodeId, NodeId]
const claim = (node: NodeId | null, epoch: number) => ({ address: ADDRESS, node, epoch })
const records = (...all: [NodeId, number][]) => new Map(all)

describe('a record', () => {
  it('D1 stands under the name of the node that claimed', () => {
    const [put] = recordChanges(ADDRESS, records(), { self: a, owner: claim(a, 3), kept: true })
    expect(put).toEqual({ change: 'put', key: 'session/dinner@a', value: { epoch: 3 } })
    expect(recordFrom('session/dinner@a', { epoch: 3 })).toEqual(claim(a, 3))
    expect(recordChanges(ADDRESS, records(), { self: a, owner: claim(b, 3), kept: true })).toEqual([])
  })

  it('D2 of what does not count any more is deleted by the owner, and by nobody else', () => {
    const known = records([a, 2], [b, 3], [c, 1])
    expect(recordChanges(ADDRESS, known, { self: b, owner: claim(b, 3), kept: true })).toEqual([
      { change: 'delete', key: recordKey(ADDRESS, a) },
      { change: 'delete', key: recordKey(ADDRESS, c) },
    ])
    expect(recordChanges(ADDRESS, known, { self: a, owner: claim(b, 3), kept: true })).toEqual([])
  })

  it('D4 of what ended, or may be on no disk, is none', () => {
    const gone = recordChanges(ADDRESS, records([a, 2]), { self: a, owner: claim(null, 3), kept: true })
    expect(gone).toEqual([{ change: 'delete', key: recordKey(ADDRESS, a) }])
    expect(recordChanges(ADDRESS, records(), { self: a, owner: claim(a, 1), kept: false })).toEqual([])
  })

  it('that no node wrote is none', () => {
    for (const [key, value] of [
      ['session/dinner', { epoch: 1 }],
      ['session/dinner@a', { epoch: 0 }],
      ['session/dinner@a', { epoch: 1, more: true }],
      ['session/dinner@a', 'x'],
      ['@a', { epoch: 1 }],
      ['session/din ner@a', { epoch: 1 }],
      ['session/dinner@', { epoch: 1 }],
    ] as const) {
      expect(recordFrom(key, value), key).toBeUndefined()
    }
    fc.assert(
      fc.property(fc.string(), fc.anything(), (key, value) => {
        recordFrom(key, value)
      }),
      { numRuns: 500, seed: 20_261_126 },
    )
  })

  it('of any claims told in any order, one is left: that which outranks the others', () => {
    const claims = fc.array(
      fc.record({ node: fc.constantFrom(a, b, c), epoch: fc.integer({ min: 1, max: 5 }) }),
      {
        minLength: 1,
        maxLength: 12,
      },
    )
    fc.assert(
      fc.property(claims, (all) => {
        const store = new Map<NodeId, number>()
        const apply = (changes: readonly EntryChange[]): void => {
          for (const change of changes) {
            const { node, epoch } = recordFrom(
              change.key,
              change.change === 'put' ? change.value : { epoch: 1 },
            )!
            if (change.change === 'put') store.set(node, epoch)
            else store.delete(node)
          }
        }
        let owner = all[0]!
        for (const next of all) {
          if (outranks(next, owner)) owner = next
          for (const self of [a, b, c]) {
            apply(recordChanges(ADDRESS, store, { self, owner: claim(owner.node, owner.epoch), kept: true }))
          }
        }
        expect([...store]).toEqual([[owner.node, owner.epoch]])
      }),
      { numRuns: 300, seed: 20_261_126 },
    )
  })
})
