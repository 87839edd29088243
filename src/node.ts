/**
 * The composition root: the only file that knows every part. It opens the doors, puts the parts together in the order in
 * which they need each other, and takes them apart in reverse. What lives while the node runs is in `tree.ts`.
 */
import { join } from 'node:path'
import { createRuntime, fixedAddress, placedAddress } from './actors/index.ts'
import { startApi } from './api/index.ts'
import type { RunningNode, StartOptions } from './cli/index.ts'
import { isLoopback, type Resolved } from './config.ts'
import { type MachineFacts, PACKAGE } from './host/index.ts'
import { realHost } from './host/real.ts'
import { ownAddresses, realHttp } from './host/real-http.ts'
import { readMachine } from './host/real-machine.ts'
import { realProcessors } from './host/real-processors.ts'
import {
  type Capability,
  createInferPort,
  type InferPort,
  isElsewhere,
  rememberAnswers,
  replicaActor,
  replicaChanged,
} from './inference/index.ts'
import { AddedCapacity } from './node/added-capacity.ts'
import { openAddedSkills } from './node/added-skills.ts'
import { Clustering } from './node/clustering.ts'
import { householdOf } from './node/conversations.ts'
import { detectorsWith } from './node/detecting.ts'
import { handlerWith, openHouseDevices } from './node/devices.ts'
import { drain } from './node/draining.ts'
import { goingOn } from './node/going-on.ts'
import { houseSentences, understandingNow } from './node/grammar.ts'
import { soundRows } from './node/hardware.ts'
import { Heads } from './node/heads.ts'
import { tellSkills } from './node/house-news.ts'
import { elsewhere, openHttps } from './node/https.ts'
import { openIdentity, retireFormerId } from './node/identity.ts'
import { openKept } from './node/keeping.ts'
import { languagePort } from './node/language.ts'
import { keepSweeping, openMemory } from './node/memory.ts'
import { noteIn, observeWith, reportRuntime, spansOut } from './node/observing.ts'
import { announceRuntime, openEngines, openLog, openSkills, preferred, tokenOf } from './node/opening.ts'
import { outsideOf } from './node/outside.ts'
import { OwnSound } from './node/own-sound.ts'
import { pageReader } from './node/page.ts'
import { PresenceDesk } from './node/presence.ts'
import { Quality } from './node/quality.ts'
import { openResidence } from './node/residing.ts'
import { Rooms } from './node/rooms.ts'
import { shareEngines } from './node/sharing.ts'
import { followSkills } from './node/skill-actors.ts'
import { SkillBench } from './node/skill-bench.ts'
import { SettingsOfSkills } from './node/skill-settings.ts'
import { Undo } from './node/undo.ts'
import { nodeView, type Stage } from './node/view.ts'
import { voiceSettings } from './node/voice-settings.ts'
import { wakeOf } from './node/waking.ts'
import { Warmth } from './node/warmth.ts'
import { openWyoming } from './node/wyoming.ts'
import { createMetrics, openAudit, reportEventLoop, watchEventLoop } from './observe/index.ts'
import {
  approvals,
  createHttpPort,
  type HostPorts,
  isInvokeFromAfar,
  type SkillWatch,
  skill,
} from './skills/index.ts'
import { ownDirectory } from './store/index.ts'
import { houseTree } from './tree.ts'
import { loadVoiceDetectors, type SessionPhase, Voice } from './voice/index.ts'

/** Actors get so long to say their last words; with the rest of stopping it stays under the 5 s promised. */
const SHUTDOWN_MS = 2_500

