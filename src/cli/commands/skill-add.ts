/** `loqa skill add`: shows what a skill may do, asks, and adds it on every node. */
import type { SkillReview } from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { UsageError } from '../failures.ts'
import { packageFrom } from '../skill-sources.ts'
import { asksText } from '../skill-text.ts'
import { paint } from '../table.ts'
import { EXIT } from '../world.ts'

export const run: Run = async (call) => {
  const { world, args, options, json, client } = call
  const bytes = await packageFrom(world, args[0]!, {
    ...(typeof options.from === 'string' ? { from: options.from } : {}),
    ...(typeof options.sha256 === 'string' ? { sha256: options.sha256 } : {}),
  })
  const order = { package: Buffer.from(bytes).toString('base64'), unsigned: options.unsigned === true }
  const node = await client()
  const review = await node.post<SkillReview>('/api/v1/skills/add', { ...order, dry_run: true })
  const said = reviewText(call, review)
  if (options.dryRun === true) {
    world.terminal.out(json ? `${JSON.stringify(review)}\n` : said)
    return EXIT.ok
  }
  if (review.unsigned && options.unsigned !== true) {
    throw new UsageError(
      `Nobody vouches for ${review.skill.name}: whoever made it could have put anything into it`,
      'If it is your own work, or you read all of it: add --unsigned. This household then vouches for it.',
    )
  }
  if (review.outcome !== 'unchanged') await confirm(call, said, review.skill.name)
  // Whoever says --yes has not read what an update asks for: that waits, unless they say so.
  const isUpdate = review.outcome === 'updated' && review.more.length > 0
  const grant = options.yes !== true || !isUpdate || options.grant === true
  const added = await node.post<SkillReview>('/api/v1/skills/add', { ...order, grant })
  world.terminal.out(json ? `${JSON.stringify(added)}\n` : outcomeText(added))
  return EXIT.ok
}

function reviewText({ style }: Call, { skill, unsigned, outcome, more }: SkillReview): string {
  const who = unsigned
    ? 'NOBODY vouches for it; you would, for this household'
    : `vouched for as ${skill.level}`
  const lines = [
    `${skill.name} ${skill.version} of ${skill.publisher}: ${skill.summary}`,
    unsigned ? paint(style, 'red', who) : `${who}, signed with ${skill.key}`,
    `It runs in zone ${skill.zone}, in a sandbox process of its own.`,
    asksText(skill.asks, style).trimEnd(),
    ...(outcome === 'updated' && more.length > 0
      ? ['What is marked new the version before was not granted.']
      : []),
    ...(outcome === 'unchanged' ? ['It is here already.'] : []),
  ]
  return `${lines.join('\n')}\n`
}

function outcomeText({ outcome, skill, more }: SkillReview): string {
  const it = `${skill.name} ${skill.version}`
  switch (outcome) {
    case 'installed':
      return `Added ${it}. Every node of the household takes it over; try: loqa skill show ${skill.name}\n`
    case 'updated':
      return `${it} is in use.\n`
    case 'unchanged':
      return `${it} is here already.\n`
    case 'waiting':
      return `${it} waits, since it asks for more (${more.join(', ')}); the version before goes on.\nTo allow it: loqa skill grant ${skill.name}\n`
  }
}
