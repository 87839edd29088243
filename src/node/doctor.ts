/** What `loqa doctor` looks at: each check with what was found and, where something is wrong, what to do. */
import { join } from 'node:path'
import { isLoopback } from '../config.ts'
import { errorShape } from '../host/index.ts'
import { describeFence } from '../skills/index.ts'
import { clockFinding, type Finding, finding, multicastFinding, roomFinding } from './checks.ts'
import { machineText, soundTags } from './hardware.ts'
import type { NodeParts } from './parts.ts'

/** The node and the starter models take about 600 MB together. */
const LEAST_MEMORY_MB = 900
/** A durable write slower than this makes people wait for "timer set". */
const SLOW_DISK_MS = 50
/** The middle one of so many counts: a disk that is good may be busy for a moment. */
const WRITES = 5

export async function checkUp(parts: NodeParts): Promise<readonly Finding[]> {
  return [
    runtimeVersion(),
    ...(await machine(parts)),
    await clock(parts),
    await dataDirectory(parts),
    await durableWrite(parts),
    storeHealth(parts),
    await keyAtRest(parts),
    await timelines(parts),
    await auditLog(parts),
    ...engines(parts),
    ...(await models(parts)),
    ...skillStates(parts),
    ...devices(parts),
    skillFence(parts),
    await containerEngine(parts),
    ...(await parts.ownSound.findings()),
    exposure(parts),
    multicastFinding(parts.clustering.cluster?.multicast),
    ...household(parts),
  ]
}

function runtimeVersion(): Finding {
  const major = Number(process.versions.node.split('.')[0])
  return finding(
    'Node.js',
    major >= 24,
    `version ${process.versions.node}`,
    'Start it with bin/loqa-node, which brings Node 24.',
  )
}

async function machine({ machine, config }: NodeParts): Promise<Finding[]> {
  const facts = await machine()
  const { battery, microphones, loudspeakers, features, memory_mb } = facts
  const isPlain = process.arch === 'x64' && features.length > 0 && !features.includes('avx2')
  const names = (devices: readonly string[]): string => (devices.length === 0 ? 'none' : devices.join(', '))
  return [
    finding(
      'machine',
      memory_mb >= LEAST_MEMORY_MB && !isPlain,
      machineText(facts),
      isPlain
        ? 'Models run slowly on a processor without AVX2: leave them to another node (inference.llm = "off").'
        : 'Leave models to another node: inference.llm = "off".',
    ),
    ...(battery === null
      ? []
      : [
          finding(
            'battery',
            true,
            `${battery.percent} %, ${battery.charging ? 'plugged in' : 'discharging'}`,
          ),
        ]),
    finding(
      'sound devices',
      true,
      microphones.length + loudspeakers.length === 0
        ? 'none on this machine; satellites bring their own'
        : `microphones: ${names(microphones)}; loudspeakers: ${names(loudspeakers)} (${soundTags(facts, config.node.room).join(', ')})`,
    ),
  ]
}

async function dataDirectory({ host, config }: NodeParts): Promise<Finding> {
  const directory = config.node.data_dir
  const found = await host.disk.info(directory)
  if (found?.kind === 'directory')
    return roomFinding(directory, await host.disk.free(directory).catch(() => undefined))
  return finding('data directory', false, directory, 'It must exist while the node runs; restart the node.')
}

async function clock({ host, config, clustering }: NodeParts): Promise<Finding> {
  const { cluster } = clustering
  const key = await host.disk.info(join(config.node.data_dir, 'store.key')).catch(() => undefined)
  const others = (cluster?.members() ?? []).flatMap(({ id }) => {
    const ahead_ms = cluster?.clockOf(id)
    return ahead_ms === undefined ? [] : [{ name: clustering.nameOf(id), ahead_ms }]
  })
  return clockFinding({ now: host.clock.wall(), founded: key?.modified, others })
}

