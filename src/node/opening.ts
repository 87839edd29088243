/** What a start opens as the configuration says: log, engines, skills, the token; and where others of this machine find the node. */
import { join } from 'node:path'
import { tokenFrom } from '../api/index.ts'
import type { Config } from '../config.ts'
import { DiskError, type Host, LoqaError, type NodeId, PACKAGE } from '../host/index.ts'
import { VERSION } from '../host/version.ts'
import {
  type Capability,
  chooseModels,
  enginesDirectory,
  enginesElsewhere,
  type Model,
  openModels,
  Pool,
  plainVoice,
  pulledDirectory,
  replicasOf,
  sentTo,
  wakeReplicas,
  wyomingEngines,
} from '../inference/index.ts'
import { createLog, type Log } from '../observe/index.ts'
import { loadSkills, type Skills, type SkillsOptions, usualSockets } from '../skills/index.ts'
import { wakeWordsOf } from './waking.ts'

export function openLog({ clock }: Host, { observe, node }: Config): Log {
  const { stderr } = process
  const color = stderr.isTTY && process.env.NO_COLOR === undefined
  const log = createLog({
    level: observe.log_level,
    format: observe.log_format,
    log_pii: observe.log_pii,
    output: { tty: stderr.isTTY, color, write: (line) => stderr.write(line) },
    wall: () => clock.wall(),
  })
  return log.child({ node: node.name })
}

export async function openEngines(
  { disk, clock, random }: Host,
  { inference, openai, wyoming, node, qos }: Config,
  log: Log,
  onChange: (capability: Capability) => void,
): Promise<{
  pool: Pool
  models: readonly Model[]
  wakeWords: ReturnType<typeof wakeWordsOf>
  checkModel: (model: Model) => Promise<unknown>
}> {
  const models_dir = inference.models_dir === '' ? join(PACKAGE, 'models') : inference.models_dir
  const models = await openModels({
    ...{ disk, clock, models_dir, unpacked_dir: join(node.data_dir, 'models') },
    pulled_dir: pulledDirectory(node.data_dir),
    engines_dir: enginesDirectory(node.data_dir),
  })
  if (models.trouble !== undefined) log.warn('What was fetched is not used', { error: models.trouble })
  const chosen = chooseModels(models.list, inference, models.chosen)
  // Who wants the best in any case, however late, needs no second voice.
  const plain = qos.tier === 'rich' ? undefined : plainVoice(chosen)
  const own = [...chosen, ...(plain === undefined ? [] : [plain])].flatMap((model) =>
    replicasOf(model, models),
  )
  const servers = enginesElsewhere(openai)
  const services = wyomingEngines(wyoming)
  const elsewhere = [...services, ...servers]
  for (const { spec, model } of elsewhere)
    log.warn('What is said here leaves this machine', { engine: spec.tag, to: sentTo(model) })
  const specs = (first: boolean) =>
    [...(wyoming.first === first ? services : []), ...(openai.first === first ? servers : [])].map(
      ({ spec }) => spec,
    )
  const replicas = [...specs(true), ...own, ...specs(false), ...wakeReplicas(models)]
  return {
    wakeWords: wakeWordsOf(models.list),
    models: [...chosen, ...elsewhere.map(({ model }) => model)],
    pool: new Pool({ settings: inference, replicas, clock, random, log, onChange }),
    checkModel: (model) => models.prepare(model),
  }
}

/** Without those that only stand in: of each kind what this node asks first, and what is not ready before it. */
export function preferred(capabilities: readonly Capability[]): readonly Capability[] {
  const kindOf = ({ tag }: Capability): string => tag.split('.', 1)[0]!
  return capabilities.filter((one, at) => {
    const before = capabilities.slice(0, at)
    return !before.some((other) => other.state === 'ready' && kindOf(other) === kindOf(one))
  })
}

export function openSkills(
  host: Host,
  { skills, node: { language } }: Config,
  log: Log,
  more: Pick<SkillsOptions, 'house' | 'ports' | 'watch' | 'added'> & { readonly self: NodeId },
): Promise<Skills> {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const roots = [join(PACKAGE, 'skills'), ...(skills.extra_dir === '' ? [] : [skills.extra_dir])]
  const { self, ...rest } = more
  const container_sockets = socketsOf(skills.container_engine)
  const settings = { zone, language, container_sockets, told_of_house: true }
  return loadSkills({ host, log, node: self, roots, ...settings, ...rest })
}

function socketsOf(wanted: string): readonly string[] {
  if (wanted === 'off') return []
  return wanted === 'auto' ? usualSockets(process.getuid?.()) : [wanted]
}

export async function tokenOf({ disk }: Host, { api }: Config): Promise<string | undefined> {
  if (api.token_file === '') return undefined
  try {
    return tokenFrom(Buffer.from(await disk.read(api.token_file)).toString('utf8'))
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown
    throw new LoqaError('config-invalid', `api.token_file cannot be read: ${thrown.message}`, {
      hint: 'Make one: head -c 32 /dev/urandom | base64 | tr -d "/+=" > token',
      cause: thrown,
    })
  }
}

/** Tells the machine's programs where this node is; removed at an orderly end. */
export async function announceRuntime(
  { disk }: Host,
  data: string,
  ports: { readonly http: number; readonly p2p: number | null; readonly wyoming: number | null },
): Promise<void> {
  const runtime = { pid: process.pid, ...ports, version: VERSION }
  await disk.write(join(data, 'runtime.json'), Buffer.from(`${JSON.stringify(runtime)}\n`))
}
