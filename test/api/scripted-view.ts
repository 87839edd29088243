/** A node made of answers written down beforehand: drives the API and the command line in tests. Observable. */
import type {
  ApprovalRow,
  AuditRow,
  AuditVerification,
  AuditView,
  Dictation,
  DictationListener,
  EmbeddedText,
  EngineRow,
  HouseholdChange,
  HouseholdView,
  MemoryView,
  NodeRow,
  NodeView,
  PersonRow,
  ReplayView,
  StatusView,
  TimelineEventView,
  TimelineView,
  TurnView,
  VoiceChannel,
  VoiceListener,
  WakeWordListener,
  WakeWordWatch,
  WriteRequest,
  Written,
} from '../../src/api/index.ts'
import { LoqaError, NotFoundError } from '../../src/host/index.ts'
import { ScriptedSkills } from './scripted-skills.ts'

export const scriptedStatus: StatusView = {
  node: {
    id: '0123456789abcdef',
    name: 'attic',
    room: 'kitchen',
    version: '0.1.0',
    pid: 4242,
    uptime_s: 3725,
  },
  household: { id: 'h-1', members: 1, open_until: null },
  health: { state: 'ok', reasons: [] },
  quality: {
    ...{ tier: 'balanced', best: 'rich', fixed: false, budget_ms: 400, p95_ms: 212.4, turns: 7 },
    engines: { stt: 'stt', llm: 'llm.llama:intent-starter', tts: 'tts', plain_tts: null },
    last_step: { from: 'rich', to: 'balanced', why: 'slow-turns', at: '2026-01-02T03:04:05.000Z' },
  },
  hardware: {
    ...{ board: null, processor: 'Slow 2', features: ['avx2'], cores: 2, memory_mb: 8_000, battery: null },
    ...{ microphones: ['USB'], loudspeakers: [], tags: ['stt.sherpa:rt', 'mic:kitchen'] },
  },
  capabilities: [
    {
      tag: 'stt.sherpa:starter-en:rt',
      model: 'starter-en',
      state: 'ready',
      p95_ms: 3.2,
      real_time_factor: 0.02,
      tokens_per_s: null,
      restarts: 0,
      rss_mb: 61,
    },
    {
      tag: 'tts.formant:en',
      model: 'formant',
      state: 'restarting',
      p95_ms: 31,
      real_time_factor: 0.05,
      tokens_per_s: null,
      restarts: 2,
      rss_mb: null,
    },
  ],
  sessions: 1,
  actors: 2,
  notices: ['The starter models know synthesized voices only. Run: loqa models pull'],
}

export const scriptedNodes: readonly NodeRow[] = [
  {
    id: '0123456789abcdef',
    name: 'attic',
    room: 'kitchen',
    self: true,
    state: 'alive',
    addresses: ['10.0.0.2:7421'],
    rtt_ms: 0,
    capabilities: ['stt.sherpa:starter-en:rt'],
    why_not_connected: null,
    adds: null,
  },
  {
    id: 'fedcba9876543210',
    name: 'cellar',
    room: '',
    self: false,
    state: 'pending',
    addresses: [],
    rtt_ms: null,
    capabilities: [],
    why_not_connected: {
      reason: 'pending',
      message: 'waits for a person to compare 123 456',
      hint: 'loqa household approve 123456',
      code: '123456',
    },
    adds: null,
  },
]

export const scriptedHousehold: HouseholdView = {
  id: 'h-1',
  phase: 'member',
  members: [
    {
      id: '0123456789abcdef',
      name: 'attic',
      self: true,
      may_admit: true,
      since: '2026-01-01T00:00:00.000Z',
      expires: '2026-04-01T00:00:00.000Z',
    },
  ],
  removed: [],
  open_until: '2026-01-01T00:10:00.000Z',
  locked: false,
  pending: [{ id: 'fedcba9876543210', name: 'cellar', code: '123456', waits_s: 12 }],
  joining: null,
}

export const scriptedTurn: TurnView = {
  session: 's1',
  room: 'kitchen',
  transcript: 'set a timer for five minutes',
  partials: ['set a', 'set a timer', 'set a timer for five minutes'],
  intent: 'timer.set',
  slots: { duration: 300 },
  reply: 'Five minutes, starting now.',
  latency_ms: { endpoint: 80, stt: 2, nlu: 1, skill: 4, tts: 12, total: 99 },
  cut_off: false,
  reply_wav: null,
}

