/**
 * The life of one download, as a pure machine: what came in, what is to be done, and the one thing to be asked next.
 *
 * D1 A file gets its name only after its checksum, size and format were found right; whatever a server sends, the end is the
 *    right bytes or a refusal that names the file. D2 What was received is not asked for again while it can be the beginning of
 *    the wanted file; when it cannot, it is thrown away, and said. D3 A source that gave something wrong is not asked again in
 *    this run. D4 Every way of going on is counted and bounded. D5 Whoever stopped it in any way may begin again with `looking`.
 */
import { assertNever, limits } from '../../host/index.ts'
import {
  type Answer,
  type Course,
  type Download,
  type DownloadEvent,
  type Effect,
  type Input,
  MAX_ANEW,
  MAX_CONNECTIONS,
  MAX_FRUITLESS,
  MAX_PAUSE_MS,
  MIB,
  PAUSE_MS,
  SLOW_MIB_MS,
  SPACE_EVERY_BYTES,
  SPARE_BYTES,
  type Step,
} from './course.ts'
import { otherThan } from './formats.ts'
import type { Refusal } from './refusals.ts'
import * as refuse from './refusals.ts'
import type { Journal, Wanted } from './wanted.ts'

const COURSE: Course = {
  source: 0,
  struck: [],
  slow: [],
  fruitless: 0,
  connections: 0,
  anew: 0,
  pieces: 0,
  journal: undefined,
  last: 'it was never asked',
}

export const begin = (): Step => ({
  state: { phase: 'looking', course: COURSE },
  effects: [],
  ask: { type: 'look' },
})

/** `now` in milliseconds, monotonic. */
export function step(state: Download, input: Input, wanted: Wanted, now: number): Step {
  if (input.type === 'disk-full') return refused(state.course, refuse.diskFull(wanted, undefined, undefined))
  switch (state.phase) {
    case 'looking':
      return input.type === 'found' ? found(state.course, input, wanted) : misfit(state, input)
    case 'asking':
      if (input.type === 'answered') return answered(state, input, wanted, now)
      if (input.type !== 'unreachable') return misfit(state, input)
      return input.lasting
        ? strike(
            state.course,
            refuse.absent(wanted, urlOf(state.course, wanted), input.why),
            wanted,
            state.from,
          )
        : again(state.course, wanted, state.from, input.why)
    case 'pausing':
      return input.type === 'paused' ? open(state.course, wanted, state.from) : misfit(state, input)
    case 'receiving':
      return receiving(state, input, wanted, now)
    case 'checking':
      return input.type === 'hashed' ? hashed(state, input, wanted) : misfit(state, input)
    case 'placing':
      return input.type === 'placed' ? ended({ ...state, phase: 'done' }) : misfit(state, input)
    case 'done':
    case 'refused':
      return ended(state)
    default:
      return assertNever(state)
  }
}

const misfit = (state: Download, input: Input): never => {
  throw new Error(`a download that is ${state.phase} was given ${input.type}`)
}

const ended = (state: Download, effects: readonly Effect[] = []): Step => ({
  state,
  effects,
  ask: { type: 'end' },
})

const refused = (course: Course, why: Refusal): Step =>
  ended({ phase: 'refused', course, why }, [{ type: 'close' }])

const urlOf = (course: Course, wanted: Wanted): string => wanted.sources[course.source]!
const tell = (event: DownloadEvent): Effect => ({ type: 'tell', event })

/** What an earlier run left: of use when it is, or may well be, the beginning of what is wanted now. */
function found(course: Course, input: Extract<Input, { type: 'found' }>, wanted: Wanted): Step {
  const { size, journal } = input
  if (size === 0) return open(course, wanted, 0)
  const kept = { ...course, journal, pieces: 2 }
  if (journal !== undefined && belongs(journal, size, wanted)) {
    if (size === wanted.bytes) return check(kept, size)
    const at = wanted.sources.indexOf(journal.url)
    return open({ ...kept, source: Math.max(0, at) }, wanted, size)
  }
  const next = open(course, wanted, 0)
  const why = 'what an earlier download left is no part of this file'
  return { ...next, effects: [{ type: 'discard' }, tell({ event: 'anew', why }), ...next.effects] }
}

