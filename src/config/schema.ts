/**
 * Every choice a person has, once: unit in the name, default, range, what it is for. What nobody should need to choose is a
 * limit (`host/limits.ts`). All in one file, long as it is: whoever looks for a choice looks in one place. A leaf's description
 * says why the default is what it is; `allowed` puts a pattern in words.
 */
import { z } from 'zod'
import { PRIVACY_SCOPES } from '../host/index.ts'

/** Letters a host name may have too, so that a node's name can be announced on the network as it is. */
const name = (about: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}$/)
    .describe(about)
    .meta({ allowed: '1 to 63 letters, digits, spaces or _ . - starting with a letter or digit' })

const port = (about: string) => z.int().min(0).max(65_535).describe(about)
const whole = (min: number, max: number, about: string) => z.int().min(min).max(max).describe(about)
const number = (min: number, max: number, about: string) => z.number().min(min).max(max).describe(about)
const path = (about: string) => z.string().max(4_096).describe(about).meta({ allowed: 'a path' })
const list = (about: string) => z.array(z.string().min(1).max(255)).max(64).describe(about)
const model = (about: string) =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/)
    .default('auto')
    .describe(about)
    .meta({
      allowed: 'auto, off, or the id of a model that loqa models ls --here lists',
    })

/** A model of a server somewhere else. */
const elsewhere = (about: string) => z.string().max(128).default('').describe(about)

const node = z.strictObject({
  name: name('What this machine is called in tables and on the network.').default('loqa'),
  room: name('The room this machine stands in: commands without a room mean this one.').default('home'),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Z]{2})?$/)
    .default('en')
    .describe('Which of its languages a skill’s sentences are understood in; English where it has no other.')
    .meta({ allowed: 'a language like en, de or de-AT' }),
  data_dir: path('Where the node keeps everything it must not lose. One node per directory.').default(''),
})

const api = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(255)
    .default('127.0.0.1')
    .describe('Address HTTP listens on. Anything but loopback needs api.token_file.')
    .meta({ allowed: 'an IP address or host name' }),
  port: port('Port of HTTP and WebSocket; 0 takes a free one, written to runtime.json.').default(7420),
  token_file: path(
    'File whose first line is the token every request must carry; at least 32 characters.',
  ).default(''),
  certificate_file: path(
    'PEM file with a certificate, its chain and its private key, for https on the port of http. Empty: the node makes one of its own where others can reach it.',
  ).default(''),
  allowed_hosts: list(
    'Names this node is reached by, beside loopback and IP addresses: guards against DNS rebinding.',
  ).default([]),
  allowed_origins: list(
    "Web origins that may use the API beside the node's own pages, e.g. http://panel.lan:8080.",
  ).default([]),
  requests_per_minute: whole(
    10,
    1_000_000,
    'Requests one address may make; a page polling each second uses 60. A tenth of it may come at once.',
  ).default(1_200),
  ask_timeout_ms: whole(
    500,
    120_000,
    'How long a text command may take. A language model on a slow machine needs 10 s.',
  ).default(20_000),
  max_voice_connections: whole(
    1,
    64,
    'Voice connections at once; each holds a recogniser stream of about 3 MB.',
  ).default(64),
  voice_idle_timeout_s: number(
    0.1,
    86_400,
    'A voice connection that sends no sound for so long is closed: a satellite that listens sends all the time.',
  ).default(300),
})

const service = (about: string) =>
  z
    .string()
    .max(255)
    .regex(/^$|^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[1-9]\d{0,4}$/)
    .refine((text) => text === '' || URL.canParse(text))
    .default('')
    .describe(`${about} What people say, or what they are answered, is sent there, readable on the way.`)
    .meta({ allowed: 'an address like tcp://HOST:PORT' })

