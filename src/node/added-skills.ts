/** The skills a household added, on this node: policy, packages and records put together, before any skill runs. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { type Host, InvalidInputError, keyOf, LoqaError, nodeId, PACKAGE } from '../host/index.ts'
import type { Audit, Log } from '../observe/index.ts'
import { type Skill, type SkillManifest, type Skills, trust } from '../skills/index.ts'
import type { Store } from '../store/index.ts'
import type { Clustering } from './clustering.ts'
import type { Identity } from './identity.ts'
import { skillDesk } from './skill-desk.ts'
import { SkillRegistry } from './skill-registry.ts'
import { SkillShelf } from './skill-shelf.ts'

export interface AddedSkillsParts {
  readonly host: Host
  readonly config: Config
  readonly identity: Identity
  readonly store: Store
  readonly clustering: Pick<Clustering, 'household' | 'listen'>
  readonly log: Log
  readonly audit: Audit
}

/** Errors: `config-invalid` for the policy, `store-*`, `DiskError`. */
export async function openAddedSkills({
  host,
  config,
  identity,
  store,
  clustering,
  log,
  audit,
}: AddedSkillsParts) {
  const directory = join(config.node.data_dir, 'skills')
  const policy = await policyOf(host, config.skills.policy)
  const shipped = new Set(await host.disk.list(join(PACKAGE, 'skills')))
  const shelf = new SkillShelf({ disk: host.disk, store, directory })
  const noted = (what: string, object: string, outcome: string): Promise<unknown> =>
    audit.append({ actor: 'node', who: '-', what, object, outcome })
  const registry = new SkillRegistry({
    ...{ disk: host.disk, clock: host.clock, store, shelf, directory, policy, shipped, log },
    members: () => memberKeys(clustering),
    audit: noted,
  })
  await warnOfFolders(host, directory, log)
  const skills = await registry.open()
  return {
    skills: skills as readonly Skill[],
    /** They come, change and go from now on, whoever of the household says so. */
    start(running: Skills) {
      registry.start(running)
      clustering.listen({ belonged: () => registry.changed() })
      const signer = trust.signerOf(identity.keyring.self.identity.expose())
      return {
        stop: () => registry.stop(),
        /** Errors: `TrustError`. */
        permits: (manifest: SkillManifest) => trust.refuseUnsigned(manifest, policy),
        /** The one of that name that may run now. */
        added: (name: string) => registry.standings.get(name)?.loaded?.skill,
        desk: skillDesk({
          ...{ store, shelf, registry, policy, shipped, signer },
          skills: running,
          clock: host.clock,
          self: identity.id,
          audit: noted,
        }),
      }
    },
  }
}

/** Of the nodes that belong to the household now: a removed one vouches for nothing. */
function memberKeys(clustering: Pick<Clustering, 'household'>): ReadonlySet<string> {
  const { phase, members } = clustering.household()
  if (phase === 'removed') return new Set()
  return new Set(members.flatMap(({ id }) => keyOf(nodeId(id)) ?? []))
}

/** A name of one that comes with the program, or a path. */
async function policyOf({ disk }: Pick<Host, 'disk'>, wanted: string): Promise<trust.Policy> {
  const isName = /^[a-z]{1,32}$/.test(wanted)
  const file = isName ? join(PACKAGE, 'config/policies', `${wanted}.yaml`) : wanted
  try {
    const info = await disk.info(file)
    if (info === undefined)
      throw new InvalidInputError(
        `There is no policy ${wanted}`,
        'home and medical come with loqa; or give a path.',
      )
    if (info.size > trust.MAX_POLICY_BYTES) throw new InvalidInputError(`${file} is too large for a policy`)
    return trust.readPolicy(Buffer.from(await disk.read(file)).toString('utf8'), file)
  } catch (thrown) {
    if (!(thrown instanceof LoqaError)) throw thrown
    throw new LoqaError('config-invalid', `skills.policy: ${thrown.message}`, {
      hint: thrown.hint,
      cause: thrown,
    })
  }
}

/** Nothing that merely lies there runs. */
async function warnOfFolders({ disk }: Pick<Host, 'disk'>, directory: string, log: Log): Promise<void> {
  if ((await disk.info(directory)) === undefined) return
  for (const name of await disk.list(directory)) {
    const folder = join(directory, name)
    if ((await disk.info(join(folder, 'skill.yaml'))) === undefined) continue
    log.warn('A folder is no skill until somebody vouches for it: loqa skill add FOLDER --unsigned', {
      folder,
    })
  }
}