/** By its checksum where there is one, the checksum tells in the end; else by the server's word (`If-Range`). */
function belongs(journal: Journal, size: number, wanted: Wanted): boolean {
  if (wanted.bytes !== undefined && size > wanted.bytes) return false
  if (wanted.sha256 !== undefined) return journal.sha256 === wanted.sha256
  return journal.sha256 === undefined && journal.etag !== undefined && wanted.sources.includes(journal.url)
}

function open(course: Course, wanted: Wanted, from: number): Step {
  const url = urlOf(course, wanted)
  const { journal, connections } = course
  if (connections >= MAX_CONNECTIONS) return refused(course, refuse.failed(wanted, url, course.last))
  const etag = from > 0 && journal?.url === url ? journal.etag : undefined
  return {
    state: { phase: 'asking', course: { ...course, connections: connections + 1 }, from },
    effects: [tell({ event: 'source', url, from })],
    ask: { type: 'open', url, from, ...(etag === undefined ? {} : { if_range: etag }) },
  }
}

/** After a connection that ended too soon: the same source, the next one, or the end. */
function again(before: Course, wanted: Wanted, from: number, why: string, pause_ms?: number): Step {
  const course = { ...before, fruitless: before.fruitless + 1, last: why }
  const broken = tell({ event: 'broken', why, bytes: from })
  if (course.fruitless <= MAX_FRUITLESS) {
    const ms = Math.min(pause_ms ?? PAUSE_MS * 2 ** (course.fruitless - 1), MAX_PAUSE_MS)
    return {
      state: { phase: 'pausing', course, from },
      effects: [{ type: 'close' }, broken],
      ask: { type: 'pause', ms },
    }
  }
  const url = urlOf(course, wanted)
  // It may be well again for the next run: only this one asks it no more.
  return strike(course, refuse.failed(wanted, url, why), wanted, from, broken)
}

/** This source is asked no more (D3). What came from it is thrown away when it was wrong, kept when only the line was bad. */
function strike(before: Course, why: Refusal, wanted: Wanted, from: number, ...effects: Effect[]): Step {
  const struck = [...before.struck, { source: before.source, why }]
  const course = { ...before, struck, fruitless: 0, last: why.message }
  const isKept =
    why.code === 'download-failed' || why.code === 'download-absent' || why.code === 'download-forbidden'
  const done: Effect[] = [...effects, { type: 'close' }, ...(isKept ? [] : [{ type: 'discard' } as const])]
  const source = nextSource(course, wanted)
  if (source === undefined)
    return ended({ phase: 'refused', course, why: worst(struck.map((row) => row.why)) }, done)
  // The last one is told by the refusal itself.
  done.push(tell({ event: 'struck', code: why.code, why: why.message }))
  const fitting = isKept && (wanted.sha256 !== undefined || from === 0)
  const next = fitting
    ? open({ ...course, source }, wanted, from)
    : open({ ...course, source, journal: undefined, pieces: 0 }, wanted, 0)
  const gone: Effect[] = fitting || !isKept ? [] : [{ type: 'discard' }]
  return { ...next, effects: [...done, ...gone, ...next.effects] }
}

/** Those that work but are slow come last. */
function nextSource(course: Course, wanted: Wanted): number | undefined {
  const open = wanted.sources
    .map((_, i) => i)
    .filter((i) => !course.struck.some(({ source }) => source === i))
  return open.find((i) => !course.slow.includes(i)) ?? open[0]
}

/** Of several reasons the one that says most about the file. */
const worst = (reasons: readonly Refusal[]): Refusal =>
  refuse.REFUSALS.map((code) => reasons.find((why) => why.code === code)).find((why) => why !== undefined)!

function answered(
  state: Extract<Download, { phase: 'asking' }>,
  answer: Answer,
  wanted: Wanted,
  now: number,
): Step {
  const { course, from } = state
  const url = urlOf(course, wanted)
  const { status } = answer
  if (status === 206 || status === 200) return accepted(state, answer, wanted, now)
  if (status === 416 && from > 0) {
    // All of it is here: nothing is left to ask for.
    if (course.journal?.total === from) return check(course, from)
    return anew(course, wanted, 'the server has less of it than is here')
  }
  if (status === 401 || status === 403)
    return strike(course, refuse.forbidden(wanted, url, status), wanted, from)
  const later = status === 408 || status === 425 || status === 429 || status >= 500
  if (later) return again(course, wanted, from, `HTTP ${status}`, answer.retry_after_ms)
  return strike(course, refuse.absent(wanted, url, `HTTP ${status}`), wanted, from)
}

