/** The node as the API sees it: rows and verdicts read from the parts when somebody asks, nothing kept twice. */
import type {
  CapabilityView,
  HouseholdChange,
  HouseholdView,
  NodeRow,
  NodeView,
  StatusView,
} from '../api/index.ts'
import { type Clock, LoqaError, type Monotonic, sessionId } from '../host/index.ts'
import { VERSION } from '../host/version.ts'
import { type Capability, type Pool, sentTo } from '../inference/index.ts'
import { sessionAddress } from '../voice/index.ts'
import { decideApproval, listApprovals } from './approving.ts'
import type { Clustering } from './clustering.ts'
import { listSessions, moveSession } from './conversations.ts'
import { dictation } from './dictate.ts'
import { checkUp } from './doctor.ts'
import { measuredTags, soundTags } from './hardware.ts'
import { memoryView } from './memory.ts'
import type { NodeParts } from './parts.ts'
import { backUp, showStore } from './remembering.ts'
import { speechFor } from './say.ts'
import { settingsView } from './skill-settings.ts'
import { watchWakeWord } from './waking.ts'
import { answerFor, embeddingOf, enginesOf } from './writing.ts'

/** Whether the node is coming, serving or going; the rest of the health follows from its parts. */
export interface Stage {
  readonly now: 'starting' | 'serving' | 'stopping'
}

/** Without one of these a spoken command is not answered, unless this node was told to leave it to others. */
const NEEDED = ['stt', 'tts'] as const

export function nodeView(parts: NodeParts, stage: Stage, connections: { count: number }): NodeView {
  const { config, identity, runtime, pool, voice } = parts
  const node = identity.id
  const doors = { engines: parts.engines, random: parts.host.random }
  return {
    memory: memoryView(parts.memory, voice, parts.heads, parts.presence),
    skills: parts.skillDesk,
    status: () => statusOf(parts, stage),
    nodes: () => nodesOf(parts, stage),
    household: () => parts.clustering.household(),
    changeHousehold: (change) => changeHousehold(parts.clustering, change),
    actors: () =>
      runtime.actors().map(({ address, kind, state, mailbox, restarts }) => ({
        address,
        node,
        kind,
        state,
        mailbox,
        restarts,
      })),
    skillSettings: settingsView(parts),
    approvals: () => listApprovals(runtime),
    decideApproval: (id, allow, by) => decideApproval(runtime, id, allow, by),
    devices: () => ({ sources: parts.devices.status(), devices: parts.devices.list() }),
    sessions: () => listSessions({ self: node, voice, runtime, cluster: parts.clustering.cluster }),
    moveSession: (id, to) =>
      moveSession(id, to, {
        moving: parts.moving,
        rooms: parts.rooms,
        cluster: parts.clustering.cluster,
        noted: (object, outcome) => parts.memory.noted('session.moved', object, outcome),
      }),
    async ask(request, signal) {
      const turn = await voice.ask(request, signal)
      parts.relocating.asked(sessionAddress(sessionId(turn.session)), node)
      return turn
    },
    say: ({ text, voice: name = config.voice.voice, speed = config.voice.speed, engine }, signal) =>
      speechFor(doors, { text, voice: name, speed, engine }, signal),
    dictate: (sample_rate, listener, engine) => dictation(doors, sample_rate, listener, engine),
    engines: () => enginesOf(pool, parts.clustering.cluster),
    write: (request, signal) => answerFor(doors, request, signal),
    embed: (request, signal) => embeddingOf(doors, request, signal),
    bring: (session) => voice.bring(session),
    openVoice(request, listener) {
      if (stage.now === 'stopping') {
        throw new LoqaError('stopping', 'This node is about to stop', { retryable: true })
      }
      const channel = voice.open(request, listener)
      connections.count += 1
      let open = true
      return {
        ...channel,
        close: () => {
          channel.close()
          if (open) connections.count -= 1
          open = false
        },
      }
    },
    wakeWords: () => parts.wakeWords,
    watchWakeWord: (sample_rate, listener) => watchWakeWord(voice, sample_rate, listener),
    metrics: () => parts.metrics.text(),
    ready() {
      const reasons = [
        ...(stage.now === 'serving' ? [] : [`The node is ${stage.now}`]),
        ...missing(pool, config),
      ]
      return { ready: reasons.length === 0, reasons }
    },
    doctor: () => checkUp(parts),
    store: () => showStore(parts),
    backup: () => backUp(parts),
    wipe: async (dry_run) => (dry_run ? parts.wiping.plan() : parts.wiping.wipe()),
    config: () => parts.rows,
    bench: parts.bench,
    audit: {
      list: (query) => parts.auditing.list(query),
      verify: () => parts.auditing.verify((id) => parts.clustering.nameOf(id)),
      acknowledge: () => parts.auditing.acknowledge((id) => parts.clustering.nameOf(id)),
      export: () => parts.auditing.export(),
    },
  }
}

/** What the cluster knows; this node alone before it is open, and when there is none. */
function nodesOf(
  { clustering, config, identity, pool, capacity }: NodeParts,
  stage: Stage,
): readonly NodeRow[] {
  const { cluster } = clustering
  if (cluster !== undefined) return cluster.nodes().map((row) => ({ ...row, adds: capacity.of(row.id) }))
  return [
    {
      id: identity.id,
      name: config.node.name,
      room: config.node.room,
      self: true,
      state: stage.now === 'stopping' ? 'left' : 'alive',
      addresses: [],
      rtt_ms: 0,
      capabilities: pool.capabilities().map(({ tag }) => tag),
      why_not_connected: null,
      adds: null,
    },
  ]
}