const wyoming = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('Be a recogniser, a voice and an assistant for Home Assistant and its satellites.'),
  host: z
    .string()
    .min(1)
    .max(255)
    .default('127.0.0.1')
    .describe(
      'Address Wyoming listens on. The protocol knows no password: beyond loopback everybody on the network may use it.',
    )
    .meta({ allowed: 'an IP address or host name' }),
  port: port('Port of Wyoming; 0 takes a free one, written to runtime.json.').default(7423),
  rooms: z
    .array(
      z
        .string()
        .max(128)
        .regex(/^[0-9A-Fa-f.:]{2,45}=[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}$/),
    )
    .max(64)
    .default([])
    .describe(
      'Rooms of clients by their address, e.g. "192.168.1.31=kitchen": what they ask means that room; others are in the room of the node.',
    )
    .meta({ allowed: 'a list of at most 64 texts like ADDRESS=ROOM' }),
  usual_ports: z
    .boolean()
    .default(true)
    .describe(
      'Serve also at the ports programs of this kind have as a rule, 10300 hearing, 10200 speaking and 10400 the wake word; one that is taken is left alone.',
    ),
  announce: z
    .boolean()
    .default(true)
    .describe(
      'Announce Wyoming by multicast DNS where it listens, so that Home Assistant finds it by itself.',
    ),
  stt_url: service(
    'Wyoming service that hears recordings for this node, e.g. tcp://192.168.1.20:10300; empty is none.',
  ),
  tts_url: service(
    'Wyoming service that speaks for this node, e.g. tcp://192.168.1.20:10200; empty is none.',
  ),
  tts_voice: z.string().max(64).default('').describe('Voice of that service; empty is its own choice.'),
  first: z
    .boolean()
    .default(true)
    .describe(
      'Whether those services are asked first and the own engines do what they cannot; else they are asked where there is no own engine with room.',
    ),
  timeout_ms: whole(500, 120_000, 'Silence after which such a service counts as hanging.').default(10_000),
})

const cluster = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe('Be a node of a household. Without it the node listens to nobody and runs alone.'),
  port: port('TCP port the members of the household connect to; 0 takes a free one.').default(7421),
  enrolment_port: port(
    'TCP port where nodes ask to be let in, and nothing else is served; 0 takes a free one.',
  ).default(7422),
  peers: list(
    'Addresses of nodes to connect to, for networks where discovery is blocked: 192.168.1.20 or attic.lan:7421.',
  ).default([]),
  discovery: z
    .boolean()
    .default(true)
    .describe('Announce this node by multicast DNS on every network it is in, and find others so.'),
  locked: z
    .boolean()
    .default(false)
    .describe('Found the household without the ten minutes in which nodes nearby may join by themselves.'),
  patience: z
    .enum(['lan', 'wifi', 'test'])
    .default('lan')
    .describe(
      'How long a silent node is waited for: lan suspects after 1.2 s, wifi after half as long again, test is five times as fast.',
    ),
})

const voice = z.strictObject({
  wake: z
    .enum(['off', 'on'])
    .default('off')
    .describe(
      'Microphones that do not hold a button hear nothing before "hey loqa"; a client may ask for either.',
    ),
  voice: z
    .string()
    .max(64)
    .default('')
    .describe('Name of the voice that answers; empty is the default voice of the engine.'),
  speed: number(0.5, 2, 'How fast it speaks; 1 is natural.').default(1),
  pause_complete_ms: whole(
    20,
    2_000,
    'Silence that ends a sentence which is a whole command. Shorter answers sooner and cuts in more often.',
  ).default(100),
  pause_extendable_ms: whole(
    20,
    3_000,
    'Silence that ends a whole command whose last value could grow ("five minutes" … "and ten seconds").',
  ).default(240),
  pause_open_ms: whole(
    20,
    5_000,
    'Silence that ends a whole command which commonly goes on ("add milk" … "and bread", "… in the kitchen").',
  ).default(900),
  pause_yielded_ms: whole(
    20,
    3_000,
    'Silence that ends a command which could go on or lacks something, when the voice falls as at an end.',
  ).default(280),
  pause_incomplete_ms: whole(
    100,
    5_000,
    'Silence that ends a sentence which is no command yet: people pause up to 0.8 s inside one.',
  ).default(900),
  pause_unheard_ms: whole(100, 10_000, 'Silence that ends speech in which no word was recognised.').default(
    1_200,
  ),
  utterance_max_ms: whole(2_000, 30_000, 'Longest utterance; a television talks for longer.').default(15_000),
  follow_up_timeout_ms: whole(
    1_000,
    60_000,
    'How long a question of the assistant waits for its answer.',
  ).default(8_000),
  session_idle_timeout_s: whole(
    10,
    86_400,
    'A conversation forgets its context ("and in the kitchen") after so long without a word.',
  ).default(300),
  play_ahead_ms: whole(
    40,
    1_000,
    'Speech sent ahead of its time: covers network jitter, but is what a person still hears after interrupting.',
  ).default(200),
  reply_cache_mb: whole(0, 512, 'Memory for speech that was said before, so that it starts at once.').default(
    16,
  ),
})