/** From the first byte, on the same source. Bounded (D4); then the source is given up. */
function anew(before: Course, wanted: Wanted, why: string): Step {
  const course = { ...before, anew: before.anew + 1, pieces: 0, journal: undefined, last: why }
  const effects: Effect[] = [{ type: 'close' }, { type: 'discard' }, tell({ event: 'anew', why })]
  if (course.anew > MAX_ANEW)
    return strike(course, refuse.failed(wanted, urlOf(course, wanted), why), wanted, 0, ...effects)
  const next = open(course, wanted, 0)
  return { ...next, effects: [...effects, ...next.effects] }
}

function accepted(
  state: Extract<Download, { phase: 'asking' }>,
  answer: Answer,
  wanted: Wanted,
  now: number,
): Step {
  const { course, from } = state
  const { journal } = course
  const url = urlOf(course, wanted)
  const whole = answer.status === 200
  const at = whole ? 0 : (answer.range?.from ?? -1)
  if (!whole && at !== from) return anew(course, wanted, 'the server sent another part than was asked for')
  const sameSource = journal?.url === url
  const total = whole ? answer.length : (answer.range?.total ?? sumOf(from, answer.length))
  const expected = wanted.bytes
  if (total !== undefined && expected !== undefined && total !== expected)
    return strike(course, refuse.wrongSize(wanted, url, expected, `${total} bytes`), wanted, from)
  if ((total ?? 0) > limits.MAX_MODEL_BYTES)
    return strike(course, refuse.tooBig(wanted, url, limits.MAX_MODEL_BYTES), wanted, from)
  if (!whole && sameSource && changed(journal, answer.etag, total))
    return anew(course, wanted, 'the file at the server has changed')
  const ignored = whole && from > 0
  if (ignored && course.anew >= MAX_ANEW)
    return strike(
      course,
      refuse.failed(wanted, url, 'it breaks off, and cannot go on in the middle'),
      wanted,
      from,
    )
  const needs = total === undefined ? undefined : total - at
  if (needs !== undefined && answer.space < needs + SPARE_BYTES)
    return refused(course, refuse.diskFull(wanted, needs + SPARE_BYTES, answer.space))
  const kept: Journal = {
    version: 1,
    url,
    ...(answer.etag === undefined ? {} : { etag: answer.etag }),
    ...(total === undefined ? {} : { total }),
    ...(wanted.sha256 === undefined ? {} : { sha256: wanted.sha256 }),
  }
  const why = 'the server begins at the first byte'
  return {
    state: {
      phase: 'receiving',
      course: {
        ...course,
        journal: kept,
        anew: course.anew + (ignored ? 1 : 0),
        pieces: whole ? 1 : course.pieces + 1,
      },
      at,
      begun_at: at,
      total,
      mark: { at, now },
      space_seen_at: at,
    },
    effects: [
      ...(ignored ? [{ type: 'discard' } as const, tell({ event: 'anew', why })] : []),
      { type: 'journal', journal: kept },
      tell({ event: 'progress', bytes: at, total: total ?? expected ?? null }),
    ],
    ask: { type: 'read', space: false },
  }
}

const sumOf = (from: number, length: number | undefined): number | undefined =>
  length === undefined ? undefined : from + length

const changed = (journal: Journal, etag: string | undefined, total: number | undefined): boolean =>
  (journal.etag !== undefined && etag !== undefined && etag !== journal.etag) ||
  (journal.total !== undefined && total !== undefined && total !== journal.total)

type Receiving = Extract<Download, { phase: 'receiving' }>

function receiving(state: Receiving, input: Input, wanted: Wanted, now: number): Step {
  const { course, at, total } = state
  const size = total ?? wanted.bytes
  switch (input.type) {
    case 'chunk':
      return took(state, input, wanted, now)
    case 'ended':
      if (size === undefined || at === size) return check(course, at)
      return stopped(state, wanted, `it ended after ${at} of ${size} bytes`)
    case 'broke':
      // Some servers never say goodbye; nothing is missing.
      if (size !== undefined && at === size) return check(course, at)
      return stopped(state, wanted, input.why)
    default:
      return misfit(state, input)
  }
}

