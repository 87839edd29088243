/**
 * A move in single steps, by the numbers of `src/cluster/migration/index.ts`; every combination of what goes wrong is in `test/sim/migration`.
 * What moves comes out as it went in; who may not move stays; what is too much is refused.
 */
import { expect, test } from 'vitest'
import { type Message, placedAddress } from '../../../src/actors/index.ts'
import {
  type Bundle,
  decodeMove,
  encodeMove,
  MAX_BUNDLE_BYTES,
  MAX_LATE,
  MAX_MOVES,
  type MoveMessage,
  type MoverContext,
  type MoverEffect,
  type MoverInput,
  type MoverState,
  mover,
  moverDue,
  noMoves,
  outranks,
  type Parcel,
  pack,
  readSnapshot,
  understands,
  unpack,
} from '../../../src/cluster/migration/index.ts'
import { merge, NO_PLACEMENTS } from '../../../src/cluster/placement/placements.ts'
import { nodeId } from '../../../src/host/index.ts'

const A = nodeId('a')
const B = nodeId('b')
const X = nodeId('x')
const address = placedAddress('session', 'one')

const parcel = (number: number): Parcel => ({
  ...{ lane: 'data', sender: { address: placedAddress('sender', 'x'), incarnation: 7 } },
  ...{ ask: null, message: { type: 'count', number } as Message },
})
const bundleOf = (state: unknown, mailbox: readonly Parcel[] = []): Bundle => ({
  ...{ incarnation: 3, state, mailbox: [...mailbox] },
  schedules: [{ id: 'bell', remaining_ms: 1_234.5, message: { type: 'ring' } }],
  watchers: [{ node: X, target: address }],
  watching: [{ address, incarnation: 3 }],
})

/** One node's mover, fed by hand. */
class Side {
  state: MoverState
  now = 0
  readonly kinds = new Map([['session', { version: 2, former: (old: unknown) => ({ was: old }) }]])
  claim: { epoch: number; node: typeof A } | undefined = { epoch: 1, node: A }

  constructor(self: typeof A) {
    this.state = noMoves(self)
  }

  feed(input: MoverInput): readonly MoverEffect[] {
    const context: MoverContext = { now: this.now, kinds: this.kinds, claim: () => this.claim }
    const { state, effects } = mover(this.state, input, context)
    this.state = state
    return effects
  }

  hear(from: typeof A, message: MoveMessage): readonly MoverEffect[] {
    return this.feed({ type: 'heard', from, message })
  }
}

const types = (effects: readonly MoverEffect[]): readonly string[] =>
  effects.map((effect) => (effect.type === 'say' ? effect.message.type : effect.type))

/** A side that froze and offered `bundle` to b. */
function offering(bundle: Bundle): { readonly a: Side; readonly said: readonly MoveMessage[] } {
  const a = new Side(A)
  expect(types(a.feed({ type: 'move', address, kind: 'session', to: B }))).toEqual(['freeze'])
  return { a, said: words(a.feed({ type: 'frozen', address, bundle })) }
}

const words = (effects: readonly MoverEffect[]): readonly MoveMessage[] =>
  effects.flatMap((effect) => (effect.type === 'say' ? [effect.message] : []))

const word = <Type extends MoveMessage['type']>(type: Type, more: object = {}): MoveMessage =>
  ({ type, address, epoch: 2, ...more }) as MoveMessage

test('five steps: freeze, snapshot, offer, accept, resume; state, mailbox, times and watchers arrive as they left', () => {
  const bundle = bundleOf({ text: 'hello', samples: Int16Array.from([1, -2, 3]) }, [parcel(1), parcel(2)])
  const { a, said } = offering(bundle)
  expect(said.map(({ type }) => type)).toEqual(['offer', 'chunk'])
  const b = new Side(B)
  expect(types(b.hear(A, said[0]!))).toEqual(['got'])
  expect(types(b.hear(A, said[1]!))).toEqual(['accept'])
  expect(types(a.hear(B, word('accept')))).toEqual(['resume'])
  const [install, resumed] = b.hear(A, word('resume'))
  expect(install).toEqual({ type: 'install', address, epoch: 2, kind: 'session', version: 2, bundle })
  expect(types([resumed!])).toEqual(['resumed'])
  expect(types(a.hear(B, word('resumed')))).toEqual(['release', 'ended'])
})

