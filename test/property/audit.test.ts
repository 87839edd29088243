/**
 * The audit log is held against what was signed of it: whatever is done to the file behind the node's back is found, and an
 * honest life of the file never looks like that.
 */
import { sign as ed25519Sign, verify as ed25519Verify, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { simulatedHost } from '../../src/host/simulated/index.ts'
import { type Checkpoint, isAuthentic, signCheckpoint } from '../../src/observe/audit-checkpoint.ts'
import { type AuditRecord, lineOf, parseRecord, recordAfter } from '../../src/observe/audit-record.ts'
import { openAudit, verifyAudit } from '../../src/observe/index.ts'

const ROUNDS = 1_000
const SEED = 66
const PATH = '/data/audit.log'
const DIRECTORY = '/data'

const key = generateKeyPairSync('ed25519')
const sign = (bytes: Uint8Array): string => ed25519Sign(null, bytes, key.privateKey).toString('hex')
const signedHere = ({ seq, hash }: { seq: number; hash: string }, time: string, node: string): Checkpoint =>
  signCheckpoint(node, { seq, hash }, time, sign)

const entryOf = (number: number) => ({
  actor: `loqa:/skill/${number % 3}`,
  who: number % 2 === 0 ? '-' : 'Åsa',
  what: number % 5 === 0 ? 'household.joined' : 'skill.call',
  object: `timer.set/${number}`,
  outcome: number % 7 === 0 ? 'fell “asleep” \ud83d\ude34' : 'ok',
})

/** A log of `count` records written by a real writer, an hour a minute. */
async function written(count: number, node = 'attic'): Promise<readonly string[]> {
  const { disk, clock } = simulatedHost(1)
  await disk.makeDirectory(DIRECTORY)
  const audit = await openAudit(disk, clock, PATH, node)
  for (let number = 0; number < count; number += 1) {
    clock.advance(60_000)
    await audit.append(entryOf(number))
  }
  return new TextDecoder()
    .decode(await disk.read(PATH))
    .split('\n')
    .slice(0, -1)
}

const recordOf = (line: string): AuditRecord => parseRecord(line)!
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

/** Everything from `at` on written anew, so that the chain is whole again. */
function rechained(
  lines: readonly string[],
  at: number,
  change: (record: AuditRecord) => AuditRecord,
): string[] {
  const out = lines.slice(0, at)
  for (let index = at; index < lines.length; index += 1) {
    const old = recordOf(lines[index]!)
    const from = index === at ? change(old) : old
    const before = index === 0 ? { seq: 0, hash: '0'.repeat(64) } : recordOf(out[index - 1]!)
    out.push(lineOf(recordAfter(before, from, from.node, from.time)))
  }
  return out
}

interface Mutant {
  readonly text: string
  /** Nothing in the file itself is amiss: only a checkpoint can show it. */
  readonly needs_checkpoint: boolean
}
type Mutate = (lines: readonly string[], at: number, pick: number, other: readonly string[]) => Mutant

const seen = (lines: readonly string[] | string): Mutant => ({
  text: typeof lines === 'string' ? lines : textOf(lines),
  needs_checkpoint: false,
})
const silent = (lines: readonly string[]): Mutant => ({ text: textOf(lines), needs_checkpoint: true })
const edited = (line: string, change: Partial<AuditRecord>): string =>
  JSON.stringify({ ...recordOf(line), ...change })

/** Each by what an attacker, or a careless person, would do. */
const MUTATIONS: Readonly<Record<string, Mutate>> = {
  'edit a field': (lines, at, pick) => {
    const field = (['actor', 'who', 'what', 'object', 'outcome', 'node'] as const)[pick % 6]!
    return seen(lines.with(at, edited(lines[at]!, { [field]: `${recordOf(lines[at]!)[field]}x` })))
  },
  'turn a time back': (lines, at, pick) => {
    const time = new Date(Date.parse(recordOf(lines[at]!).time) - 1 - pick * 1_000).toISOString()
    return seen(lines.with(at, edited(lines[at]!, { time })))
  },
  'edit a field and its hash': (lines, at) => {
    const one = rechained(lines.slice(0, at + 1), at, (record) => ({ ...record, outcome: 'denied' }))
    // The last record has no next one to betray it.
    return at === lines.length - 1 ? silent(one) : seen(lines.with(at, one[at]!))
  },
  'edit a byte': (lines, at, pick) => {
    const line = lines[at]!
    const place = pick % line.length
    const letter = line[place] === 'x' ? 'y' : 'x'
    return seen(lines.with(at, `${line.slice(0, place)}${letter}${line.slice(place + 1)}`))
  },
  'add a space': (lines, at) => seen(lines.with(at, lines[at]!.replace(',', ', '))),
  'put the fields in another order': (lines, at) => {
    const { seq, ...rest } = recordOf(lines[at]!)
    return seen(lines.with(at, JSON.stringify({ ...rest, seq })))
  },
  delete: (lines, at) =>
    at === lines.length - 1 ? silent(lines.slice(0, -1)) : seen(lines.toSpliced(at, 1)),
  'delete several': (lines, at, pick) => {
    const count = 1 + (pick % 5)
    return at + count >= lines.length ? silent(lines.slice(0, at)) : seen(lines.toSpliced(at, count))
  },
  reorder: (lines, at, pick) => {
    const other = (at + 1 + (pick % (lines.length - 1))) % lines.length
    return seen(lines.with(at, lines[other]!).with(other, lines[at]!))
  },
  duplicate: (lines, at, pick) => seen(lines.toSpliced(pick % (lines.length + 1), 0, lines[at]!)),
  'put in another record': (lines, at) =>
    seen(
      lines.toSpliced(
        at,
        0,
        lineOf(recordAfter({ seq: at, hash: '1'.repeat(64) }, entryOf(1), 'attic', 'x')),
      ),
    ),
  'cut the tail at a record': (lines, at) => silent(lines.slice(0, at)),
  'cut the tail at a byte': (lines, at, pick) => {
    const text = textOf(lines.slice(0, at + 1))
    // What stands before a torn line is honest in the file's own terms: the writer takes the rest away at its start.
    return seen(text.slice(0, text.length - 1 - (pick % (lines[at]!.length - 1))))
  },
  'write anew from a record on': (lines, at) =>
    silent(rechained(lines, at, (record) => ({ ...record, object: 'nothing' }))),
  'turn back all times from a record on': (lines, at) =>
    silent(rechained(lines, at, (record) => ({ ...record, time: '2020-01-01T00:00:00.000Z' }))),
  'put another log in its place': (_lines, _at, _pick, other) => silent(other),
  'put an older copy in its place': (lines, at) => silent(lines.slice(0, at)),
  'remove the file': () => silent([]),
  'swap two halves': (lines, at) => {
    const middle = Math.max(1, at)
    return seen([...lines.slice(middle), ...lines.slice(0, middle)])
  },
  'add at the end': (lines) => seen([...lines, lines.at(-1)!]),
}

const LENGTH = 40

describe('an audit log that somebody laid hands on', () => {
  it(`is found out in ${ROUNDS} of ${ROUNDS} ways`, async () => {
    const lines = await written(LENGTH)
    const other = await written(LENGTH, 'cellar')
    const known = [20, LENGTH].map((seq) => ({
      checkpoint: signedHere(recordOf(lines[seq - 1]!), '2026-01-02T03:04:05.000Z', 'attic'),
      holders: ['cellar'],
    }))
    const met = new Map<string, number>()
    let found = 0
    let by_checkpoint = 0
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(MUTATIONS)),
        fc.nat(LENGTH - 1),
        fc.nat(10_000),
        async (name, at, pick) => {
          const { text, needs_checkpoint } = MUTATIONS[name]!(lines, at, pick, other)
          met.set(name, (met.get(name) ?? 0) + 1)
          const what = `${name} at ${at}, ${pick}`
          // That the file alone does not show it is why there are checkpoints.
          expect(verifyAudit(text).ok, what).toBe(needs_checkpoint)
          const verdict = verifyAudit(text, { known, node: 'attic' })
          expect(verdict, what).toMatchObject({ ok: false })
          if (!verdict.ok && verdict.faults[0]!.shown_by !== undefined)
            expect(verdict.faults[0]!.shown_by.holders).toEqual(['cellar'])
          // The node starts on what it finds, and goes on writing.
          const { disk, clock } = simulatedHost(1)
          await disk.makeDirectory(DIRECTORY)
          await disk.write(PATH, new TextEncoder().encode(text))
          const audit = await openAudit(disk, clock, PATH, 'attic')
          expect(await audit.verify({ known, node: 'attic' }), `${what}, at start`).toMatchObject({
            ok: false,
          })
          await Promise.all([audit.append(entryOf(1)), audit.append(entryOf(2))])
          expect(await audit.verify({ known, node: 'attic' }), `${what}, later`).toMatchObject({ ok: false })
          found += 1
          if (needs_checkpoint) by_checkpoint += 1
        },
      ),
      { numRuns: ROUNDS, seed: SEED },
    )
    expect(found).toBe(ROUNDS)
    expect([...met.keys()].sort()).toEqual(Object.keys(MUTATIONS).sort())
    expect(by_checkpoint).toBeGreaterThan(300)
  }, 60_000)

  it('names the first bad record, or the first missing one', async () => {
    const lines = await written(12)
    const checkpoint = signedHere(recordOf(lines[11]!), '2026-01-02T03:04:05.000Z', 'attic')
    const evidence = { known: [{ checkpoint, holders: ['cellar'] }], node: 'attic' }
    const firstOf = (text: string) => {
      const verdict = verifyAudit(text, evidence)
      return verdict.ok ? undefined : verdict.faults[0]
    }
    for (let at = 0; at < 12; at += 1) {
      const changed = lines.with(at, edited(lines[at]!, { outcome: 'denied' }))
      expect(firstOf(textOf(changed))).toMatchObject({ kind: 'changed', line: at + 1, seq: at + 1 })
      const cut = firstOf(textOf(lines.slice(0, at)))
      expect(cut).toMatchObject({ kind: 'tail-missing', seq: at + 1, shown_by: { holders: ['cellar'] } })
      const anew = rechained(lines, at, (record) => ({ ...record, object: 'nothing' }))
      expect(firstOf(textOf(anew))).toMatchObject({ kind: 'rewritten', seq: 12, sure_until: 0 })
    }
  })
})