function took(state: Receiving, input: Extract<Input, { type: 'chunk' }>, wanted: Wanted, now: number): Step {
  const { course, total } = state
  const url = urlOf(course, wanted)
  const at = state.at + input.bytes
  const most = wanted.bytes ?? total ?? limits.MAX_MODEL_BYTES
  if (at > most) return strike(course, refuse.wrongSize(wanted, url, most, 'more than that'), wanted, 0)
  const came =
    state.at === 0 && input.bytes >= input.head.length && input.head.length >= 24
      ? otherThan(wanted.format, input.head)
      : undefined
  if (came !== undefined) return strike(course, refuse.wrongKind(wanted, url, came), wanted, 0)
  if (input.space !== undefined && input.space < SPARE_BYTES - SPACE_EVERY_BYTES)
    return refused(course, refuse.diskFull(wanted, most - state.at, input.space))
  const through = at - state.mark.at >= MIB
  if (!through && now - state.mark.now > SLOW_MIB_MS) {
    const slow = [...course.slow, course.source]
    const source = nextSource({ ...course, slow }, wanted)
    if (
      source !== undefined &&
      source !== course.source &&
      !course.slow.includes(source) &&
      wanted.sha256 !== undefined
    ) {
      const next = open({ ...course, slow, source, fruitless: 0 }, wanted, at)
      const why = 'it is too slow'
      return {
        ...next,
        effects: [
          { type: 'append' },
          { type: 'close' },
          tell({ event: 'broken', why, bytes: at }),
          ...next.effects,
        ],
      }
    }
  }
  const looks = at - state.space_seen_at >= SPACE_EVERY_BYTES
  return {
    state: {
      ...state,
      course: { ...course, fruitless: 0 },
      at,
      mark: through ? { at, now } : state.mark,
      space_seen_at: looks ? at : state.space_seen_at,
    },
    effects: [
      { type: 'append' },
      tell({ event: 'progress', bytes: at, total: total ?? wanted.bytes ?? null }),
    ],
    ask: { type: 'read', space: looks },
  }
}

/** Whether the part can be continued is asked of the server; without a checksum only with its ETag. */
function stopped(state: Receiving, wanted: Wanted, why: string): Step {
  const { course, at, begun_at } = state
  if (at > 0 && wanted.sha256 === undefined && course.journal?.etag === undefined)
    return anew(course, wanted, `${why}, and it can only begin again`)
  if (at === begun_at) return again(course, wanted, at, why)
  const next = open({ ...course, last: why }, wanted, at)
  return { ...next, effects: [{ type: 'close' }, tell({ event: 'broken', why, bytes: at }), ...next.effects] }
}

const check = (course: Course, size: number): Step => ({
  state: { phase: 'checking', course, size },
  effects: [{ type: 'close' }, tell({ event: 'checking', bytes: size })],
  ask: { type: 'hash' },
})

/** The file is judged as it lies on the disk, whatever was counted on the way (D1). */
function hashed(
  { course, size }: Extract<Download, { phase: 'checking' }>,
  input: Extract<Input, { type: 'hashed' }>,
  wanted: Wanted,
): Step {
  const url = urlOf(course, wanted)
  const came = otherThan(wanted.format, input.head)
  const expected = wanted.bytes ?? size
  const why =
    came !== undefined
      ? refuse.wrongKind(wanted, url, came)
      : input.size !== expected
        ? refuse.wrongSize(wanted, url, expected, `${input.size} bytes`)
        : wanted.sha256 !== undefined && input.sha256 !== wanted.sha256
          ? refuse.damaged(wanted, url, input.sha256)
          : undefined
  if (why === undefined) {
    const { sha256 } = input
    return {
      state: { phase: 'placing', course, size: input.size, sha256 },
      effects: [],
      ask: { type: 'place' },
    }
  }
  // Put together of pieces, the fault may lie in any of them, of an earlier run too: once more in one piece.
  if (course.pieces > 1 && course.anew < MAX_ANEW) {
    const next = anew(course, wanted, why.message)
    return {
      ...next,
      effects: [tell({ event: 'struck', code: why.code, why: why.message }), ...next.effects],
    }
  }
  return strike(course, why, wanted, 0)
}
