/**
 * The streams of a link on the wire: each class has a protocol of its own, named with its version, so that two nodes agree
 * on the newest both speak while they open the stream.
 *
 * Versions, append only:
 * 1 — the first: frames as `frames.ts` cuts them, in both directions, nothing before them.
 */
import { STREAM_CLASSES, type StreamClass } from './mesh.ts'

export const TRANSPORT_VERSION = 1
/** One version back, so that a household can be updated one node after the other. */
export const OLDEST_UNDERSTOOD = Math.max(1, TRANSPORT_VERSION - 1)

const protocolOf = (streamClass: StreamClass, version: number): string => `/loqa/${version}/${streamClass}`

/** What a dialler offers for a class, the newest first. */
export function protocolsOf(streamClass: StreamClass): string[] {
  const versions = Array.from(
    { length: TRANSPORT_VERSION - OLDEST_UNDERSTOOD + 1 },
    (_, i) => TRANSPORT_VERSION - i,
  )
  return versions.map((version) => protocolOf(streamClass, version))
}

/** Every protocol a node answers, with what it means. */
export const ANSWERED: readonly { readonly protocol: string; readonly streamClass: StreamClass }[] =
  STREAM_CLASSES.flatMap((streamClass) =>
    protocolsOf(streamClass).map((protocol) => ({ protocol, streamClass })),
  )
