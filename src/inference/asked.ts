/**
 * Engine work that crosses nodes: what another node asks is judged before an engine process sees it, and what another node's engine
 * says before a conversation does. A member may be of another version, damaged or taken over; that costs the run, no more.
 */
import { z } from 'zod'
import type { OutsideEffect } from '../actors/index.ts'
import { limits } from '../host/index.ts'
import type { EngineEvent } from './engine.ts'

/** What a run may be given in one piece: a second of audio. Conversations send 20 ms. */
const MAX_FED_SAMPLES = limits.SAMPLE_RATE
/** A turn's text with the words around it; as much may be spoken or be asked of a language model at a time. */
const MAX_ASKED_TEXT = 4 * limits.MAX_TURN_TEXT
const MAX_TOKENS = 8_192
/** What a voice may say in one piece is what fits a frame between nodes; and at which rate. */
const MAX_RATE = 48_000
const MAX_SPOKEN_SAMPLES = limits.MAX_FRAME_BYTES / 2
const MAX_VOICE = 64
/** A schema is compiled to a grammar: its size is bounded, its depth by the decoder. */
const MAX_SCHEMA_CHARACTERS = 64 * 1024

/** All that was said in a conversation, in characters: it fits a frame between nodes even when each of them takes four bytes. */
export const MAX_CHAT_TEXT = 48 * 1024
/** So many turns of one conversation; each costs a few tokens beside its text. */
export const MAX_CHAT_MESSAGES = 512
/** Words that end an answer, and characters of each: all are looked for at every token. */
const MAX_STOPS = 4
const MAX_STOP = 256
/** Numbers in an embedding; the widest models there are have 12,288. */
export const MAX_VECTOR = 16_384

const text = z.string().max(MAX_ASKED_TEXT)
const schema = z.record(z.string(), z.unknown()).refine(isSmall)

const request = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stt'), sample_rate: z.literal(16_000) }),
  z.strictObject({
    kind: z.literal('llm'),
    prompt: text,
    schema: schema.exactOptional(),
    max_tokens: z.int().min(1).max(MAX_TOKENS),
    temperature: z.number().min(0).max(2).exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('chat'),
    messages: z
      .array(
        z.strictObject({
          role: z.enum(['system', 'user', 'assistant']),
          content: z.string().max(MAX_CHAT_TEXT),
        }),
      )
      .min(1)
      .max(MAX_CHAT_MESSAGES)
      .refine((messages) => lengthOf(messages) <= MAX_CHAT_TEXT),
    schema: schema.exactOptional(),
    max_tokens: z.int().min(1).max(MAX_TOKENS).exactOptional(),
    temperature: z.number().min(0).max(2).exactOptional(),
    top_p: z.number().min(0).max(1).exactOptional(),
    seed: z.int().min(0).max(0xffff_ffff).exactOptional(),
    stop: z.array(z.string().min(1).max(MAX_STOP)).max(MAX_STOPS).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('embedding'), text }),
  z.strictObject({ kind: z.literal('speaker'), sample_rate: z.literal(16_000) }),
  z.strictObject({
    kind: z.literal('tts'),
    text: text.exactOptional(),
    voice: z.string().max(MAX_VOICE).exactOptional(),
    speed: z.number().min(0.5).max(2).exactOptional(),
  }),
])

const input = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('audio'),
    samples: z
      .instanceof(Float32Array)
      .refine((samples) => samples.length <= MAX_FED_SAMPLES && samples.every(isSample)),
  }),
  z.strictObject({ type: z.literal('text'), text }),
])

function lengthOf(messages: readonly { readonly content: string }[]): number {
  return messages.reduce((sum, { content }) => sum + content.length, 0)
}

function isSmall(schema: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(schema).length <= MAX_SCHEMA_CHARACTERS
}

const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER)

const event = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('partial'), text }),
  z.strictObject({ type: z.literal('final'), text, confidence: z.number().min(0).max(1).exactOptional() }),
  z.strictObject({ type: z.literal('token'), text }),
  z.strictObject({
    type: z.literal('audio'),
    samples: z.instanceof(Int16Array).refine(({ length }) => length <= MAX_SPOKEN_SAMPLES),
    sample_rate: z.int().min(8_000).max(MAX_RATE),
  }),
  z.strictObject({
    type: z.literal('embedding'),
    vector: z.instanceof(Float32Array).refine(({ length }) => length >= 1 && length <= MAX_VECTOR),
  }),
  z.strictObject({
    type: z.literal('done'),
    reason: z.enum(['stop', 'length']).exactOptional(),
    usage: z.strictObject({
      input_tokens: count.exactOptional(),
      output_tokens: count.exactOptional(),
      audio_ms: count.exactOptional(),
      compute_ms: count,
    }),
  }),
])

/** NaN compares false with everything. */
const isSample = (sample: number): boolean => sample >= -1 && sample <= 1

/** Whether an engine may be given this, wherever it comes from. */
export function isEngineWork({ op, body }: Pick<OutsideEffect<'infer'>, 'op' | 'body'>): boolean {
  if (op === 'open') return request.safeParse(body).success
  if (op === 'feed') return input.safeParse(body).success
  return op === 'finish'
}

/** Whether an engine may have said this. Failures travel apart from events, as error shapes. */
export const isEngineEvent = (body: unknown): body is EngineEvent => event.safeParse(body).success
