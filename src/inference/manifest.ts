/** The list of models beside their files: which there are and what they must be, byte for byte. */
import { isAbsolute, normalize } from 'node:path'
import { z } from 'zod'
import { limits } from '../host/index.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const bytes = z.int().min(0).max(limits.MAX_MODEL_BYTES)

const fileSchema = z.object({
  /** What the file is to its engine: `model`, `tokens`, `encoder` … */
  role: z.string().min(1).max(64),
  /** Relative to the manifest, inside its directory. */
  path: z
    .string()
    .min(1)
    .max(512)
    .refine(
      (path) => !isAbsolute(path) && !normalize(path).startsWith('..'),
      'leads out of the models directory',
    ),
  sha256,
  bytes,
  /** Stored packed; `sha256` and `bytes` are those of the packed file. */
  encoding: z.enum(['none', 'gzip']).default('none'),
})

const modelSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  kind: z.enum(['stt', 'llm', 'tts', 'vad', 'wake', 'embedding']),
  engine: z.string().min(1).max(64),
  files: z.array(fileSchema).max(32),
  licence: z.string().max(256).default('unknown'),
  languages: z.array(z.string().max(16)).max(128).default([]),
  /** What the adapter needs to know beyond the files. */
  parameters: z.record(z.string(), z.unknown()).default({}),
  /** What it was made for, e.g. that it knows synthesized voices only. */
  covers: z.string().max(512).default(''),
})

export const manifestSchema = z.object({
  version: z.literal(1).default(1),
  models: z.array(modelSchema).max(1_000),
})

export type Model = z.infer<typeof modelSchema>
