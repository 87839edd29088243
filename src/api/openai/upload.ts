/** A recording as it is uploaded: `multipart/form-data`, its size and the number of its parts checked before anything of it is read. */
import { z } from 'zod'
import { misfit, ParameterError } from './errors.ts'
import { FORMATS } from './transcript.ts'

/** Ten minutes at 16 kHz are 19 MB; what OpenAI itself takes. */
export const MAX_UPLOAD_BYTES = 25 * 1024 * 1024
/** The file and what the API knows beside it; each costs memory far beyond its bytes. */
const MAX_PARTS = 32
/** RFC 2046 allows no longer boundary. */
const MAX_BOUNDARY = 70

const words = z.string().max(4_096)

const fields = z.object({
  model: z.string().min(1).max(256),
  response_format: z.enum(FORMATS).default('json'),
  stream: z.enum(['true', 'false']).default('false'),
  /** Hints this recogniser has no use for. */
  language: words.optional(),
  prompt: words.optional(),
  temperature: words.optional(),
  granularities: z.array(z.literal('segment')).default([]),
  include: z.array(z.never()).default([]),
})

export interface Upload {
  readonly file: Uint8Array
  readonly model: string
  readonly response_format: z.output<typeof fields>['response_format']
  readonly stream: boolean
}

/** Errors: `ParameterError`. */
export async function readUpload(contentType: string, body: Buffer): Promise<Upload> {
  const form = await formOf(contentType, body)
  const file = form.get('file')
  if (!(file instanceof Blob)) throw new ParameterError('file', 'file: the recording is missing')
  const one = (name: string): string | undefined => {
    const value = form.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const read = fields.safeParse({
    ...Object.fromEntries(
      ['model', 'response_format', 'stream', 'language', 'prompt', 'temperature'].map((name) => [
        name,
        one(name),
      ]),
    ),
    granularities: form.getAll('timestamp_granularities[]'),
    include: form.getAll('include[]'),
  })
  if (!read.success) throw misfit(read.error)
  const { model, response_format, stream } = read.data
  const streamed = stream === 'true'
  if (streamed && response_format !== 'json' && response_format !== 'text')
    throw new ParameterError('stream', `stream: not with response_format ${response_format}`)
  return { file: new Uint8Array(await file.arrayBuffer()), model, response_format, stream: streamed }
}

async function formOf(contentType: string, body: Buffer): Promise<FormData> {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) throw new ParameterError('', 'The form has no boundary in its content-type')
  let parts = 0
  for (let at = body.indexOf(boundary); at >= 0; at = body.indexOf(boundary, at + boundary.length)) {
    parts += 1
    // The one after the last part ends the form.
    if (parts > MAX_PARTS + 1) throw new ParameterError('', `The form has more than ${MAX_PARTS} parts`)
  }
  try {
    return await new Response(body as Buffer<ArrayBuffer>, {
      headers: { 'content-type': contentType },
    }).formData()
  } catch {
    throw new ParameterError('', 'The form cannot be read')
  }
}

function boundaryOf(contentType: string): string | undefined {
  const found = /;\s*boundary=(?:"([^"\r\n]+)"|([^\s;"]+))/i.exec(contentType)
  const boundary = found?.[1] ?? found?.[2]
  return boundary === undefined || boundary.length > MAX_BOUNDARY ? undefined : `--${boundary}`
}