/** Errors: `LoqaError` with a stable code: the directory is owned, a port is taken, a key is wrong, a file is damaged. */
export async function startNode(
  { config, rows }: Resolved,
  { restore }: StartOptions = { restore: undefined },
): Promise<RunningNode> {
  const host = realHost()
  const started = host.clock.monotonic()
  const data = config.node.data_dir
  const undo = new Undo()
  try {
    const ownership = await ownDirectory(host.disk, data, process.pid)
    undo.later(() => ownership.release())
    const log = openLog(host, config)
    const metrics = createMetrics()
    const watch = watchEventLoop()
    undo.later(() => watch.stop())
    reportEventLoop(metrics, watch)
    const identity = await openIdentity(host, data, {
      name: config.node.name,
      locked: config.cluster.locked,
    })
    const cluster = () => clustering.cluster
    const later = (step: () => unknown): void => undo.later(step)
    const audit = await openAudit(host.disk, host.clock, join(data, 'audit.log'), identity.id)
    await retireFormerId(host, data, identity, audit)

    const boot = Buffer.from(host.random.bytes(8)).toString('hex')
    /** The same in membership, in references to actors and in the mailboxes of others. */
    const life = Number.parseInt(boot.slice(0, 8), 16)
    /** What the household may use. A server elsewhere was switched on for what is said to this node. */
    const capabilities = (): readonly Capability[] =>
      preferred(pool.capabilities().filter(({ tag }) => !isElsewhere(tag)))
    const clustering = new Clustering({
      ...{ host, config, identity, boot, log, metrics, audit },
      capabilities: () => [...capabilities(), ...soundRows(hardware, config.node.room)],
      processors: realProcessors,
    })
    let quality: Quality | undefined
    let hardware: MachineFacts | undefined
    let mirror: (row: Capability) => unknown = () => undefined
    const { pool, models, wakeWords, checkModel } = await openEngines(host, config, log, (row) => {
      mirror(row)
      clustering.tell()
      quality?.enginesChanged()
    })
    undo.later(() => pool.stop())
    quality = new Quality({
      ...{ clock: host.clock, config, log, metrics },
      capabilities: () => pool.capabilities(),
      noted: ({ from, to, why }) =>
        noteIn(audit, log, {
          ...{ actor: 'quality', what: 'quality.stepped' },
          ...{ object: `from ${from} to ${to}`, outcome: why },
        }),
    })
    const tiers = quality
    undo.later(() => tiers.stop())

    // Before all that takes long: a household that starts together (the power is back) is one again while its engines load and its
    // stores open. What comes over links meanwhile is kept for those who listen later.
    undo.later(() => clustering.stop())
    await clustering.open()
    /** Engines load in processes of their own while the rest is put together, and before the actors that mirror them. */
    const enginesSettled = pool.start()
    await clustering.met()
    const { auditing, keys, store, wiping } = await openKept({
      ...{ host, config, identity, log, metrics, audit, restore, cluster, later },
    })

    const devices = await openHouseDevices(host, config, log)
    undo.later(() => devices.stop())
    const house = await houseSentences(host.disk, join(PACKAGE, 'config/intents'))
    const skillSettings = new SettingsOfSkills({ store, clock: host.clock })
    undo.later(() => skillSettings.stop())
    let lent: InferPort | undefined
    /** Ports of this node, known when they are open; no skill may ask the node itself. */
    let listening: readonly number[] = []
    const addedSkills = await openAddedSkills({ host, config, identity, store, clustering, log, audit })
    const ports: HostPorts = {
      devices,
      http: createHttpPort({
        door: realHttp,
        own: () => ({ ports: listening, addresses: ownAddresses() }),
      }),
      language: languagePort(
        () => lent,
        () => tiers.service().most_tokens,
      ),
      settings: skillSettings,
    }
    let tell: SkillWatch['tell'] = () => undefined
    const skills = await openSkills(host, config, log, {
      ...{ self: identity.id, house, ports, added: addedSkills.skills },
      watch: {
        audit: (what, object, outcome) => noteIn(audit, log, { what, object, outcome }),
        tell: (announcement) => tell(announcement),
      },
    })
    undo.later(() => {
      skills.stop()
      return skills.containers.closed()
    })
    skills.start()
    devices.teach(skills, house)
    const spans = spansOut({ host, config, identity, log, metrics })
    undo.later(() => spans?.close())
    const memory = await openMemory({
      ...{ host, config, keys, store, log, metrics, audit },
      traced: spans === undefined ? undefined : (steps) => spans.turn(steps),
      tier: () => tiers.tier,
      skills: () => skills.list(),
    })
    undo.later(() => memory.close())
    const local = createInferPort(pool)
    const residence = openResidence({
      ...{ self: identity.id, life, host, clustering, store, memory, pool, log, metrics },
      voice: () => voice,
    })
    undo.later(() => residence.stop())
    const { placing, moving, remote, relocating } = residence
    const shared = shareEngines({
      self: identity.id,
      clock: host.clock,
      local,
      capabilities: () => preferred(pool.capabilities()),
      load: () => clustering.load,
      room: config.inference.streams_per_engine,
      cluster,
      far: (node) => remote.work(node),
      lent(to, node, model, actor) {
        metrics.add('loqa_work_begun_total', 1, { capability: to, node })
        memory.recorder.engine(to, { model, node }, actor)
      },
      moved: (to, from, next, why) => {
        log.info('Work went to another node', { what: to, from: from.name, to: next.name, why })
        metrics.add('loqa_work_moved_total', 1, { capability: to, why })
      },
      waited: (to, wait_ms) => metrics.observe('loqa_work_wait_ms', wait_ms, { capability: to }),
      hedge: (to, event) => metrics.add('loqa_work_hedged_total', 1, { capability: to, event }),
    })
    const engines = shared.port
    lent = engines
    const capacity = new AddedCapacity({
      ...{ self: identity.id, clock: host.clock, offers: shared.offers, log },
      nameOf: (node) => clustering.nameOf(node),
    })
    undo.later(() => capacity.stop())
    metrics.onScrape(() => capacity.report(metrics))
    const warmth = new Warmth({
      ...{ self: identity.id, clock: host.clock, pool, offers: shared.offers, log, metrics },
      keep_ms: config.inference.rest_after_s * 1_000,
    })
    undo.later(() => warmth.stop())
    const voice: Voice = new Voice({
      clock: host.clock,
      random: host.random,
      understanding: understandingNow(skills, handlerWith(skills, devices)),
      engines: rememberAnswers(tiers.around(engines), {
        ...{ clock: host.clock, most: config.qos.answers_kept },
        again: () => metrics.add('loqa_llm_answers_again_total'),
      }),
      service: () => tiers.service(),
      detectors: detectorsWith(pool, await loadVoiceDetectors()),
      ...voiceSettings(config),
      dropped: (frames) => metrics.add('loqa_voice_frames_dropped_total', frames),
      household: {
        ...householdOf({ self: identity.id, placing, cluster }),
        ...goingOn({
          ...{ self: identity.id, clock: host.clock, cluster },
          heads: () => heads,
          moving: () => moving,
        }),
      },
      privacy: (wanted) => memory.people.privacy(wanted),
      ...wakeOf({ self: identity.id, always: config.voice.wake === 'on', pool, clustering, log, metrics }),
    })
    const runtime = createRuntime({
      node: identity.id,
      boot: life,
      host,
      remote: remote.port,
      behaviors: {
        ...voice.behaviors,
        approvals,
        skill: { behavior: skill, from_afar: { message: isInvokeFromAfar } },
        replica: replicaActor,
      },
      outside: outsideOf(voice, skills, store, () => clustering.cluster?.refusing),
      observe: observeWith(log, metrics, audit, (step, actor) => {
        tiers.heard(step)
        memory.recorder.step(step, actor)
      }),
      failed: (reason) => {
        log.error('The supervision tree failed; the node ends so that it can be started afresh', {
          reason: reason.kind,
        })
        process.exit(1)
      },
    })
    undo.later(() => runtime.shutdown(SHUTDOWN_MS))
    tell = (announcement) => runtime.publish('announce', announcement)
    residence.connect(runtime)
    for (const { listener } of [wiping, capacity, warmth]) clustering.listen(listener)
    warmth.start()
    const telling = tellSkills({
      ...{ self: identity.id, clock: host.clock, runtime, store, clustering },
      skills: () => skills.actors.map(({ key }) => key),
    })
    undo.later(() => telling.stop())
    mirror = (row) => runtime.tell(placedAddress('replica', row.name), replicaChanged(row))
    runtime.start(
      houseTree({
        node: identity.id,
        replicas: pool.replicas().map((row) => ({ name: row.name, args: row })),
        skills: skills.actors,
      }),
    )
    undo.later(followSkills({ node: identity.id, clock: host.clock, runtime, skills }))
    const { desk: skillDesk, stop: leaveSkills, permits, added } = addedSkills.start(skills)
    undo.later(leaveSkills)
    runtime.subscribe('session.phase', (message) => {
      const { session, phase } = message as SessionPhase
      if (phase === 'ended') memory.recorder.ended(session)
    })
    undo.later(keepSweeping(host, memory, (id) => runtime.find(placedAddress('session', id)) !== undefined))
    const rooms = new Rooms({
      ...{ self: identity.id, clock: host.clock, runtime, voice, moving, placing, cluster },
      moved: (session, room, { from, to }) =>
        void memory.noted('session.moved', session, `from ${from} to ${to}, ${room}`),
    })
    rooms.start()
    const look = (): void => rooms.look()
    clustering.listen({ linked: look, unlinked: look, member: look, sheet: look })
    undo.later(() => rooms.stop())
    const heads = new Heads({
      ...{ self: identity.id, clock: host.clock, store },
      fenceOf: (address) => remote.placements().entries.get(address),
      log: (message, values) => log.warn(message, values),
    })
    heads.connect(runtime)
    undo.later(() => heads.stop())
    const presence = new PresenceDesk({
      ...{ self: identity.id, clock: host.clock, runtime, store, cluster },
      log: (message, values) => log.warn(message, values),
    })
    voice.connect(runtime, fixedAddress(identity.id, 'sessions'))
    presence.start()
    undo.later(() => presence.stop())
    clustering.attend()
    undo.later(() => voice.stop())

    const stage: { now: Stage['now'] } = { now: 'starting' }
    const connections = { count: 0 }
    const ownSound = new OwnSound({ host, config, log })
    reportRuntime(metrics, runtime, () => connections.count)
    const https = await openHttps(host, config, ownAddresses())
    const parts = {
      host,
      config,
      https,
      rows,
      identity,
      clustering,
      runtime,
      pool,
      engines,
      models,
      wakeWords,
      checkModel,
      skills,
      skillSettings,
      skillDesk,
      devices,
      store,
      memory,
      bench: new SkillBench({ skills, permits, added, noted: (...what) => memory.noted(...what) }),
      wiping,
      voice,
      heads,
      presence,
      moving,
      relocating,
      rooms,
      capacity,
      machine: () => readMachine(host.disk),
      hardware: () => hardware,
      quality: tiers,
      ownSound,
      metrics,
      auditing,
      started,
    }
    const view = nodeView(parts, stage, connections)
    const api = await startApi({
      view,
      clock: host.clock,
      settings: config.api,
      token: await tokenOf(host, config),
      https: https?.pem,
      page: pageReader(host.disk),
      counted: (route, status) => metrics.add('loqa_http_requests_total', 1, { route, status }),
      defect: (error, route) => log.error('A request failed unexpectedly', { route, error }),
    })
    undo.later(() => api.stop())
    const wyoming = await openWyoming({ host, config, self: identity.id, view, log })
    undo.later(() => wyoming.stop())
    const open = { http: api.port, wyoming: wyoming.port, p2p: clustering.cluster?.port ?? null }
    if (!isLoopback(config.api.host)) clustering.servesAt(api.port)
    listening = [...Object.values(open).filter((port) => port !== null), ...wyoming.more_ports]
    // Before it is ready: whoever asks meanwhile is told that it starts, not that there is none.
    await announceRuntime(host, data, open)
    undo.later(() => host.disk.remove(join(data, 'runtime.json')))

    // First to go: the others must hear of it before anything here has stopped.
    undo.later(() => clustering.stop())
    undo.later(() => telling.leave())
    // Before they are gone, so that others hold what was signed last.
    undo.later(() => auditing.stop())
    await enginesSettled
    stage.now = 'serving'
    await ownSound.start(view)
    undo.later(() => ownSound.stop())
    auditing.begin()
    // Not before it serves: a few small files, and nobody waits for them.
    void readMachine(host.disk).then((facts) => {
      hardware = facts
      clustering.tell()
    })
    voice.warm().catch((error: unknown) => log.warn('Common replies could not be prepared', { error }))
    log.info('The node is ready', { http: api.port, ready_ms: Math.round(host.clock.monotonic() - started) })
    return {
      url: api.url,
      ...elsewhere(https, config.api.host, api.port, ownAddresses()),
      name: config.node.name,
      room: config.node.room,
      again: Promise.race([clustering.again, wiping.again]),
      async stop() {
        stage.now = 'stopping'
        relocating.stop()
        await drain({
          ...{ self: identity.id, clock: host.clock, voice, moving, clustering, capabilities, log },
        })
        await undo.all()
      },
    }
  } catch (thrown) {
    await undo.all()
    throw thrown
  }
}
