import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/store/crdt/connection.ts'
import type { SqlValue } from '../../../src/store/crdt/values.ts'
import { codeOf, openConnection, openPages, scratch } from './opening.ts'

const open = (): Promise<Connection> => openConnection(openPages(join(scratch(), 'db')))

describe('values', () => {
  it.each<[string, SqlValue]>([
    ['null', null],
    ['zero', 0],
    ['a negative integer', -42],
    ['the largest number that is exact', Number.MAX_SAFE_INTEGER],
    ['the next one', 2n ** 53n],
    ['and below', -(2n ** 53n) - 1n],
    ['the largest integer', 2n ** 63n - 1n],
    ['the smallest', -(2n ** 63n)],
    ['low bits with the sign set', 0xffffffffn * 2n ** 31n],
    ['a fraction', 0.1],
    ['a tiny one', Number.MIN_VALUE],
    ['no text', ''],
    ['text with NUL', 'a\0b\0'],
    ['text with a byte order mark', '\ufefftext'],
    ['text beyond the basic plane', 'naïve 😀 \u{10ffff}'],
    ['no bytes', new Uint8Array()],
    ['bytes', new Uint8Array([0, 255, 0])],
    ['many bytes', new Uint8Array(200_000).fill(7)],
    ['much text', 'ä'.repeat(100_000)],
  ])('come back as they went in: %s', async (_, value) => {
    const connection = await open()
    connection.all('CREATE TABLE t (v)')
    connection.all('INSERT INTO t VALUES (?)', [value])
    expect(connection.all('SELECT v FROM t')).toEqual([[value]])
  })

  it('come back as they went in, whatever they are', async () => {
    const connection = await open()
    connection.all('CREATE TABLE t (v)')
    const value = fc.oneof(
      fc
        .bigInt(-(2n ** 63n), 2n ** 63n - 1n)
        .map((wide) => (Number.isSafeInteger(Number(wide)) ? Number(wide) : wide)),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Number.isInteger(n)),
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
    )
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
        connection.all('DELETE FROM t')
        for (const each of values) connection.all('INSERT INTO t VALUES (?)', [each])
        expect(connection.all('SELECT v FROM t ORDER BY rowid')).toEqual(values.map((each) => [each]))
      }),
      { numRuns: 300 },
    )
  })

  it.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['an inexact integer', 2 ** 60],
    ['an integer of more than 64 bits', 2n ** 63n],
    ['half a character', 'a\ud800'],
    ['nothing', undefined],
    ['a boolean', true],
    ['an object', {}],
  ])('without an exact counterpart are refused: %s', async (_, value) => {
    const connection = await open()
    expect(codeOf(() => connection.all('SELECT ?', [value as SqlValue]))).toBe('invalid-input')
  })

  it('that are text in no encoding are refused, not repaired', async () => {
    const connection = await open()
    expect(codeOf(() => connection.one("SELECT CAST(x'ff' AS TEXT)"))).toBe('store-refused')
  })
})

describe('statements', () => {
  it('that are wrong say so and leave the connection usable', async () => {
    const connection = await open()
    expect(codeOf(() => connection.all('SELEC 1'))).toBe('store-refused')
    expect(codeOf(() => connection.all('SELECT 1; DROP TABLE t'))).toBe('invalid-input')
    expect(codeOf(() => connection.all('SELECT 1\0'))).toBe('invalid-input')
    expect(codeOf(() => connection.all(' '))).toBe('invalid-input')
    expect(codeOf(() => connection.all('SELECT ?', []))).toBe('invalid-input')
    expect(connection.all('SELECT 1;')).toEqual([[1]])
  })

  it('do not remember the values of the last time', async () => {
    const connection = await open()
    expect(connection.all('SELECT ?', ['x'])).toEqual([['x']])
    expect(connection.all('SELECT ?', [null])).toEqual([[null]])
  })

  it('of any number can be used: those not used for long are prepared again', async () => {
    const connection = await open()
    for (let round = 0; round < 2; round += 1)
      for (let i = 0; i < 300; i += 1) expect(connection.one(`SELECT ${i}`)).toBe(i)
    connection.close()
  })
})

describe('a transaction', () => {
  it('that throws leaves nothing behind', async () => {
    const connection = await open()
    connection.all('CREATE TABLE t (v NOT NULL)')
    const work = (): void =>
      connection.transaction(() => {
        connection.all('INSERT INTO t VALUES (1)')
        connection.all('INSERT INTO t VALUES (NULL)')
      })
    expect(codeOf(work)).toBe('store-refused')
    expect(connection.inTransaction()).toBe(false)
    expect(connection.all('SELECT * FROM t')).toEqual([])
  })
})

describe('an engine that panics', () => {
  it('fails with a code of its own from then on, and takes nothing else along', async () => {
    const pages = openPages(join(scratch(), 'db'))
    const connection = await openConnection(pages)
    connection.all('CREATE TABLE t (k PRIMARY KEY NOT NULL, v)')
    connection.all("SELECT crsql_as_crr('t')")
    pages.flush()
    const hostile = (): unknown =>
      connection.all(
        'INSERT INTO crsql_changes ("table", pk, cid, val, col_version, db_version, site_id, cl, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
        ['t', new Uint8Array(), 'v', 1, 1, 1, new Uint8Array(16), 1, 0],
      )
    expect(codeOf(hostile)).toBe('store-engine')
    expect(codeOf(() => connection.all('SELECT 1'))).toBe('store-engine')
    pages.discard()
    const next = await openConnection(pages)
    expect(next.all('SELECT count(*) FROM t')).toEqual([[0]])
  })
})