/** A name arecord -L, aplay -L or pactl list short knows. */
const sound = (about: string) =>
  z
    .string()
    .max(128)
    .regex(/^$|^[A-Za-z0-9_][^\s]*$/)
    .default('')
    .describe(about)
    .meta({ allowed: 'a name without spaces that begins with a letter or digit' })

const audio = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      'Listen and speak in the room of this node through the microphone and the loudspeaker of this machine.',
    ),
  input: sound('Microphone, by a name that arecord -L lists; empty is the default one.'),
  output: sound('Loudspeaker, by a name that aplay -L lists; empty is the default one.'),
  barge_in: z
    .boolean()
    .default(true)
    .describe(
      'Hear what is said while it speaks. Where the microphone hears the loudspeaker and no device takes that out (echo cancellation), set false: it would interrupt itself.',
    ),
})

const inference = z.strictObject({
  models_dir: path(
    'Directory with models and their manifest.json; empty is the one that came with the node.',
  ).default(''),
  stt: model(
    'Speech recognition model; auto is the one chosen with loqa models use, off leaves it to other nodes of the household.',
  ),
  llm: model('Language model; off leaves it to other nodes.'),
  tts: model('Speech synthesis model; off leaves it to other nodes.'),
  vad: model(
    'Model that must agree before a sound counts as a voice (Silero VAD); auto is the one chosen with loqa models use, and none where none was.',
  ),
  streams_per_engine: whole(1, 256, 'Runs one engine process takes at once before it refuses.').default(16),
  rest_after_s: whole(
    0,
    86_400,
    'An engine nobody asked for so long rests while two faster nodes have the same model; what is asked pins it. 0 keeps all in memory.',
  ).default(1_800),
  rss_limit_mb: whole(
    64,
    65_536,
    'An engine process above this is restarted. The starter models stay under 300.',
  ).default(1_500),
  load_timeout_ms: whole(
    1_000,
    600_000,
    'Loading a model may take so long; a big one from a slow disk needs minutes.',
  ).default(60_000),
  ping_interval_ms: whole(
    50,
    60_000,
    'How often an engine process is asked whether it still answers.',
  ).default(1_000),
  ping_timeout_ms: whole(
    100,
    300_000,
    'An engine process silent for so long hangs and is restarted. Longer than its longest single computation.',
  ).default(3_000),
  cancel_timeout_ms: whole(
    50,
    10_000,
    'A cancelled run must let go of its engine in this time, or the process is restarted.',
  ).default(200),
  restart_delay_min_ms: whole(
    10,
    60_000,
    'Pause before the first restart of an engine; doubles each time.',
  ).default(100),
  restart_delay_max_ms: whole(100, 600_000, 'Longest pause between restarts.').default(30_000),
})

const qos = z.strictObject({
  tier: z
    .enum(['auto', 'fast', 'balanced', 'rich'])
    .default('auto')
    .describe(
      'How much quality answers take their time for: auto begins rich, steps down while engines are slow, and up again. The others stay.',
    ),
  fast_ms: whole(
    100,
    60_000,
    'Budget of a turn in the fast tier, from the end of speech to the first sound of the answer.',
  ).default(200),
  balanced_ms: whole(100, 60_000, 'The same of the balanced tier.').default(400),
  rich_ms: whole(100, 60_000, 'The same of the rich tier. A person notices a second.').default(1_000),
  answers_kept: whole(
    0,
    1_024,
    'Answers of the language model kept in memory for ten minutes, so that what a house asks again it is told at once; 0 keeps none.',
  ).default(64),
  recover_after_s: number(
    0.1,
    3_600,
    'So long no turn may have been over its budget before a better tier is tried, unheard; doubles each time that fails.',
  ).default(30),
})

