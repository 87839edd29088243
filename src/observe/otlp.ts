/**
 * Spans as an OTLP/HTTP request in JSON. Pure. OpenTelemetry protocol 1.x, "JSON Protobuf Encoding": ids in hexadecimal, times as strings of
 * nanoseconds since 1970, enums as numbers.
 */
import type { Span } from './spans.ts'

/** Who tells it: OpenTelemetry's resource attributes. */
export type Resource = Readonly<Record<string, string>>

const INTERNAL = 1
const ERROR = 2
const NANOSECONDS = 1_000_000n

export function encodeSpans(resource: Resource, spans: readonly Span[]): string {
  const scope = { name: 'loqa-node' }
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeSpans: [{ scope, spans: spans.map(encoded) }],
      },
    ],
  })
}

const encoded = ({ trace_id, span_id, parent_id, name, start_ms, end_ms, attributes, failed }: Span) => ({
  traceId: trace_id,
  spanId: span_id,
  ...(parent_id === undefined ? {} : { parentSpanId: parent_id }),
  ...{ name, kind: INTERNAL, startTimeUnixNano: nanoseconds(start_ms), endTimeUnixNano: nanoseconds(end_ms) },
  attributes: attributesOf(attributes),
  status: failed ? { code: ERROR } : {},
})

/** A number of that size has no room for nanoseconds: microseconds are what a node measures. */
const nanoseconds = (ms: number): string => {
  const whole = Math.floor(ms)
  return String(BigInt(whole) * NANOSECONDS + BigInt(Math.round((ms - whole) * 1_000)) * 1_000n)
}

const attributesOf = (attributes: Span['attributes']) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: encodedValue(value) }))

function encodedValue(value: string | number | boolean) {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}