/** Errors: `not-ready` before the cluster is open, and those of the household. */
async function changeHousehold(clustering: Clustering, change: HouseholdChange): Promise<HouseholdView> {
  if (change.action === 'reset') return clustering.reset()
  const desk = clustering.cluster?.household
  if (desk === undefined) {
    throw new LoqaError('not-ready', 'This node is in no cluster now', {
      hint: 'It opens a few seconds after the start, unless cluster.enabled is false.',
    })
  }
  switch (change.action) {
    case 'open':
      await desk.open(change.minutes)
      break
    case 'lock':
      await desk.lock()
      break
    case 'approve':
      await desk.approve(change.code)
      break
    default:
      await desk[change.action](change.node)
  }
  return desk.show()
}

function statusOf(parts: NodeParts, stage: Stage): StatusView {
  const { host, config, identity, runtime, pool, voice, models } = parts
  const reasons = complaints(parts)
  const household = parts.clustering.household()
  return {
    node: {
      id: identity.id,
      name: config.node.name,
      room: config.node.room,
      version: VERSION,
      pid: process.pid,
      uptime_s: secondsSince(host.clock, parts.started),
    },
    household: { id: household.id, members: household.members.length, open_until: household.open_until },
    health: { state: healthState(stage, reasons), reasons },
    capabilities: pool.capabilities().map(capabilityRow),
    quality: parts.quality.view(),
    hardware: hardwareOf(parts),
    sessions: voice.sessions().length,
    actors: runtime.actors().length,
    notices: noticesOf(models),
  }
}

function hardwareOf({ hardware, pool, config }: NodeParts): StatusView['hardware'] {
  const facts = hardware()
  if (facts === undefined) return null
  const { board, processor, features, cores, memory_mb, battery, microphones, loudspeakers } = facts
  const lasting = { board, processor, features, cores, memory_mb, battery, microphones, loudspeakers }
  return { ...lasting, tags: [...measuredTags(pool.capabilities()), ...soundTags(facts, config.node.room)] }
}

/** What the models in use do not know, and where better ones would go. */
function noticesOf(models: NodeParts['models']): string[] {
  const sent = models.flatMap(leavesHouse)
  const limits = models.filter(({ covers }) => covers !== '').map(({ id, covers }) => `${id}: ${covers}`)
  return limits.length === 0
    ? sent
    : [
        ...sent,
        ...limits,
        'Real rooms and people need other models: set inference.models_dir, see models/README.md',
      ]
}

const SENT = { stt: 'Recordings of what is said', llm: 'Texts of what is said', tts: 'Answers' } as const

/** Said plainly as long as it is so. */
function leavesHouse(model: NodeParts['models'][number]): readonly string[] {
  const { id, kind } = model
  const to = sentTo(model)
  if (to === undefined) return []
  const what = kind === 'stt' || kind === 'llm' || kind === 'tts' ? SENT[kind] : 'What is said'
  return [`${what} are sent to ${to}${id === to ? '' : `, to the model ${id}`}`]
}

function healthState({ now }: Stage, reasons: readonly string[]): StatusView['health']['state'] {
  if (now !== 'serving') return now
  return reasons.length === 0 ? 'ok' : 'degraded'
}

/** What does not work, in words: each names the part and the reason. */
function complaints({ pool, store, skillDesk, clustering, auditing, memory }: NodeParts): string[] {
  const health = store.health()
  const gaveWay = clustering.cluster?.refusing
  return [
    ...(gaveWay === undefined ? [] : [gaveWay.message]),
    ...clustering.troubles(),
    ...auditing.troubles(),
    ...pool
      .capabilities()
      .filter(({ state }) => state !== 'ready' && state !== 'resting')
      .map(({ tag, state, error }) => `${tag} is ${state}${error === undefined ? '' : `: ${error.message}`}`),
    ...(memory.timeline.works ? [] : ['The steps of conversations are not kept: restart the node']),
    ...(health.state === 'ok' ? [] : [`The store is ${health.state}: ${health.error.message}`]),
    ...skillDesk
      .list()
      .filter(({ state }) => state !== 'ready')
      .map(
        ({ name, state, problem }) =>
          `The skill ${name} is ${state}${problem === null ? '' : `: ${problem}`}`,
      ),
  ]
}

function missing(pool: Pool, { inference }: NodeParts['config']): string[] {
  const ready = pool.capabilities().filter(({ state }) => state === 'ready' || state === 'resting')
  return NEEDED.filter(
    (kind) => inference[kind] !== 'off' && !ready.some(({ tag }) => tag.startsWith(`${kind}.`)),
  ).map((kind) => `No engine is ready for ${kind}`)
}

function capabilityRow(capability: Capability): CapabilityView {
  const { tag, model, state, p95_ms, real_time_factor, tokens_per_s, restarts, rss_mb, gpu } = capability
  return {
    ...{ tag, model, state, p95_ms, real_time_factor, tokens_per_s, restarts, rss_mb },
    ...(gpu === undefined ? {} : { gpu }),
  }
}

const secondsSince = (clock: Clock, start: Monotonic): number =>
  Math.round((clock.monotonic() - start) / 100) / 10