const record = (seq: number, what: string, outcome: string): AuditRow => ({
  ...{ seq, time: `2026-01-02T03:04:0${seq}.000Z`, node: '0123456789abcdef', actor: 'loqa:/skill/timer' },
  ...{ who: '-', what, object: 'timer.set', outcome, prev_hash: '0'.repeat(64), hash: '1'.repeat(64) },
})
export const scriptedRecords: readonly AuditRow[] = [
  record(1, 'skill.call', 'ok'),
  record(2, 'household.joined', 'cellar'),
]

export const scriptedVerification: AuditVerification = {
  ok: false,
  checked_at: '2026-01-02T03:04:05.000Z',
  records: 2,
  begins_after: null,
  head: '1'.repeat(64),
  signed_until: 1,
  newest_checkpoint: { seq: 7, time: '2026-01-02T03:04:05.000Z', held_by: ['audit.checkpoint', 'cellar'] },
  faulty: 1,
  faults: [
    {
      kind: 'tail-missing',
      line: 3,
      seq: 3,
      reason: 'is missing: the log ends with record 2, and record 7 was signed on 2026-01-02T03:04:05.000Z',
      signed_until: 1,
      shown_by: ['cellar'],
      acknowledged: false,
    },
  ],
}

/** Samples of audible speech: a loud 440 Hz tone. */
export function tone(duration_ms: number, sample_rate = 16_000): Uint8Array {
  const samples = new Int16Array(Math.round((duration_ms * sample_rate) / 1000))
  for (let index = 0; index < samples.length; index++) {
    samples[index] = Math.round(12_000 * Math.sin((2 * Math.PI * 440 * index) / sample_rate))
  }
  return new Uint8Array(samples.buffer)
}

export const scriptedPerson: PersonRow = {
  id: 'a1b2c3d4e5f60718',
  name: 'Anna',
  since: '2026-01-02T03:04:05.000Z',
  consent: { given: true, at: '2026-01-02T03:05:00.000Z' },
}

const noted = (seq: number, kind: string, body: Record<string, unknown>): TimelineEventView => ({
  trace_id: '00112233445566778899aabbccddeeff',
  session_id: 's1',
  actor_id: 'loqa:/session/s1',
  capability_tier: 'balanced',
  privacy_scope: 'session',
  at: Date.parse('2026-01-02T03:04:05.000Z') + seq * 10,
  at_ms: 1_000 + seq * 10,
  kind,
  body,
})

export const scriptedTimeline: TimelineView = {
  session: 's1',
  events: [
    noted(0, 'session.began', { room: 'kitchen', scope: 'session' }),
    noted(1, 'turn.began', { turn: 1, source: 'voice', interrupting: false, room: 'kitchen', context: {} }),
    noted(180, 'turn.endpoint', {
      turn: 1,
      cause: 'pause',
      reason: 'complete',
      silence_ms: 100,
      text: 'set a timer',
    }),
    noted(181, 'stt.text', {
      turn: 1,
      text: 'set a timer for five minutes',
      heard_ms: 1_500,
      engine: { model: 'stt.sherpa:starter-en:rt', node: '0123456789abcdef' },
    }),
    noted(181, 'turn.decided', {
      turn: 1,
      by: 'grammar',
      score: 1,
      decision: 'act',
      intent: { name: 'timer.set', slots: { duration: 300 } },
      skill: 'timer',
      confirmed: false,
    }),
    noted(182, 'skill.result', {
      turn: 1,
      skill: 'timer',
      permissions: ['storage', 'timers'],
      result: { type: 'skill.result', speech: 'Five minutes, starting now.' },
    }),
    noted(182, 'turn.replied', { turn: 1, speech: 'Five minutes, starting now.' }),
    noted(183, 'tts.began', { turn: 1, engine: { model: 'tts.formant:en', node: '0123456789abcdef' } }),
    noted(400, 'turn.ended', { turn: 1, end: 'done', cut_off: false, latency_ms: { total: 99 } }),
  ],
}

class ScriptedMemory implements MemoryView {
  readonly erased: { which: unknown; dry_run: boolean }[] = []
  readonly consents: { person: string; given: boolean }[] = []
  replayNow: ReplayView = { same: true, turns: 1, decisions: 3 }

