/**
 * The hops of a turn as spans, found in the steps it noted down. Pure. A span says how long, by which engine, on which node and how it
 * ended; never what was said, by whom or where.
 */

/** A step of a timeline; `at` in ms since 1970, `at_ms` on the monotonic clock of its node. */
export interface StepSeen {
  readonly trace_id: string
  readonly at: number
  readonly at_ms: number
  readonly kind: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface Span {
  /** 32 hexadecimal digits, one for each turn. */
  readonly trace_id: string
  /** 16 hexadecimal digits, of one trace. */
  readonly span_id: string
  /** Undefined: the turn itself. */
  readonly parent_id: string | undefined
  readonly name: string
  /** Milliseconds since 1970, with fractions. */
  readonly start_ms: number
  readonly end_ms: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly failed: boolean
}

interface Hop {
  readonly name: string
  /** The last of these began it. */
  readonly since: readonly string[]
}

/** By the kind of step that ends it. */
const HOPS: Readonly<Record<string, Hop>> = {
  'turn.endpoint': { name: 'listen', since: ['turn.began', 'turn.resumed'] },
  'stt.text': { name: 'stt', since: ['turn.endpoint'] },
  'stt.failed': { name: 'stt', since: ['turn.began', 'turn.endpoint'] },
  'llm.answer': { name: 'llm', since: ['turn.decided'] },
  'skill.result': { name: 'skill', since: ['turn.decided'] },
  'tts.began': { name: 'tts', since: ['turn.replied'] },
  'tts.failed': { name: 'tts', since: ['turn.replied', 'tts.began'] },
  'turn.ended': { name: 'speak', since: ['tts.began'] },
}

/** Of one turn, oldest first; empty before it has ended. */
export function spansOf(steps: readonly StepSeen[]): readonly Span[] {
  const [first] = steps
  const last = steps.at(-1)
  if (first === undefined || last?.kind !== 'turn.ended') return []
  // The clock of the wall may be set while somebody talks: it says when, the other one how long.
  const at = ({ at_ms }: StepSeen): number => first.at + (at_ms - first.at_ms)
  const { trace_id } = first
  const idOf = (index: number): string => trace_id.slice(0, 14) + index.toString(16).padStart(2, '0')
  const root: Span = {
    ...{ trace_id, span_id: idOf(1), parent_id: undefined, name: 'turn' },
    ...{ start_ms: at(first), end_ms: at(last), attributes: ofTurn(first, steps, last) },
    failed: last.body.error !== undefined,
  }
  const begun = new Map<string, StepSeen>()
  const spans: Span[] = [root]
  for (const step of steps) {
    const hop = HOPS[step.kind]
    const since = hop?.since.flatMap((kind) => begun.get(kind) ?? []).at(-1)
    if (hop !== undefined && since !== undefined) {
      spans.push({
        ...{ trace_id, span_id: idOf(spans.length + 1), parent_id: root.span_id, name: hop.name },
        ...{ start_ms: at(since), end_ms: at(step), attributes: ofHop(step) },
        failed: step.kind !== 'turn.ended' && step.body.error !== undefined,
      })
    }
    begun.set(step.kind, step)
  }
  return spans
}

type Attributes = Readonly<Record<string, string | number | boolean>>

function ofTurn(first: StepSeen, steps: readonly StepSeen[], { body }: StepSeen): Attributes {
  const decided = steps.findLast(
    ({ kind, body: { intent } }) => kind === 'turn.decided' && intent !== undefined,
  )
  const { name: intent } = (decided?.body.intent ?? {}) as { name?: unknown }
  return known({
    'loqa.turn.source': first.body.source,
    'loqa.turn.intent': intent,
    'loqa.turn.end': body.end,
    'loqa.turn.cut_off': body.cut_off,
    'error.type': codeOf(body.error),
  })
}

function ofHop({ kind, body }: StepSeen): Attributes {
  const { model, node } = (body.engine ?? {}) as { model?: unknown; node?: unknown }
  return known({
    'loqa.engine.model': model,
    'loqa.node.id': node,
    'loqa.skill': body.skill,
    ...(kind === 'turn.endpoint' ? { 'loqa.endpoint.cause': body.cause } : {}),
    ...(kind === 'turn.ended' ? {} : { 'error.type': codeOf(body.error) }),
  })
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

const known = (attributes: Readonly<Record<string, unknown>>): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)),
  ) as Attributes
