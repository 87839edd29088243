/** The kit's JSON: whatever the node writes is read right, whatever else is read as nothing. */
import fc from 'fast-check'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { compileProbe, type Probe } from './kit.ts'

// Thousands of cases each: seconds on a free machine, minutes on one busy with something else.
vi.setConfig({ testTimeout: 300_000 })

let probe: Probe
beforeAll(async () => {
  probe = await compileProbe(`
    import { Json, Kind, parse, quote } from '../../sdk/assemblyscript/json'
    export { quote } from '../../sdk/assemblyscript/json'

    export function echo(text: string): string { return write(parse(text)) }

    function write(json: Json): string {
      if (json.kind == Kind.Text) return quote(json.text)
      if (json.kind == Kind.Boolean) return json.boolean ? 'true' : 'false'
      if (json.kind == Kind.Number) return json.number.toString()
      if (json.kind == Kind.List) {
        const parts: string[] = []
        for (let i = 0; i < json.items.length; i++) parts.push(write(json.items[i]))
        return '[' + parts.join(',') + ']'
      }
      if (json.kind == Kind.Object) {
        const parts: string[] = []
        const names = json.fields.keys()
        for (let i = 0; i < names.length; i++) parts.push(quote(names[i]) + ':' + write(json.fields.get(names[i])))
        return '{' + parts.join(',') + '}'
      }
      return 'null'
    }
  `)
}, 60_000)

const echo = (text: string): unknown => JSON.parse(probe.call('echo', text))

describe('JSON of the kit', () => {
  it('reads what the node writes', () => {
    const plain = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.integer(),
      fc.string({ unit: 'grapheme' }),
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        plain,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
          tie('value'),
          { maxKeys: 4 },
        ),
      ),
    }))
    fc.assert(
      fc.property(value, (written) => {
        expect(echo(JSON.stringify(written))).toEqual(written)
        expect(echo(JSON.stringify(written, undefined, 2))).toEqual(written)
      }),
      { numRuns: 1000 },
    )
  })

  it('quotes any text so that the node reads it back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(probe.call('quote', text))).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    '',
    '{',
    '[1',
    '{"a"',
    '{"a":}',
    '[1 2]',
    '"open',
    'nul',
    '{"a":1,}',
    '1 2',
    '[,]',
    '"\\u00"',
    '['.repeat(40),
  ])('reads %j as nothing', (text) => expect(echo(text)).toBeNull())

  it('is not stopped by any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => text.slice(0, -1)),
        ),
        (text) => {
          expect(() => echo(text)).not.toThrow()
        },
      ),
      { numRuns: 3000 },
    )
  })
})

it('quotes a long text in memory that grows with its length, not with the square of it', () => {
  const before = probe.bytes()
  const text = 'It is ten past four, and "that" is all. '.repeat(500)
  expect(JSON.parse(probe.call('quote', text))).toBe(text)
  // The argument, the stretches and the result, two bytes a letter each.
  expect(probe.bytes() - before).toBeLessThan(text.length * 2 * 12)
})
