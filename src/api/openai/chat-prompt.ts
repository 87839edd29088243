/**
 * What the language model is asked, from what a program asked of the API. Pure.
 *
 * Q1 The model sees three roles, system, user and assistant: a tool's call is what the assistant said, its result what the user says.
 * Q2 With a schema, or with tools, the answer is one JSON object under a grammar: `{"tool", "arguments"}` or `{"reply"}`. What the
 *    grammar allows is what `tool_choice` allows.
 */
import type { WriteRequest } from '../view.ts'
import { type ChatRequest, type GivenMessage, type GivenTool, MAX_TEXT } from './chat-shapes.ts'
import { ParameterError } from './errors.ts'
import { ANY_OBJECT, grammarSchema, type JsonSchema } from './grammar-schema.ts'

/** How the tokens of the answer are to be read. */
export type AnswerForm =
  | { readonly type: 'text' }
  /** The answer is JSON, and so is the content. */
  | { readonly type: 'json' }
  /** A tool or a reply; the reply is a text, or JSON itself. */
  | { readonly type: 'tools'; readonly reply: 'text' | 'json' }

export interface Prompt {
  readonly asked: Omit<WriteRequest, 'engine'>
  readonly form: AnswerForm
}

type Message = WriteRequest['messages'][number]

/** Errors: `ParameterError`. */
export function promptOf(request: ChatRequest): Prompt {
  const tools = offeredTools(request)
  const wanted = wantedSchema(request)
  const must = request.tool_choice === 'required' || typeof request.tool_choice === 'object'
  const messages = readMessages(request.messages)
  const characters = messages.reduce((sum, { content }) => sum + content.length, 0)
  if (characters > MAX_TEXT)
    throw new ParameterError('messages', `messages: more than ${MAX_TEXT} characters together`, 'too-large')
  const instructions: string[] = []
  let schema: JsonSchema | undefined = wanted
  let form: AnswerForm = wanted === undefined ? { type: 'text' } : { type: 'json' }
  if (tools.length > 0) {
    instructions.push(toolInstructions(tools, must))
    const reply = { type: 'object', properties: { reply: wanted ?? { type: 'string' } } }
    schema = { oneOf: [...tools.map(({ call }) => call), ...(must ? [] : [reply])] }
    form = { type: 'tools', reply: wanted === undefined ? 'text' : 'json' }
  }
  if (wanted !== undefined) instructions.push(`Answer with JSON of this schema: ${JSON.stringify(wanted)}`)
  return {
    asked: {
      messages: instructed(messages, instructions),
      ...(schema === undefined ? {} : { schema }),
      ...settingsOf(request),
      // A stop word in the midst of a call would leave half a call.
      ...(request.stop == null || form.type === 'tools' ? {} : { stop: [request.stop].flat() }),
    },
    form,
  }
}

function settingsOf({ max_completion_tokens, max_tokens, temperature, top_p, seed }: ChatRequest) {
  const most = max_completion_tokens ?? max_tokens ?? undefined
  return {
    ...(most === undefined ? {} : { max_tokens: Math.min(most, MOST_TOKENS) }),
    ...(temperature == null ? {} : { temperature }),
    ...(top_p == null ? {} : { top_p }),
    // Any whole number there; an engine takes 32 bits.
    ...(seed == null ? {} : { seed: seed >>> 0 }),
  }
}

/** What an engine takes; an answer this long fits no context it has anyhow. */
const MOST_TOKENS = 8_192

function wantedSchema({ response_format }: ChatRequest): JsonSchema | undefined {
  if (response_format?.type === 'json_object') return ANY_OBJECT
  if (response_format?.type !== 'json_schema') return undefined
  const { schema, strict } = response_format.json_schema
  return schema == null ? ANY_OBJECT : grammarSchema(schema, 'response_format', strict ?? false)
}

interface Offered {
  readonly tool: GivenTool
  readonly parameters: JsonSchema
  /** Schema of a call of it. */
  readonly call: JsonSchema
}

function offeredTools({ tools, tool_choice }: ChatRequest): readonly Offered[] {
  const given = (tools ?? []).map((one) => one.function)
  if (tool_choice === 'none') return []
  if (given.length === 0 && tool_choice != null && tool_choice !== 'auto')
    throw new ParameterError('tool_choice', 'tool_choice: there are no tools to choose from')
  const only = typeof tool_choice === 'object' ? tool_choice?.function.name : undefined
  const chosen = only === undefined ? given : given.filter(({ name }) => name === only)
  if (only !== undefined && chosen.length === 0)
    throw new ParameterError('tool_choice', `tool_choice: there is no tool called ${only}`)
  return chosen.map((tool, index) => {
    const none: JsonSchema = { type: 'object', properties: {} }
    const parameters =
      tool.parameters == null || Object.keys(tool.parameters).length === 0
        ? { ...none, additionalProperties: false }
        : grammarSchema(tool.parameters, `tools.${index}.function.parameters`, tool.strict ?? false)
    const properties = { tool: { const: tool.name }, arguments: parameters }
    return { tool, parameters, call: { type: 'object', properties } }
  })
}

function toolInstructions(tools: readonly Offered[], must: boolean): string {
  const lines = tools.map(
    ({ tool: { name, description }, parameters }) =>
      `- ${name}${description == null ? '' : `: ${description}`}. Arguments: ${JSON.stringify(parameters)}`,
  )
  const use = '{"tool": its name, "arguments": its arguments}'
  return [
    'There are these tools:',
    ...lines,
    must
      ? `Use one by answering with JSON: ${use}`
      : `Answer with JSON: ${use} to use one, or {"reply": your answer}.`,
  ].join('\n')
}

/** In the first system message, or as one: many templates know only that one. */
function instructed(messages: readonly Message[], instructions: readonly string[]): readonly Message[] {
  if (instructions.length === 0) return messages
  const text = instructions.join('\n\n')
  const [first, ...rest] = messages
  return first?.role === 'system'
    ? [{ role: 'system', content: `${first.content}\n\n${text}` }, ...rest]
    : [{ role: 'system', content: text }, ...messages]
}

function readMessages(given: readonly GivenMessage[]): readonly Message[] {
  const called = new Map<string, string>()
  return given.map((message, index): Message => {
    const where = `messages.${index}`
    switch (message.role) {
      case 'system':
      case 'developer':
        return { role: 'system', content: textOf(message.content, where) }
      case 'user':
        return { role: 'user', content: textOf(message.content, where) }
      case 'tool': {
        const name = called.get(message.tool_call_id)
        if (name === undefined)
          throw new ParameterError(where, `${where}: no tool was called with this tool_call_id before`)
        return { role: 'user', content: `Result of ${name}: ${textOf(message.content, where)}` }
      }
      default: {
        const calls = message.tool_calls ?? []
        for (const call of calls) called.set(call.id, call.function.name)
        const said = message.content == null ? '' : textOf(message.content, where)
        const asWritten = calls.map(
          ({ function: { name, arguments: values } }) =>
            `{"tool":${JSON.stringify(name)},"arguments":${values}}`,
        )
        return { role: 'assistant', content: [said, ...asWritten].filter((one) => one !== '').join('\n') }
      }
    }
  })
}

function textOf(content: NonNullable<GivenMessage['content']>, where: string): string {
  if (typeof content === 'string') return content
  return content
    .map(({ type, text, refusal }, index) => {
      const read = type === 'text' ? text : type === 'refusal' ? refusal : undefined
      if (read !== undefined) return read
      const param = `${where}.content.${index}`
      throw new ParameterError(param, `${param}: this node reads text only, not ${JSON.stringify(type)}`)
    })
    .join('\n')
}