/** Writes and removes a small file, a few times, the way everything that matters is written. */
async function durableWrite({ host, config }: NodeParts): Promise<Finding> {
  const path = join(config.node.data_dir, 'doctor.probe')
  try {
    const tries: number[] = []
    for (let i = 0; i < WRITES; i += 1) {
      const began = host.clock.monotonic()
      await host.disk.write(path, new Uint8Array(4096))
      tries.push(host.clock.monotonic() - began)
    }
    await host.disk.remove(path)
    const took = tries.sort((a, b) => a - b)[WRITES >> 1]!
    return finding(
      'durable write',
      took <= SLOW_DISK_MS,
      `${took.toFixed(1)} ms, ${Math.round(1_000 / Math.max(0.01, took))} a second`,
      'Move the data directory to a faster disk with --data.',
    )
  } catch (thrown) {
    const { message, hint } = errorShape(thrown)
    return finding('durable write', false, message, hint ?? 'Check the disk.')
  }
}

function storeHealth({ store }: NodeParts): Finding {
  const health = store.health()
  if (health.state === 'ok') return finding('store', true, 'reads and writes')
  return finding(
    'store',
    false,
    `${health.state}: ${health.error.message}`,
    health.error.hint ?? 'See the log.',
  )
}

/** Not whose it is: who may not read it could not have started the node. */
async function keyAtRest({ host, config }: NodeParts): Promise<Finding> {
  const path = join(config.node.data_dir, 'store.key')
  const { mode } = (await host.disk.info(path)) ?? {}
  const sealed = config.store.passphrase_file === '' ? 'without a passphrase' : 'sealed by a passphrase'
  return finding(
    'key at rest',
    mode === undefined || (mode & 0o077) === 0,
    mode === undefined ? sealed : `mode ${mode.toString(8)}, ${sealed}`,
    `Others may read it: chmod 600 ${path}`,
  )
}

async function timelines({ memory, config }: NodeParts): Promise<Finding> {
  const { scope } = config.privacy
  try {
    const kept = await memory.timeline.list()
    const long = kept.filter((row) => row.scope === 'persistent').length
    return finding(
      'timelines',
      true,
      `${kept.length} kept, ${long} with consent; the default scope is ${scope}`,
    )
  } catch (thrown) {
    const { message, hint } = errorShape(thrown)
    return finding('timelines', false, message, hint ?? 'See the log.')
  }
}

async function auditLog({ auditing, clustering }: NodeParts): Promise<Finding> {
  const verdict = await auditing.verify((id) => clustering.nameOf(id))
  if (verdict.ok) return finding('audit log', true, `${verdict.records} records, unbroken`)
  const open = verdict.faults.find(({ acknowledged }) => !acknowledged)
  if (open === undefined) return finding('audit log', true, `${verdict.records} records, known faults only`)
  return finding(
    'audit log',
    false,
    `line ${open.line} ${open.reason}`,
    'Somebody or something changed it: keep a copy, and ask who could. See: loqa audit verify',
  )
}

function engines({ pool }: NodeParts): Finding[] {
  return pool.capabilities().map(({ tag, state, p95_ms, real_time_factor, tokens_per_s, gpu, error }) => {
    const figures = [
      ...(p95_ms === null ? [] : [`p95 ${Math.round(p95_ms)} ms`]),
      ...(real_time_factor === null ? [] : [`real-time factor ${real_time_factor.toFixed(2)}`]),
      ...(tokens_per_s === null ? [] : [`${Math.round(tokens_per_s)} tokens a second`]),
      ...(gpu === undefined ? [] : [`on ${gpu.backend} with ${gpu.free_mb} of ${gpu.total_mb} MB free`]),
    ]
    const speed = figures.map((figure) => `, ${figure}`).join('')
    const detail = error === undefined ? `${state}${speed}` : `${state}: ${error.message}`
    return finding(
      `engine ${tag}`,
      state === 'ready' || state === 'resting',
      detail,
      error?.hint ?? 'It is restarted by itself; see the log.',
    )
  })
}

/** Each file is compared with its checksum, where it changed since it was. */
function models({ models: used, checkModel }: NodeParts): Promise<Finding[]> {
  return Promise.all(
    used.map(async (model) => {
      const { id, covers, files } = model
      const whole = files.length === 0 ? '' : 'checksums right'
      const detail = [whole, covers].filter((text) => text !== '').join('; ')
      try {
        await checkModel(model)
        return finding(`model ${id}`, true, detail === '' ? 'in use' : detail)
      } catch (thrown) {
        const { message, hint } = errorShape(thrown)
        return finding(`model ${id}`, false, message, hint ?? 'See the log.')
      }
    }),
  )
}

