/** `loqa skill ls | show | audit`: the skills there are, and what they did. */
import type { AuditRow, SkillDetail, SkillView } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { skillsText, skillText } from '../skill-text.ts'
import { EXIT } from '../world.ts'
import { auditText, sinceIn } from './audit-ls.ts'

export const ls: Run = async ({ world, json, style, client }) => {
  const skills = await (await client()).get<SkillView[]>('/api/v1/skills')
  world.terminal.out(json ? `${JSON.stringify(skills)}\n` : skillsText(skills, style))
  return EXIT.ok
}

export const show: Run = async ({ world, args, json, style, client }) => {
  const skill = await (await client()).get<SkillDetail>(`/api/v1/skills/${encodeURIComponent(args[0]!)}`)
  world.terminal.out(json ? `${JSON.stringify(skill)}\n` : skillText(skill, style))
  return EXIT.ok
}

/** Records of calls name the skill's actor, those of changes its name first. */
export const audit: Run = async ({ world, args, options, json, style, client }) => {
  const query = new URLSearchParams({ what: 'skill', limit: String(options.limit ?? 200) })
  if (typeof options.since === 'string') query.set('since', sinceIn(options.since, world.clock.wall()))
  const rows = await (await client()).get<AuditRow[]>(`/api/v1/audit?${query}`)
  const [name] = args
  const about = ({ object, actor }: AuditRow): boolean =>
    [object, actor].some((text) => text.split(/[\s/.:]/).includes(name ?? ''))
  const found = name === undefined ? rows : rows.filter(about)
  if (json) world.terminal.out(`${JSON.stringify(found)}\n`)
  else world.terminal.out(found.length === 0 ? 'There is no such record.\n' : auditText(found, style))
  return EXIT.ok
}
