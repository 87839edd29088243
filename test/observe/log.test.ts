import { describe, expect, it } from 'vitest'
import { LoqaError } from '../../src/host/index.ts'
import { createLog, type LogOptions } from '../../src/observe/index.ts'

const CANARY = 'xylophone-canary'

function recorded(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const log = createLog({
    level: 'debug',
    format: 'json',
    log_pii: false,
    wall: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    output: { tty: false, color: false, write: (line) => lines.push(line) },
    ...options,
  })
  return { log, lines }
}

describe('a log line', () => {
  it('is one JSON object with level, time, message and values', () => {
    const { log, lines } = recorded()
    log.child({ node: 'attic' }).info('Listening', { port: 7420 })
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0]!)).toEqual({
      level: 'info',
      time: '2026-01-02T03:04:05.000Z',
      message: 'Listening',
      node: 'attic',
      port: 7420,
    })
  })

  it('is one readable line on a terminal', () => {
    const { log, lines } = recorded({ format: 'pretty' })
    log.warn('Slow disk', { ms: 12.5, path: '/a b' })
    expect(lines).toEqual(['03:04:05 warn  Slow disk  ms=12.5 path="/a b"\n'])
  })

  it('is pretty by itself on a terminal only', () => {
    const lines: string[] = []
    const output = { tty: true, color: false, write: (line: string) => lines.push(line) }
    recorded({ format: 'auto', output }).log.info('Hello')
    recorded({ format: 'auto', output: { ...output, tty: false } }).log.info('Hello')
    expect(lines[0]).toBe('03:04:05 info  Hello\n')
    expect(JSON.parse(lines[1]!)).toMatchObject({ message: 'Hello' })
  })

  it('keeps its own names when a value has the same', () => {
    const { log, lines } = recorded()
    log.info('Slow', { message: 'turn.ask', level: 3 })
    expect(lines[0]!.match(/"message":/g)).toHaveLength(1)
    expect(JSON.parse(lines[0]!)).toMatchObject({
      message: 'Slow',
      level: 'info',
      'value.message': 'turn.ask',
    })
  })

  it('below the level is not written', () => {
    const { log, lines } = recorded({ level: 'warn' })
    log.info('no')
    log.error('yes')
    expect(lines).toHaveLength(1)
  })
})

describe('personal content', () => {
  const everywhere = {
    pii: { text: CANARY },
    'pii.transcript': CANARY,
    deep: { pii: CANARY, list: [{ pii: { name: CANARY } }] },
    thrown: new SyntaxError(`Unexpected token in "${CANARY}"`),
    caused: new LoqaError('a', 'safe', { cause: new Error(CANARY) }),
  }

  it('never reaches a log', () => {
    const { log, lines } = recorded()
    log.error('Something happened', everywhere)
    log.child({ pii: CANARY }).info('And again')
    expect(lines).toHaveLength(2)
    expect(lines.join('')).not.toContain(CANARY)
    expect(lines[0]).toContain('SyntaxError')
    expect(lines[0]).toContain('safe')
  })

  it('is written when that was switched on', () => {
    const { log, lines } = recorded({ log_pii: true })
    log.error('Something happened', { pii: { text: CANARY } })
    expect(lines[0]).toContain(CANARY)
  })
})

describe('what a log cannot hold', () => {
  it('is cut, not thrown', () => {
    const { log, lines } = recorded()
    const round: Record<string, unknown> = {}
    round.self = round
    log.info('Odd', { round, big: 10n, long: 'x'.repeat(5_000), bytes: new Uint8Array(7), none: undefined })
    const line = JSON.parse(lines[0]!) as Record<string, unknown>
    expect(line).toMatchObject({ big: '10', bytes: '7 bytes' })
    expect(String(line.long).length).toBeLessThan(1_100)
  })
})