/** What happens to an honest log. */
type Event = 'append' | 'append-many' | 'restart' | 'torn' | 'power-cut' | 'clock' | 'sign' | 'disk-full'

describe('an honest audit log', () => {
  it(`raises no alarm in ${ROUNDS} lives with restarts, torn lines, power cuts, full disks and turned clocks`, async () => {
    const counts = { torn: 0, cut: 0, full: 0, back: 0, records: 0, signed: 0 }
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            event: fc.constantFrom<Event>(
              ...([
                'append',
                'append-many',
                'restart',
                'torn',
                'power-cut',
                'clock',
                'sign',
                'disk-full',
              ] as const),
            ),
            size: fc.nat(200),
          }),
          { maxLength: 30 },
        ),
        async (events) => {
          const { disk, clock } = simulatedHost(1)
          await disk.makeDirectory(DIRECTORY)
          let audit = await openAudit(disk, clock, PATH, 'attic')
          const reopen = async () => {
            audit = await openAudit(disk, clock, PATH, 'attic')
          }
          const checkpoints: Checkpoint[] = []
          let number = 0
          for (const { event, size } of events) {
            if (event === 'append') await audit.append(entryOf(number++))
            else if (event === 'append-many')
              await Promise.all(Array.from({ length: 1 + (size % 5) }, () => audit.append(entryOf(number++))))
            else if (event === 'restart') await reopen()
            else if (event === 'torn') {
              const next = lineOf(recordAfter(audit.position(), entryOf(number), 'attic', 'x'))
              await disk.append(PATH, new TextEncoder().encode(next.slice(0, 1 + (size % next.length))))
              await disk.sync(PATH)
              counts.torn += 1
              await reopen()
            } else if (event === 'power-cut') {
              const next = lineOf(recordAfter(audit.position(), entryOf(number), 'attic', 'x'))
              await disk.append(PATH, new TextEncoder().encode(`${next}\n`))
              disk.powerCut()
              counts.cut += 1
              await reopen()
            } else if (event === 'clock') {
              const before = clock.wall()
              clock.jumpWall((size - 100) * 3_600_000)
              if (clock.wall() < before) counts.back += 1
            } else if (event === 'disk-full') {
              disk.faults = { ...disk.faults, capacity: 0 }
              await audit.append(entryOf(number)).catch(() => undefined)
              disk.faults = { ...disk.faults, capacity: Number.POSITIVE_INFINITY }
              counts.full += 1
            } else if (audit.position().seq > 0) {
              checkpoints.push(signedHere(audit.position(), new Date(clock.wall()).toISOString(), 'attic'))
              counts.signed += 1
            }
          }
          const known = checkpoints.map((checkpoint) => ({ checkpoint, holders: ['cellar'] }))
          const verdict = await audit.verify({ known, node: 'attic' })
          expect(verdict).toMatchObject({ ok: true, records: audit.position().seq })
          expect(verdict.sure_until).toBe(Math.max(0, ...checkpoints.map(({ seq }) => seq)))
          counts.records += verdict.records
        },
      ),
      { numRuns: ROUNDS, seed: SEED },
    )
    for (const [what, count] of Object.entries(counts)) expect(count, what).toBeGreaterThan(100)
  }, 120_000)
})

describe('a signature', () => {
  it('is over every word of the checkpoint', async () => {
    const [line] = await written(1)
    const checkpoint = signedHere(recordOf(line!), '2026-01-02T03:04:05.000Z', 'attic')
    const isSigned = (_node: string, bytes: Uint8Array, signature: string): boolean =>
      ed25519Verify(null, bytes, key.publicKey, Buffer.from(signature, 'hex'))
    expect(isAuthentic(checkpoint, isSigned)).toBe(true)
    for (const change of [
      { node: 'cellar' },
      { seq: 2 },
      { hash: '2'.repeat(64) },
      { time: '2026-01-02T03:04:06.000Z' },
    ]) {
      expect(isAuthentic({ ...checkpoint, ...change }, isSigned), JSON.stringify(change)).toBe(false)
    }
  })
})
