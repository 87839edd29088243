/** Skills as the API shows them: what runs, what was added, and what may not run. */
import type { SkillDetail, SkillView } from '../api/index.ts'
import { type registry, type Skill, type SkillManifest, type Skills, trust } from '../skills/index.ts'
import type { SkillRegistry, Standing } from './skill-registry.ts'

export interface RowParts {
  readonly skills: Pick<Skills, 'list' | 'catalogue'>
  readonly registry: Pick<SkillRegistry, 'standings'>
  readonly shipped: ReadonlySet<string>
}

export function rowsOf({ skills, registry: live, shipped }: RowParts): readonly SkillView[] {
  const running = skills.list().map((row): SkillView => {
    const standing = live.standings.get(row.name)
    const { name, version, publisher, zone, summary, state, permissions, problem } = row
    return {
      ...{ name, version, publisher, zone, summary, state, permissions: [...permissions] },
      level: levelOf(name, standing, shipped, state),
      pinned: standing?.record.pinned ?? false,
      waiting: standing?.record.waiting?.version ?? null,
      problem: problem ?? standing?.problem?.message ?? null,
    }
  })
  const known = new Set(running.map(({ name }) => name))
  const others = [...live.standings].filter(([name]) => !known.has(name))
  return [...running, ...others.map(([name, standing]) => refusedRow(name, standing))].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )
}

function levelOf(
  name: string,
  standing: Standing | undefined,
  shipped: ReadonlySet<string>,
  state: SkillView['state'],
): SkillView['level'] {
  if (standing?.loaded !== undefined) return standing.loaded.verdict.level
  if (shipped.has(name)) return 'program'
  return state === 'unusable' ? 'none' : 'folder'
}

const refusedRow = (name: string, { record, problem }: Standing): SkillView => ({
  name,
  version: record.version,
  publisher: record.owner.slice(record.owner.indexOf(':') + 1),
  level: 'none',
  zone: 3,
  summary: '',
  state: 'unusable',
  permissions: [],
  pinned: record.pinned,
  waiting: record.waiting?.version ?? null,
  problem: problem?.message ?? 'its package has not arrived here yet',
})

/** Undefined for a name nobody has. */
export function detailOf(name: string, parts: RowParts): SkillDetail | undefined {
  const row = rowsOf(parts).find((one) => one.name === name)
  if (row === undefined) return undefined
  const standing = parts.registry.standings.get(name)
  const skill = parts.skills.catalogue.skills.find(({ manifest }) => manifest.name === name)
  return {
    ...row,
    ...aboutPackage(standing, skill),
    ...aboutManifest(skill?.manifest, standing?.record.granted),
    problem_code: standing?.problem?.code ?? null,
  }
}

/** What adding it would mean. `granted`: what an earlier version was granted. */
export function detailOfPackage(
  loaded: registry.Loaded,
  record: registry.SkillRecord,
  granted: readonly string[],
): SkillDetail {
  const { manifest } = loaded.skill
  const { name, version, publisher, zone, summary, permissions } = manifest
  return {
    ...{ name, version, publisher, zone, summary },
    state: 'ready',
    level: loaded.verdict.level,
    permissions: permissions.map(({ use }) => use),
    pinned: record.pinned,
    waiting: record.waiting?.version ?? null,
    problem: null,
    problem_code: null,
    ...aboutPackage({ record, loaded, problem: undefined }, loaded.skill),
    ...aboutManifest(manifest, granted),
  }
}

function aboutPackage(standing: Standing | undefined, skill: Skill | undefined) {
  const verdict = standing?.loaded?.verdict
  return {
    digest: standing?.loaded?.content.digest ?? standing?.record.digest ?? skill?.sha256 ?? '',
    key: verdict?.key ?? null,
    root: verdict?.root ?? null,
    until: verdict?.until ?? null,
    added_at: standing?.record.at ?? null,
    added_by: standing?.record.by ?? null,
  }
}

/** Whoever came with the node has all it asks for. */
function aboutManifest(manifest: SkillManifest | undefined, granted: readonly string[] | undefined) {
  return {
    licence: manifest?.licence ?? '',
    intents: manifest === undefined ? [] : Object.keys(manifest.intents),
    asks:
      manifest === undefined
        ? []
        : trust.plainAsks(manifest).map((one) => ({ ...one, granted: granted?.includes(one.ask) ?? true })),
  }
}
