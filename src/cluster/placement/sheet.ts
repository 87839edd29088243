/**
 * What a node tells the others about itself, in gossip: what it can do, how well it did it lately, and how busy it is. The
 * schema comes first; a sheet that does not fit is not believed at all.
 */
import { z } from 'zod'
import type { NodeId } from '../../host/index.ts'

/** Offers of one node; a large machine has a dozen engines. */
export const MAX_OFFERS = 64
/** Longest tag: kind, engine, model, size, quantisation. */
export const MAX_TAG = 128
/** Far beyond any engine; keeps sums exact. */
const MAX_MS = 3_600_000
const MAX_RUNS = 65_536

const offer = z.strictObject({
  /** E.g. `stt.sherpa:rt`, `llm.llama3:3b:q4_k_m`. */
  tag: z
    .string()
    .max(MAX_TAG)
    .regex(/^[a-z][A-Za-z0-9_.:-]*$/),
  /** Wait for its first result, measured; null before the first measurement. */
  p95_ms: z.number().min(0).max(MAX_MS).nullable(),
  /** Runs it has now. */
  queue: z.int().min(0).max(MAX_RUNS),
  /** Runs it takes at once. */
  capacity: z.int().min(1).max(MAX_RUNS),
  /** How good its results are among offers for the same; larger is better. Only the `rich` tier asks. */
  grade: z.number().min(0).max(1_000),
})

export const sheetSchema = z.strictObject({
  node: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9_-]+$/)
    .transform((id) => id as NodeId),
  /** Life of the node and number of the sheet within it: the higher is the newer. */
  boot: z.int().min(0).max(0xffff_ffff),
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  offers: z.array(offer).max(MAX_OFFERS),
  room: z.string().max(64).nullable(),
  /** Share of its processors at work, 0 to 1. */
  load: z.number().min(0).max(1),
})

export type Offer = Readonly<z.infer<typeof offer>>
export type Sheet = Readonly<z.infer<typeof sheetSchema>>