const openai = z.strictObject({
  url: z
    .string()
    .max(512)
    .regex(/^$|^https?:\/\/[^\s@?#]+$/)
    .default('')
    .describe(
      'Base address of an OpenAI-compatible server, e.g. http://127.0.0.1:11434/v1; empty is none. What people say is sent there.',
    )
    .meta({ allowed: 'an address that begins with http:// or https://, without user and password' }),
  key_file: path('File whose first line is the key that server wants; empty sends none.').default(''),
  llm_model: elsewhere('Model of that server that answers texts; empty sends it none.'),
  stt_model: elsewhere('Model of that server that hears recordings; empty sends it none.'),
  tts_model: elsewhere('Model of that server that speaks; empty sends it none.'),
  tts_voice: z.string().max(64).default('alloy').describe('Voice of that model.'),
  first: z
    .boolean()
    .default(true)
    .describe(
      'Whether that server is asked first and the own engines do what it cannot; else it is asked where there is no own engine with room.',
    ),
  timeout_ms: whole(
    500,
    120_000,
    'Silence after which that server counts as hanging. A large model on a slow machine begins after 10 s.',
  ).default(10_000),
})

const skills = z.strictObject({
  extra_dir: path(
    'Directory with skills of your own that this node alone runs, as they lie there; empty is none.',
  ).default(''),
  policy: z
    .string()
    .min(1)
    .max(4_096)
    .default('home')
    .describe('Whose skills may run here: home, medical, or the path of a policy file.'),
  container_engine: z
    .string()
    .max(4_096)
    .regex(/^(auto|off|\/.+)$/)
    .default('auto')
    .describe(
      'Socket of the container engine (Podman, Docker) that runs skills in containers: auto looks where they are as a rule, off runs none.',
    )
    .meta({ allowed: 'auto, off, or the absolute path of a socket' }),
})

const devices = z.strictObject({
  mqtt_url: z
    .string()
    .max(512)
    // Without a user: what stands here is shown by `loqa config show`.
    .regex(/^$|^(mqtts?|wss?):\/\/[^\s@]+$/)
    .default('')
    .describe(
      'Broker the devices of the house are found through, e.g. mqtt://broker.lan:1883; empty is none.',
    )
    .meta({
      allowed: 'an address that begins with mqtt://, mqtts://, ws:// or wss://, without user and password',
    }),
  mqtt_user: z.string().max(255).default('').describe('Name the broker knows this node by; empty is none.'),
  mqtt_password_file: path("File whose first line is that user's password; empty is none.").default(''),
  mqtt_ca_file: path(
    "Certificate (PEM) of the authority that signed the broker's, for mqtts; empty trusts those of the system.",
  ).default(''),
  discovery_prefix: z
    .string()
    .max(128)
    .regex(/^[^#+\s]*$/)
    .default('homeassistant')
    .describe("Where devices announce themselves in Home Assistant's way; empty does not listen there.")
    .meta({ allowed: 'the beginning of a topic, without # and +' }),
  zigbee2mqtt_topic: z
    .string()
    .max(128)
    .regex(/^[^#+\s]*$/)
    .default('zigbee2mqtt')
    .describe('Base topic of Zigbee2MQTT; empty does not listen there.')
    .meta({ allowed: 'the beginning of a topic, without # and +' }),
  home_assistant_url: z
    .string()
    .max(512)
    .regex(/^$|^https?:\/\/[^\s@]+$/)
    .default('')
    .describe(
      'Home Assistant whose devices are used, e.g. http://assistant.lan:8123; empty is none. Devices it shares with the broker come twice: name one of the two.',
    )
    .meta({ allowed: 'an address that begins with http:// or https://' }),
  home_assistant_token_file: path(
    'File whose first line is a long-lived access token of Home Assistant, made in the profile of its user.',
  ).default(''),
})

const observe = z.strictObject({
  log_level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('The least important lines that are written.'),
  log_format: z
    .enum(['auto', 'pretty', 'json'])
    .default('auto')
    .describe('auto is pretty on a terminal and one JSON object per line elsewhere.'),
  log_pii: z
    .boolean()
    .default(false)
    .describe(
      'Write what was said into the log. For finding a fault on your own machine, never for keeping.',
    ),
  audit_keep_years: whole(
    0,
    100,
    'How long the audit log remembers what was done, never what was said; 0 is for ever. Where records of care are kept by law it is six in many places.',
  ).default(2),
  otlp_url: z
    .string()
    .max(512)
    .regex(/^$|^https?:\/\/[^\s@]+$/)
    .default('')
    .describe(
      'OpenTelemetry collector that is told how long each hop of a turn took, e.g. http://collector.lan:4318; empty is none. Times, intents, engines and nodes, never words; nothing of ephemeral conversations.',
    )
    .meta({ allowed: 'an address that begins with http:// or https://' }),
})

const store = z.strictObject({
  passphrase_file: path(
    'File whose first line is the passphrase that seals the key of everything kept; empty is none.',
  ).default(''),
})

const privacy = z.strictObject({
  scope: z
    .enum(PRIVACY_SCOPES)
    .default('session')
    .describe(
      'How long the steps of a conversation are kept: ephemeral in memory only, session until it ends, persistent for timeline.keep_days and with the consent of the person.',
    ),
})

const timeline = z.strictObject({
  keep: z
    .enum(['none', 'session', 'days'])
    .default('days')
    .describe(
      'The most that is kept: no steps at all, those of conversations that go on, or those with consent for days.',
    ),
  keep_days: whole(1, 3_650, 'How long steps are kept with consent, after their conversation ended.').default(
    30,
  ),
})

export const configSchema = z.strictObject({
  ...{
    node,
    api,
    wyoming,
    cluster,
    voice,
    audio,
    inference,
    qos,
    openai,
    skills,
    devices,
    store,
    privacy,
    timeline,
    observe,
  },
})

export type Config = z.infer<typeof configSchema>

export const PRESETS = ['lan', 'wifi', 'test'] as const
export type Preset = (typeof PRESETS)[number]

/** `section.key` → value. `lan` is the defaults: a wired or good wireless network. */
export const presetValues: Readonly<Record<Preset, Readonly<Record<string, unknown>>>> = {
  lan: {},
  /** Satellites on a busy wireless network: hold more sound against jitter, give speech more time to arrive. */
  wifi: {
    'cluster.patience': 'wifi',
    'voice.play_ahead_ms': 400,
    'voice.pause_complete_ms': 120,
    'voice.pause_extendable_ms': 450,
  },
  /** Many nodes beside each other, quiet and quick to give up. */
  test: {
    'api.port': 0,
    'wyoming.port': 0,
    'api.requests_per_minute': 1_000_000,
    'cluster.port': 0,
    'cluster.discovery': false,
    'inference.load_timeout_ms': 20_000,
    'observe.log_level': 'warn',
  },
}

/** The port beside one; below the last. A free one for a free one. */
const besides = (port: number): number => (port === 0 ? 0 : port === 65_535 ? port - 1 : port + 1)

/** Defaults that follow another key, with the formula `config show` prints. */
export const derivedValues: Readonly<
  Record<string, { readonly formula: string; value(of: (key: string) => unknown): unknown }>
> = {
  'cluster.enrolment_port': {
    formula: 'cluster.port + 1, or 0 when that is 0',
    value: (of) => besides(Number(of('cluster.port'))),
  },
  'wyoming.usual_ports': {
    formula: 'true, or false when wyoming.port is 0',
    value: (of) => Number(of('wyoming.port')) !== 0,
  },
  'wyoming.announce': {
    formula: 'cluster.discovery',
    value: (of) => of('cluster.discovery') === true,
  },
  'inference.ping_timeout_ms': {
    formula: '3 × inference.ping_interval_ms',
    value: (of) => 3 * Number(of('inference.ping_interval_ms')),
  },
  'voice.pause_unheard_ms': {
    formula: 'voice.pause_incomplete_ms + 300',
    value: (of) => Number(of('voice.pause_incomplete_ms')) + 300,
  },
}