test('a megabyte goes in windows of chunks, and comes out the same', () => {
  const bundle = bundleOf(Uint8Array.from({ length: 2 ** 20 }, (_, i) => i * 31))
  const { a, said } = offering(bundle)
  const b = new Side(B)
  let onTheWay = [...said]
  let most = 0
  let accepted = false
  while (onTheWay.length > 0) {
    most = Math.max(most, onTheWay.length)
    const back = onTheWay.flatMap((message) => words(b.hear(A, message)))
    accepted = back.some(({ type }) => type === 'accept')
    onTheWay = back.filter(({ type }) => type === 'got').flatMap((message) => words(a.hear(B, message)))
  }
  expect(accepted).toBe(true)
  expect(most).toBeLessThanOrEqual(17)
  expect(b.hear(A, word('resume'))[0]).toMatchObject({ type: 'install', bundle })
})

test('G1 G3: in doubt it is taken back under a new epoch, without what had gone along; before that, with all of it', () => {
  for (const doubt of [false, true]) {
    const { a } = offering(bundleOf(0, [parcel(1)]))
    if (doubt) a.hear(B, word('accept'))
    a.feed({ type: 'told', address, from: X, parcel: parcel(2) })
    const effects = a.feed({ type: 'gone', node: B })
    const thaw = effects.find(({ type }) => type === 'thaw')
    expect(thaw).toMatchObject({ without_mailbox: doubt, late: [{ parcel: parcel(2) }] })
    expect(effects.filter(({ type }) => type === 'claim')).toEqual(
      doubt ? [{ type: 'claim', address, epoch: 3 }] : [],
    )
  }
})

test('G1 G3: a source that dies leaves its state to who had accepted it, not its messages', () => {
  const b = new Side(B)
  for (const message of offering(bundleOf('state', [parcel(1)])).said) b.hear(A, message)
  expect(b.feed({ type: 'gone', node: A })).toMatchObject([
    { type: 'inherit', bundle: { state: 'state', mailbox: [] } },
  ])
})

test('G2 G3: a copy that counts no more ends, and its source never hears that it did not run', () => {
  const b = new Side(B)
  for (const message of offering(bundleOf(0)).said) b.hear(A, message)
  b.hear(A, word('resume'))
  expect(types(b.feed({ type: 'claimed', address, fence: { epoch: 3, node: X } }))).toEqual(['void'])
  expect(types(b.hear(A, word('resume')))).toEqual(['resumed'])
})

test('G2: an epoch that was offered in vain is not offered again', () => {
  const { a } = offering(bundleOf(0))
  a.feed({ type: 'cancel', address })
  a.feed({ type: 'move', address, kind: 'session', to: X })
  expect(words(a.feed({ type: 'frozen', address, bundle: bundleOf(0) }))[0]).toMatchObject({
    type: 'offer',
    epoch: 3,
  })
})

test('G2: of two copies the one counts that the map of placements names', () => {
  for (const [a, b] of [
    [
      { epoch: 2, node: A },
      { epoch: 1, node: A },
    ],
    [
      { epoch: 1, node: B },
      { epoch: 2, node: A },
    ],
    [
      { epoch: 2, node: B },
      { epoch: 2, node: A },
    ],
    [
      { epoch: 2, node: A },
      { epoch: 2, node: X },
    ],
  ] as const) {
    const map = merge(
      merge(NO_PLACEMENTS, [{ address, ...a }], 0).placements,
      [{ address, ...b }],
      0,
    ).placements
    const named = map.entries.get(address)
    expect(outranks(a, b)).toBe(named?.node === a.node && named.epoch === a.epoch)
  }
})

test('G2: who accepts a move that was given up hears so, and forgets it', () => {
  const { a, said } = offering(bundleOf(0))
  const b = new Side(B)
  for (const message of said) b.hear(A, message)
  a.feed({ type: 'cancel', address })
  expect(types(a.hear(B, word('accept')))).toEqual(['abort'])
  b.hear(A, word('abort'))
  expect(words(b.hear(A, word('resume')))).toEqual([word('refuse', { why: 'unknown-move' })])
})

test('G4: what comes straight from a node waits for what it sent the old way', () => {
  const b = new Side(B)
  for (const message of offering(bundleOf(0)).said) b.hear(A, message)
  b.hear(A, word('resume'))
  b.hear(X, word('after', { mark: 5 }))
  expect(b.feed({ type: 'told', address, from: X, parcel: parcel(2) })).toEqual([])
  const forward = (number: number, passed: object) => b.hear(A, word('forward', { number, passed }))
  expect(types(forward(1, { what: 'switched', node: X, mark: 5 }))).toEqual(['forwarded'])
  const effects = forward(0, { what: 'told', node: X, parcel: parcel(1) })
  expect(effects.filter(({ type }) => type === 'deliver')).toEqual([
    { type: 'deliver', address, node: X, parcels: [parcel(1)] },
    { type: 'deliver', address, node: X, parcels: [parcel(2)] },
  ])
})

