/** `POST /v1/embeddings`: what is read of a request, and its answer. Pure. */
import { z } from 'zod'
import { limits } from '../../host/index.ts'
import type { EmbeddedText } from '../view.ts'
import { ParameterError } from './errors.ts'

/** Each is a run of its own, one after the other. */
const MAX_INPUTS = 128
const text = z
  .string()
  .min(1)
  .max(4 * limits.MAX_TURN_TEXT)

export const embeddingRequest = z.object({
  model: z.string().min(1).max(256),
  /** Tokens instead of text would be of another model's alphabet. */
  input: z.union([text, z.array(text).min(1).max(MAX_INPUTS)], {
    error: `a text, or up to ${MAX_INPUTS} of them`,
  }),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.int().min(1).nullish(),
})
export type EmbeddingRequest = z.output<typeof embeddingRequest>

/** Errors: `ParameterError` when another width was asked for than the model has: a part of its vector means nothing. */
export function embeddingReply(
  { encoding_format, dimensions }: EmbeddingRequest,
  model: string,
  embedded: readonly EmbeddedText[],
): object {
  const width = embedded[0]?.vector.length ?? 0
  if (dimensions != null && dimensions !== width)
    throw new ParameterError('dimensions', `dimensions: this model has ${width}`)
  const tokens = embedded.reduce((sum, one) => sum + one.tokens, 0)
  return {
    object: 'list',
    data: embedded.map(({ vector }, index) => ({
      object: 'embedding',
      index,
      embedding: encoding_format === 'base64' ? base64(vector) : [...vector],
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

/** Float32, little endian. */
function base64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}
