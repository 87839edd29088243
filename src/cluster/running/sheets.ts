/**
 * What every member can do, as it says itself: its capability sheet. Sheets are small and change seldom; each node tells its own
 * to every member directly, with a number that grows. Pure.
 *
 * T1 Of one life of a node the highest number counts; a new life starts over.
 * T2 A sheet is believed about nobody but the member whose link it came on.
 */
import { z } from 'zod'
import type { NodeId } from '../../host/index.ts'

/** Capabilities one node may offer: a machine with every engine has about ten. */
export const MAX_CAPABILITIES = 64
/** Rooms in which one node has a loudspeaker: a machine serves a few satellites. */
export const MAX_SPEAKERS = 32

const measured = z.number().min(0).max(1e9).nullable()

export const sheetSchema = z.strictObject({
  version: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  room: z.string().min(1).max(64),
  /** Of the node's program, for people. */
  program: z.string().max(64),
  capabilities: z
    .array(
      z.strictObject({
        tag: z.string().regex(/^[\x21-\x7e]{1,128}$/),
        ready: z.boolean(),
        p95_ms: measured,
        real_time_factor: measured,
        tokens_per_s: measured,
        /** How far behind speech it was lately, ms. Absent: it does not say. */
        lag_ms: z.number().min(0).max(1e9).exactOptional(),
        /** Runs it takes at once, and how many are under way. */
        room: z.int().min(0).max(65_535),
        running: z.int().min(0).max(65_535),
      }),
    )
    .max(MAX_CAPABILITIES),
  /** Share of the machine's processors in use over the last seconds, 0 to 1, in steps (`load.ts`); null: not known yet. */
  load: measured,
  /** Port at which it serves satellites of other machines. Absent: none. */
  http: z.int().min(1).max(65_535).exactOptional(),
  /** Rooms in which it has a loudspeaker in reach now. Absent: it does not say. */
  speakers: z.array(z.string().min(1).max(64)).max(MAX_SPEAKERS).exactOptional(),
})
export type Sheet = z.infer<typeof sheetSchema>

export interface KnownSheet {
  readonly boot: string
  readonly sheet: Sheet
}
export type Sheets = ReadonlyMap<NodeId, KnownSheet>

/** The same map when the sheet is an older one. */
export function learned(sheets: Sheets, node: NodeId, boot: string, sheet: Sheet): Sheets {
  const known = sheets.get(node)
  if (known !== undefined && known.boot === boot && known.sheet.version >= sheet.version) return sheets
  return new Map(sheets).set(node, { boot, sheet })
}

export function forgotten(sheets: Sheets, node: NodeId): Sheets {
  if (!sheets.has(node)) return sheets
  const rest = new Map(sheets)
  rest.delete(node)
  return rest
}