  async timelines(): ReturnType<MemoryView['timelines']> {
    return [
      {
        session: 's1',
        scope: 'session',
        room: 'kitchen',
        person: null,
        started_at: '2026-01-02T03:04:05.000Z',
        ended_at: null,
        events: 9,
        bytes: 2_345,
      },
    ]
  }
  async timeline(session: string): ReturnType<MemoryView['timeline']> {
    if (session !== 's1') throw new LoqaError('not-found', 'A timeline of this conversation does not exist')
    return scriptedTimeline
  }
  async replay(): ReturnType<MemoryView['replay']> {
    return this.replayNow
  }
  async erase(which: unknown, dry_run: boolean): ReturnType<MemoryView['erase']> {
    this.erased.push({ which, dry_run })
    return { timelines: 1, events: 9 }
  }
  async persons(): ReturnType<MemoryView['persons']> {
    return [scriptedPerson, { ...scriptedPerson, id: 'ffeeddccbbaa9988', name: 'Ben', consent: null }]
  }
  async addPerson(name: string): ReturnType<MemoryView['addPerson']> {
    return { ...scriptedPerson, name, consent: null }
  }
  async consent(person: string, given: boolean): ReturnType<MemoryView['consent']> {
    this.consents.push({ person, given })
    return { ...scriptedPerson, consent: { given, at: '2026-01-02T03:06:00.000Z' } }
  }
  async exportPerson(): ReturnType<MemoryView['exportPerson']> {
    return { person: scriptedPerson, timelines: [scriptedTimeline], usual_rooms: ['kitchen'] }
  }
  async erasePerson(person: string, dry_run: boolean): ReturnType<MemoryView['erasePerson']> {
    this.erased.push({ which: { person }, dry_run })
    return { person: scriptedPerson, timelines: 2, events: 18 }
  }
}

const APPROVAL: ApprovalRow = {
  id: 's1',
  skill: 'home',
  wants: 'unlock the front door',
  risk: 'high',
  room: 'hall',
  node: 'n1',
  state: 'waiting',
  by: null,
  asked_at: '2026-11-21T15:10:00.000Z',
  until: '2026-11-21T15:11:00.000Z',
}

export class ScriptedView implements NodeView {
  readonly memory = new ScriptedMemory()
  readonly skills = new ScriptedSkills()
  readonly asked: { text: string; room?: string; session?: string }[] = []
  readonly said: { text: string; voice?: string }[] = []
  readonly channels: ScriptedChannel[] = []
  readonly brought: string[] = []
  readonly changes: HouseholdChange[] = []
  statusNow: StatusView = scriptedStatus
  nodesNow: readonly NodeRow[] = scriptedNodes
  householdNow: HouseholdView = scriptedHousehold
  readyNow: { ready: boolean; reasons: readonly string[] } = { ready: true, reasons: [] }
  /** What `ask` and `say` do; replaced by tests. */
  onAsk: (signal: AbortSignal) => Promise<TurnView> = async () => scriptedTurn
  onSay: (signal: AbortSignal) => AsyncIterable<{ pcm: Uint8Array; sample_rate: number }> =
    async function* () {
      yield { pcm: tone(20, 22_050), sample_rate: 22_050 }
      yield { pcm: tone(20, 22_050), sample_rate: 22_050 }
    }
  auditNow: AuditVerification = scriptedVerification
  onOpen: (channel: ScriptedChannel) => void = () => undefined

  wakeWords() {
    return [{ model: 'wake-starter', phrase: 'hey loqa' }]
  }
  watchWakeWord(_rate: number, word: WakeWordListener): WakeWordWatch {
    return { push: () => word(640), finish: (done) => done(), close: () => undefined }
  }
  enginesNow: readonly EngineRow[] = [
    { tag: 'stt.sherpa:recogniser', kind: 'stt', model: 'recogniser' },
    { tag: 'llm.llama:writer', kind: 'llm', model: 'writer' },
    { tag: 'tts.formant:voice', kind: 'tts', model: 'voice' },
  ]
  /** What the language model was asked, and what it writes. */
  readonly wrote: WriteRequest[] = []
  onWrite: (request: WriteRequest, signal: AbortSignal) => AsyncIterable<Written> = async function* () {
    yield { type: 'text', text: 'Good ' }
    yield { type: 'text', text: 'morning' }
    yield { type: 'end', reason: 'stop', input_tokens: 3, output_tokens: 2 }
  }
  engines(): readonly EngineRow[] {
    return this.enginesNow
  }
  write(request: WriteRequest, signal: AbortSignal): AsyncIterable<Written> {
    this.wrote.push(request)
    return this.onWrite(request, signal)
  }
  async embed({ text }: { text: string }): Promise<EmbeddedText> {
    return { vector: Float32Array.of(text.length, 0.5), tokens: 1 }
  }