test('G6: more messages than may wait end the move, and nobody loses one', () => {
  const { a } = offering(bundleOf(0))
  let effects: readonly MoverEffect[] = []
  for (let number = 0; number <= MAX_LATE; number += 1) {
    effects = a.feed({ type: 'told', address, from: X, parcel: parcel(number) })
  }
  expect(effects.find(({ type }) => type === 'ended')).toMatchObject({
    outcome: { how: 'aborted', why: 'overloaded' },
  })
  expect(effects.find(({ type }) => type === 'thaw')).toMatchObject({ late: { length: MAX_LATE + 1 } })
})

test('G6: a node takes a bounded number of moves at once, and forgets what nobody goes on with', () => {
  const b = new Side(B)
  b.claim = undefined
  const offer = (key: string): readonly MoverEffect[] =>
    b.hear(A, {
      type: 'offer',
      address: placedAddress('session', key),
      epoch: 2,
      kind: 'session',
      version: 2,
      bytes: 9,
      chunks: 1,
    })
  for (let i = 0; i < MAX_MOVES; i += 1) expect(types(offer(`${i}`))).toEqual(['got'])
  expect(words(offer('more'))[0]).toMatchObject({ type: 'refuse', why: 'busy' })
  b.now = moverDue(b.state)!
  b.feed({ type: 'due' })
  expect(b.state.here.size).toBe(0)
  expect(moverDue(b.state)).toBeUndefined()
})

test('a state of its own version and of the one before is understood, others are refused before a byte of them is sent', () => {
  const two = { version: 2, former: (old: unknown) => ({ was: old }) }
  expect([0, 1, 2, 3].map((version) => understands(two, version))).toEqual([false, true, true, false])
  expect(understands({ version: 2 }, 1)).toBe(false)
  expect(readSnapshot(two, 1, 'x')).toEqual({ was: 'x' })
  expect(readSnapshot(two, 2, 'x')).toBe('x')
  const b = new Side(B)
  expect(
    words(b.hear(A, word('offer', { kind: 'session', version: 3, bytes: 9, chunks: 1 })))[0],
  ).toMatchObject({ why: 'version' })
  expect(words(b.hear(A, word('offer', { kind: 'lamp', version: 2, bytes: 9, chunks: 1 })))[0]).toMatchObject(
    { why: 'unknown-kind' },
  )
})

test('what is no plain data or too large stays, as if nothing had been', () => {
  for (const [state, why] of [
    [() => 0, 'unsendable'],
    [new Uint8Array(MAX_BUNDLE_BYTES), 'too-large'],
  ] as const) {
    const a = new Side(A)
    a.feed({ type: 'move', address, kind: 'session', to: B })
    const effects = a.feed({ type: 'frozen', address, bundle: bundleOf(state) })
    expect(types(effects)).toEqual(['thaw', 'ended'])
    expect(effects[1]).toMatchObject({ outcome: { how: 'aborted', why } })
  }
})

test('only what lives here moves, to another node, one move at a time', () => {
  const a = new Side(A)
  const move = (to: typeof A, kind = 'session'): readonly MoverEffect[] =>
    a.feed({ type: 'move', address, kind, to })
  expect(move(A)).toMatchObject([{ type: 'refused', why: 'not-here' }])
  expect(move(B, 'lamp')).toMatchObject([{ type: 'refused', why: 'unknown-kind' }])
  expect(types(move(B))).toEqual(['freeze'])
  expect(move(X)).toMatchObject([{ type: 'refused', why: 'busy' }])
})

test('a bundle that is cut, too long or of another shape is none', () => {
  const bytes = pack(bundleOf('state', [parcel(1)])) as Uint8Array
  expect(unpack(bytes)).toEqual(bundleOf('state', [parcel(1)]))
  for (let end = 0; end < bytes.length; end += 1) expect(unpack(bytes.subarray(0, end))).toBeUndefined()
  expect(unpack(Buffer.concat([bytes, Buffer.from([0])]))).toBeUndefined()
  expect(unpack(Buffer.from([0x80]))).toBeUndefined()
  expect(unpack(new Uint8Array(MAX_BUNDLE_BYTES + 1))).toBeUndefined()
})

test('a word that is too large for a frame is not written', () => {
  const large = { type: 'count', text: 'x'.repeat(300_000) } as Message
  const passed = { what: 'told', node: X, parcel: { ...parcel(1), message: large } }
  expect(encodeMove(word('forward', { number: 0, passed }))).toBeUndefined()
  const bytes = encodeMove(word('resume'))!
  expect(decodeMove(bytes)).toEqual(word('resume'))
  expect(decodeMove(bytes.subarray(0, bytes.length - 1))).toBeUndefined()
})
