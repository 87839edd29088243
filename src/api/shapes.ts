/** The public JSON shapes as zod schemas: requests are checked by them, OpenAPI and the route tests are made from them. */
import { z } from 'zod'
import { personName, privacyScope } from './memory-shapes.ts'
import { label, sessionId, spoken } from './words.ts'

export const askRequest = z.strictObject({
  text: spoken('What the person said, as text.'),
  room: label("Where it was said; the node's room when absent.").optional(),
  session: sessionId.optional(),
  scope: privacyScope.optional(),
  person: personName.optional(),
})

export const sayRequest = z.strictObject({
  text: spoken('What to say.'),
  voice: label('Name of a voice; the default one when absent.').optional(),
})

/** Up to where a satellite has heard a conversation. */
export interface Heard {
  /** The last turn of which a reply began there; 0: none. */
  readonly turn: number
  /** Samples of that reply; null: the whole turn, to its end. */
  readonly samples: number | null
}

export const voiceQuery = z.strictObject({
  room: label("Where the satellite stands; the node's room when absent.").optional(),
  session: sessionId.optional(),
  scope: privacyScope.optional(),
  person: personName.optional(),
  wake: z
    .enum(['on', 'off'])
    .transform((word) => word === 'on')
    .optional()
    .describe('on: nothing before "hey loqa" is heard; off: everything is; absent: as voice.wake says.'),
  heard: z
    .string()
    .regex(/^\d{1,9}(:\d{1,9})?$/, 'must be a turn, or a turn and a sample: 12 or 12:48000')
    .transform((text): Heard => {
      const [turn, samples] = text.split(':')
      return { turn: Number(turn), samples: samples === undefined ? null : Number(samples) }
    })
    .describe(
      'What the satellite has of this conversation: all of a turn (12), or a part of its reply (12:48000).',
    )
    .optional(),
})

const ms = z.number().nullable()

export const capability = z.object({
  tag: z.string(),
  model: z.string(),
  state: z.enum(['starting', 'ready', 'resting', 'restarting', 'failed']),
  p95_ms: ms,
  real_time_factor: z.number().nullable(),
  tokens_per_s: z.number().nullable(),
  restarts: z.int(),
  rss_mb: z.number().nullable(),
  gpu: z.object({ backend: z.string(), free_mb: z.number(), total_mb: z.number() }).optional(),
})

export const hardware = z.object({
  board: z.string().nullable(),
  processor: z.string(),
  features: z.array(z.string()),
  cores: z.int(),
  memory_mb: z.number(),
  battery: z.object({ percent: z.int(), charging: z.boolean() }).nullable(),
  microphones: z.array(z.string()),
  loudspeakers: z.array(z.string()),
  tags: z.array(z.string()).describe('What it is good for: stt.sherpa:rt, mic:kitchen'),
})

const tier = z.enum(['fast', 'balanced', 'rich'])

export const quality = z
  .object({
    tier,
    best: tier,
    fixed: z.boolean(),
    budget_ms: z.number(),
    p95_ms: ms.describe('Of the last turns in this tier, without pauses and skills.'),
    turns: z.int(),
    engines: z.object({
      stt: z.string(),
      llm: z.string().nullable(),
      tts: z.string(),
      plain_tts: z.string().nullable().describe('Says what the voice is late with.'),
    }),
    last_step: z
      .object({ from: tier, to: tier, why: z.enum(['slow-turns', 'spike', 'recovered']), at: z.string() })
      .nullable(),
  })
  .describe('How much quality answers take their time for now, and why.')

export const status = z.object({
  node: z.object({
    id: z.string(),
    name: z.string(),
    room: z.string(),
    version: z.string(),
    pid: z.int(),
    uptime_s: z.number(),
  }),
  household: z.object({ id: z.string(), members: z.int(), open_until: z.string().nullable() }),
  health: z.object({
    state: z.enum(['starting', 'ok', 'degraded', 'stopping']),
    reasons: z.array(z.string()),
  }),
  capabilities: z.array(capability),
  quality,
  hardware: hardware.nullable(),
  sessions: z.int(),
  actors: z.int(),
  notices: z.array(z.string()),
})

const whyNot = z.object({
  reason: z.string().describe('A stable word: unreachable, other-household, pending, clock-wrong …'),
  message: z.string().describe('One sentence for people.'),
  hint: z.string().optional().describe('What to do about it.'),
  code: z.string().optional().describe('Six digits to compare, for nodes that wait to be let in.'),
  tried: z
    .array(z.object({ address: z.string(), error: z.string(), failing_s: z.number() }).readonly())
    .readonly()
    .optional()
    .describe('Where it was tried, and how that ended last.'),
  next_try_s: z.number().optional(),
})

const added = z
  .object({
    sessions: z.int().describe('People who may speak at the same time, over those before it came.'),
    faster: z
      .array(
        z.object({
          kind: z.enum(['stt', 'tts', 'llm']),
          before_ms: ms.describe(
            'What 95 of 100 runs took at the best place before it came; null: nobody could.',
          ),
          after_ms: z.number().describe('What they take there.'),
        }),
      )
      .readonly(),
    text: z.string().describe('The same for people.'),
  })
  .describe('What this node added to what the others can do, seen from the node that is asked.')

export const nodeRow = z.object({
  id: z.string(),
  name: z.string(),
  room: z.string(),
  self: z.boolean(),
  state: z.string(),
  addresses: z.array(z.string()).readonly(),
  rtt_ms: ms,
  capabilities: z.array(z.string()).readonly(),
  why_not_connected: whyNot.nullable(),
  adds: added.nullable(),
})
export type NodeRow = z.infer<typeof nodeRow>

export const actorRow = z.object({
  address: z.string(),
  node: z.string(),
  kind: z.string(),
  state: z.enum(['starting', 'running', 'passive', 'restarting', 'stopping']),
  mailbox: z.int(),
  restarts: z.int(),
})

export const sessionRow = z.object({
  id: z.string(),
  room: z.string(),
  node: z.string(),
  phase: z.string(),
  started_at: z.string(),
})

export const sessionMoved = z.object({
  session: z.string(),
  from: z.string(),
  to: z.string(),
  room: z.string().describe('Where it speaks now, when it went to a room.').exactOptional(),
  away_ms: z.number().describe('How long the conversation handled nothing.'),
})

export const turn = z.object({
  session: z.string(),
  room: z.string(),
  transcript: z.string(),
  partials: z.array(z.string()),
  intent: z.string(),
  slots: z.record(z.string(), z.unknown()),
  reply: z.string(),
  latency_ms: z.object({ endpoint: ms, stt: ms, nlu: ms, skill: ms, tts: ms, total: ms }),
  cut_off: z.boolean(),
  reply_wav: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  notice: z.string().optional().describe('Something the person should know, e.g. why the scope is another.'),
})

export const configRow = z.object({
  key: z.string(),
  value: z.unknown(),
  origin: z.string(),
  about: z.string(),
})

export const doctorRow = z.object({
  check: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  fix: z.string().optional(),
})

export const readiness = z.object({ ready: z.boolean(), reasons: z.array(z.string()) })

export const failure = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
})