  async bring(session: string): Promise<void> {
    this.brought.push(session)
  }
  dictate(_rate: number, told: DictationListener): Dictation {
    return { push: () => undefined, finish: () => told.final('what time is it'), cancel: () => undefined }
  }

  status(): StatusView {
    return this.statusNow
  }
  nodes(): readonly NodeRow[] {
    return this.nodesNow
  }
  household(): HouseholdView {
    return this.householdNow
  }
  async changeHousehold(change: HouseholdChange): Promise<HouseholdView> {
    this.changes.push(change)
    if (change.action === 'approve' && change.code === '000000')
      throw new LoqaError('code-wrong', 'no node that waits shows these six digits')
    return this.householdNow
  }
  actors(): ReturnType<NodeView['actors']> {
    return [
      {
        address: 'loqa:/session/s1',
        node: 'attic',
        kind: 'session',
        state: 'running',
        mailbox: 0,
        restarts: 0,
      },
      {
        address: 'loqa:/skill/timer',
        node: 'attic',
        kind: 'skill',
        state: 'restarting',
        mailbox: 3,
        restarts: 1,
      },
    ]
  }
  async sessions(): ReturnType<NodeView['sessions']> {
    return [
      {
        id: 's1',
        room: 'kitchen',
        node: 'attic',
        phase: 'listening',
        started_at: '2026-01-02T03:04:05.000Z',
      },
    ]
  }
  async moveSession(
    session: string,
    to: { readonly node: string } | { readonly room: string },
  ): ReturnType<NodeView['moveSession']> {
    if ('room' in to) return { session, from: 'attic', to: 'cellar', room: to.room, away_ms: 0.5 }
    const { node } = to
    if (node === 'nowhere') throw new LoqaError('not-found', 'There is no node "nowhere"')
    return { session, from: 'attic', to: node, away_ms: 1.5 }
  }
  ask(request: { text: string; room?: string; session?: string }, signal: AbortSignal): Promise<TurnView> {
    this.asked.push(request)
    return this.onAsk(signal)
  }
  say(request: { text: string; voice?: string }, signal: AbortSignal): ReturnType<NodeView['say']> {
    this.said.push(request)
    return this.onSay(signal)
  }
  openVoice(request: { room?: string; session?: string }, listener: VoiceListener): VoiceChannel {
    if (request.room === 'nowhere') throw new LoqaError('not-found', 'This room does not exist')
    const channel = new ScriptedChannel(request, listener)
    this.channels.push(channel)
    this.onOpen(channel)
    return channel
  }
  async metrics(): Promise<string> {
    return '# HELP loqa_dead_letters_total Messages whose receiver was gone\n# TYPE loqa_dead_letters_total counter\nloqa_dead_letters_total 0\n'
  }
  ready(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    return this.readyNow
  }
  async doctor(): Promise<Awaited<ReturnType<NodeView['doctor']>>> {
    return [
      { check: 'engines', ok: true, detail: '3 of 3 ready' },
      { check: 'disk', ok: false, detail: '12 MB free', fix: 'Free some space.' },
    ]
  }
  readonly skillSettings: NodeView['skillSettings'] = {
    show: (skill) => ({
      skill,
      config: [
        { key: 'place', type: 'string', summary: 'Where you are.', value: 'Berlin', chosen: false },
        { key: 'days', type: 'number', summary: 'How far ahead.', value: null, chosen: false },
      ],
      secrets: [{ key: 'api_key', given: false }],
    }),
    async choose(skill, key, value = 'Berlin') {
      const { config, ...rest } = this.show(skill)
      return {
        ...rest,
        config: config.map((one) => (one.key === key ? { ...one, value, chosen: true } : one)),
      }
    },
    async give(skill, key, secret) {
      const { secrets, ...rest } = this.show(skill)
      return {
        ...rest,
        secrets: secrets.map((one) => ({ ...one, given: one.key === key && secret !== undefined })),
      }
    },
  }
  async approvals(): ReturnType<NodeView['approvals']> {
    return [APPROVAL, { ...APPROVAL, id: 's2', state: 'denied', by: 'cli' }]
  }
  async decideApproval(id: string, allow: boolean, by: string): ReturnType<NodeView['decideApproval']> {
    if (id !== APPROVAL.id)
      throw new NotFoundError(`The approval ${id}`, 'loqa approvals ls shows what waits.')
    return { ...APPROVAL, state: allow ? 'allowed' : 'denied', by }
  }
  readonly bench: NodeView['bench'] = {
    put: async ({ manifest }) => {
      if (manifest === 'broken') throw new LoqaError('skill-trapped', 'The skill visitors failed: it aborted')
      return { name: 'visitors', version: '0.1.0', permissions: ['storage'], replaced: false }
    },
    end: async (name) => {
      if (name === 's2') throw new LoqaError('not-found', 'A skill s2 under development does not exist')
    },
    async *watch(skill) {
      const input = '{"intent":"visitors.came","slots":{}}'
      yield { skill, entry: 'handle', input, ms: 1.5, speech: 'That makes one.', changes: [] }
    },
  }
  devices(): ReturnType<NodeView['devices']> {
    return {
      sources: [
        {
          source: 'mqtt://broker.lan',
          state: 'connected',
          reason: null,
          devices: 3,
          problems: ['lock.shed: code_format: a lock that wants a code is not supported'],
        },
      ],
      devices: [
        {
          id: 'light.1',
          name: 'Reading lamp',
          room: 'office',
          kind: 'light',
          state: { on: true, brightness: 40, can_dim: true },
        },
        { id: 'lock.1', name: 'Front door', room: '', kind: 'lock', state: { available: false } },
        {
          id: 'climate.1',
          name: 'Heating',
          room: 'office',
          kind: 'climate',
          state: { current: 20.5, target: 21, unit: 'C' },
        },
      ],
    }
  }

