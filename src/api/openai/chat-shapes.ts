/** `POST /v1/chat/completions`: what is read of a request. Parts that change nothing here (`user`, `store` …) are passed over. */
import { z } from 'zod'
import { ParameterError } from './errors.ts'

/** Characters of all that was said so far; it fits a frame between nodes even when each takes four bytes. */
export const MAX_TEXT = 48 * 1024
const MAX_MESSAGES = 512
const MAX_TOOLS = 64
const MAX_PARTS = 64
/** As in OpenAI's API. */
const MAX_STOPS = 4
const MAX_NAME = 64

const text = z.string().max(MAX_TEXT)
const name = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(MAX_NAME)
const part = z.object({ type: z.string().max(64), text: text.optional(), refusal: text.optional() })
const content = z.union([text, z.array(part).max(MAX_PARTS)])

const calledTool = z.object({
  id: z.string().max(128),
  type: z.literal('function'),
  function: z.object({ name, arguments: text }),
})

const message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer', 'user']), content }),
  z.object({
    role: z.literal('assistant'),
    content: content.nullish(),
    tool_calls: z.array(calledTool).max(MAX_TOOLS).nullish(),
  }),
  z.object({ role: z.literal('tool'), content, tool_call_id: z.string().max(128) }),
])
export type GivenMessage = z.output<typeof message>

const tool = z.object({
  type: z.literal('function'),
  function: z.object({
    name,
    description: z.string().max(4_096).nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
})
export type GivenTool = z.output<typeof tool>['function']

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['text', 'json_object']) }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: z.string().max(MAX_NAME),
      schema: z.record(z.string(), z.unknown()).nullish(),
      strict: z.boolean().nullish(),
    }),
  }),
])

const tokens = z.int().min(1).max(131_072).nullish()

export const chatRequest = z.object({
  model: z.string().min(1).max(256),
  messages: z.array(message).min(1).max(MAX_MESSAGES),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1).max(256), z.array(z.string().min(1).max(256)).max(MAX_STOPS)]).nullish(),
  response_format: responseFormat.nullish(),
  tools: z.array(tool).max(MAX_TOOLS).nullish(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.object({ type: z.literal('function'), function: z.object({ name }) }),
    ])
    .nullish(),
})
export type ChatRequest = z.output<typeof chatRequest>

/** Parts of the API that would change the answer and that this node does not have; each with the values that ask for nothing. */
const UNKEPT: Readonly<Record<string, (value: unknown) => boolean>> = {
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  frequency_penalty: (value) => value === 0,
  presence_penalty: (value) => value === 0,
  logit_bias: (value) => typeof value === 'object' && Object.keys(value as object).length === 0,
  modalities: (value) => Array.isArray(value) && value.every((one) => one === 'text'),
  audio: () => false,
  functions: () => false,
  function_call: () => false,
  prediction: () => false,
  web_search_options: () => false,
}

/** Errors: `ParameterError` that names the first part that cannot be kept. */
export function refuseUnkept(body: Readonly<Record<string, unknown>>): void {
  for (const [param, asksNothing] of Object.entries(UNKEPT)) {
    const value = body[param]
    if (value === undefined || value === null || asksNothing(value)) continue
    throw new ParameterError(param, `${param} cannot be kept by this node; leave it out`)
  }
}
