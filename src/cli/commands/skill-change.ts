/** `loqa skill rm | pin | grant | revoke | enable | trust`: what a person decides about skills, for the whole household. */
import type { RevokedRow, SkillDetail, SkillReview, TrustedRow } from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { UsageError } from '../failures.ts'
import { asksText, revokedText, skillText, trustedText } from '../skill-text.ts'
import { EXIT } from '../world.ts'

const print = ({ world, json }: Call, shape: unknown, text: string): typeof EXIT.ok => {
  world.terminal.out(json ? `${JSON.stringify(shape)}\n` : text)
  return EXIT.ok
}

export const rm: Run = async (call) => {
  const node = await call.client()
  const skill = call.args[0]!
  const there = await node.get<SkillDetail>(`/api/v1/skills/${encodeURIComponent(skill)}`)
  const what = `${there.name} ${there.version}`
  if (call.options.dryRun === true) return print(call, there, `Would remove ${what} from every node.\n`)
  await confirm(call, `This removes ${what} from every node of the household. What it kept stays.`, 'remove')
  const gone = await node.post<SkillDetail>('/api/v1/skills/rm', { skill })
  return print(call, gone, `Removed ${what}.\n`)
}

export const pin: Run = async (call) => {
  const on = call.options.off !== true
  const body = { skill: call.args[0]!, on }
  const pinned = await (await call.client()).post<SkillDetail>('/api/v1/skills/pin', body)
  const said = on ? `${pinned.name} stays at ${pinned.version}.\n` : `${pinned.name} may change again.\n`
  return print(call, pinned, said)
}

export const grant: Run = async (call) => {
  const node = await call.client()
  const skill = call.args[0]!
  const review = await node.post<SkillReview>('/api/v1/skills/grant', { skill, dry_run: true })
  const said = `${skill} ${review.skill.version} asks for more than before.\n${asksText(review.skill.asks, call.style)}`
  if (call.options.dryRun === true) return print(call, review, said)
  await confirm(call, said.trimEnd(), 'grant')
  const granted = await node.post<SkillReview>('/api/v1/skills/grant', { skill })
  return print(call, granted, `${skill} ${granted.skill.version} is in use.\n`)
}

export const enable: Run = async (call) => {
  const body = { skill: call.args[0]! }
  const skill = await (await call.client()).post<SkillDetail>('/api/v1/skills/enable', body)
  return print(call, skill, skillText(skill, call.style))
}

export const revoke: Run = async (call) => {
  const { args, options, style } = call
  const node = await call.client()
  const what = args[0]
  if (what === undefined) {
    const rows = await node.get<RevokedRow[]>('/api/v1/skill-revocations')
    return print(call, rows, revokedText(rows, style))
  }
  const kinds = (['key', 'publisher', 'package'] as const).filter((kind) => options[kind] === true)
  if (kinds.length > 1) throw new UsageError('Say one of --key, --publisher and --package')
  const kind = kinds[0] ?? 'skill'
  const undo = options.undo === true
  if (!undo)
    await confirm(
      call,
      `This stops ${SAID[kind]} ${what} on every node of the household, at once, and keeps it from being added again.`,
      'revoke',
    )
  const body = { kind, what, undo, ...(typeof options.why === 'string' ? { why: options.why } : {}) }
  const rows = await node.post<RevokedRow[]>('/api/v1/skills/revoke', body)
  return print(call, rows, revokedText(rows, style))
}

const SAID = {
  skill: 'the package of the skill',
  key: 'all that was signed with the key',
  publisher: 'all of the publisher',
  package: 'the package',
} as const

export const trust: Run = async (call) => {
  const { args, options, style } = call
  const node = await call.client()
  const [publisher, key] = args
  if (publisher === undefined) {
    const rows = await node.get<TrustedRow[]>('/api/v1/skill-publishers')
    return print(call, rows, trustedText(rows, style))
  }
  if (key === undefined || !/^[0-9a-f]{64}$/.test(key))
    throw new UsageError(
      'A key is 64 hex digits',
      `Ask ${publisher} for it, not whoever brought you the package.`,
    )
  const days = options.days === undefined ? 365 : Number(options.days)
  if (!Number.isInteger(days) || days < 1 || days > 3_650)
    throw new UsageError('--days takes a whole number from 1 to 3650')
  const undo = options.undo === true
  if (!undo)
    await confirm(
      call,
      `Skills of ${publisher} signed with ${key} may then be added, and run in zone 3.\nDid ${publisher} tell you this key themselves?`,
      'trust',
    )
  const rows = await node.post<TrustedRow[]>('/api/v1/skills/trust', { publisher, key, days, undo })
  return print(call, rows, trustedText(rows, style))
}