  async store(): ReturnType<NodeView['store']> {
    return {
      state: 'ok',
      reason: null,
      entries: 3,
      digest: 'ab'.repeat(32),
      life: 0,
      lag_ms: 0,
      writers: [
        { node: '0123456789abcdef', life: 0, version: 12, bytes: 4_200 },
        { node: 'fedcba9876543210', life: 2, version: 7, bytes: 2_100_000 },
      ],
      peers: [{ node: 'fedcba9876543210', ahead: 2, behind: 1 }],
    }
  }
  readonly wiped: boolean[] = []
  async wipe(dry_run: boolean): ReturnType<NodeView['wipe']> {
    this.wiped.push(dry_run)
    return {
      nodes: [
        { id: 'n2', name: 'cellar', connected: true },
        { id: 'n3', name: 'garage', connected: false },
      ],
    }
  }
  async backup(): ReturnType<NodeView['backup']> {
    return { directory: '/data/backups/2026-01-02T03-04-05-000Z' }
  }
  readonly audit: AuditView = {
    list: async ({ what, limit }) =>
      scriptedRecords.filter((row) => what === undefined || row.what === what).slice(-limit),
    verify: async () => this.auditNow,
    acknowledge: async () => {
      if (this.auditNow.ok) throw new LoqaError('audit-unbroken', 'The audit log has no fault')
      const faults = this.auditNow.faults.map((fault) => ({ ...fault, acknowledged: true }))
      this.auditNow = { ...this.auditNow, faults }
      return this.auditNow
    },
    export: async function* () {
      for (const row of scriptedRecords) yield `${JSON.stringify(row)}\n`
    },
  }
  config(): ReturnType<NodeView['config']> {
    return [{ key: 'api.port', value: 7420, origin: 'default', about: 'Port of HTTP and WebSocket.' }]
  }
}

/** A satellite as the node sees it; answers nothing by itself. */
export class ScriptedChannel implements VoiceChannel {
  readonly session: string
  readonly request: { room?: string; session?: string }
  readonly listener: VoiceListener
  readonly pushed: Uint8Array[] = []
  finished = 0
  closed = 0
  onPush: () => void = () => undefined

  constructor(request: { room?: string; session?: string }, listener: VoiceListener) {
    this.session = request.session ?? 's1'
    this.request = request
    this.listener = listener
    listener.event({
      type: 'ready',
      session: this.session,
      room: request.room ?? 'kitchen',
      sample_rate: 16000,
    })
  }

  get bytes(): number {
    return this.pushed.reduce((sum, chunk) => sum + chunk.length, 0)
  }
  push(pcm: Uint8Array): void {
    this.pushed.push(pcm)
    this.onPush()
  }
  finish(): void {
    this.finished += 1
  }
  close(): void {
    this.closed += 1
  }
}