function skillStates({ skillDesk }: NodeParts): Finding[] {
  return skillDesk
    .list()
    .map(({ name, version, state, problem }) =>
      finding(
        `skill ${name}`,
        state === 'ready',
        problem ?? `${state} ${version}`,
        'loqa skill show NAME says more; loqa skill rm removes one that was added.',
      ),
    )
}

/** Where devices come from, and whether who listens on the network learns the password. */
function devices({ devices, config }: NodeParts): Finding[] {
  const { mqtt_url, mqtt_user } = config.devices
  const open = mqtt_user !== '' && /^(mqtt|ws):/.test(mqtt_url) && !isOnThisMachine(mqtt_url)
  return devices
    .status()
    .flatMap(({ source, state, reason, devices: count, problems }) => [
      finding(
        `devices of ${source}`,
        state === 'connected',
        state === 'connected'
          ? `${count} devices${problems.length === 0 ? '' : `, ${problems.length} announcements not used (loqa devices names them)`}`
          : `${state}${reason === null ? '' : `: ${reason}`}`,
        'Is it there, and are its address and credentials under [devices] right? See: loqa config show --origin',
      ),
      ...(open && source === mqtt_url
        ? [
            finding(
              'password of the broker',
              false,
              'it crosses the network readable',
              'Use mqtts:// in devices.mqtt_url, and devices.mqtt_ca_file for a certificate of your own.',
            ),
          ]
        : []),
    ])
}

function isOnThisMachine(url: string): boolean {
  return isLoopback(new URL(url).hostname)
}

/** Without one, skills are held by WebAssembly and a process without rights alone: no fault, but better to know. */
function skillFence({ skills }: NodeParts): Finding {
  const { fence } = skills
  const advice =
    fence.name === 'bubblewrap' || process.platform !== 'linux'
      ? ''
      : '; with bubblewrap installed there would be more'
  return finding('fence around skills', true, `${describeFence(fence)}${advice}`)
}

/** Only a skill in a container needs one. */
async function containerEngine({ skills }: NodeParts): Promise<Finding> {
  const needing = skills.catalogue.skills
    .filter(({ manifest }) => manifest.runtime === 'container')
    .map(({ manifest }) => manifest.name)
  const found = await skills.containers.state()
  const check = 'container engine'
  if (found.state === 'there') return finding(check, true, `${found.name} at ${found.socket}`)
  const words = {
    off: 'switched off (skills.container_engine)',
    none: 'none answers',
    forbidden: 'one is there, and this user may not use it',
  }[found.state]
  if (needing.length === 0) return finding(check, true, `${words}; no skill here needs one`)
  return finding(
    check,
    false,
    `${words}; needed by ${needing.join(', ')}`,
    'Install Podman and start its socket: systemctl --user enable --now podman.socket',
  )
}

function exposure({ config, https }: NodeParts): Finding {
  const { host, token_file } = config.api
  const local = isLoopback(host)
  const reach = local ? `this machine only (${host})` : `${host}, with a token`
  const until = https === undefined ? '' : new Date(https.until).toISOString().slice(0, 10)
  return finding(
    'who can reach HTTP',
    local || token_file !== '',
    https === undefined ? reach : `${reach}; https until ${until}, certificate SHA-256 ${https.fingerprint}`,
    'Set api.token_file.',
  )
}

/** The household as this node sees it, and each member that is not connected, with why. */
function household({ clustering }: NodeParts): Finding[] {
  const { cluster } = clustering
  const { phase, members, pending } = clustering.household()
  if (phase === 'removed') {
    return [
      finding(
        'household',
        false,
        'this node was removed from it',
        'To join again: loqa household reset --yes',
      ),
    ]
  }
  if (cluster === undefined) return [finding('household', true, 'this node runs alone')]
  const ids = new Set<string>(members.map(({ id }) => id))
  const away = cluster
    .nodes()
    .filter(({ id, state, why_not_connected: why }) => ids.has(id) && why !== null && state !== 'left')
  const waits = pending.length === 0 ? '' : `, ${pending.length} waiting to be let in`
  const here = `${members.length} members, ${away.length} not connected${waits}`
  return [
    finding('household', true, here),
    ...away.map(({ name, id, why_not_connected: why }) =>
      finding(
        `member ${name === '' ? id.slice(-8) : name}`,
        false,
        why?.message ?? 'not connected',
        why?.hint ?? 'Is it switched on, and on this network?',
      ),
    ),
  ]
}
