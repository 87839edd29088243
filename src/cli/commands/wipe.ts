/** `loqa wipe`: destroys what every node of the household keeps, after a dry run and a typed word. */
import type { WipePlan } from '../../api/index.ts'
import type { Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../world.ts'

export const run: Run = async (call) => {
  const { world, json, options, client } = call
  const node = await client()
  const plan = await node.post<WipePlan>('/api/v1/wipe', { dry_run: true })
  if (options.dryRun !== true) {
    await confirm(call, planText(plan), 'wipe')
    await node.post<WipePlan>('/api/v1/wipe', { confirm: 'wipe' })
  }
  if (json) world.terminal.out(`${JSON.stringify(plan)}\n`)
  else if (options.dryRun === true) world.terminal.out(`${planText(plan)}\n`)
  else {
    const away = plan.nodes.filter(({ connected }) => !connected).length
    world.terminal.out(
      `Wiped. This node starts anew${away === 0 ? '' : '; those that are away are wiped when they return'}.\n`,
    )
  }
  return EXIT.ok
}

function planText({ nodes }: WipePlan): string {
  const there = nodes.filter(({ connected }) => connected).map(({ name }) => name)
  const away = nodes.filter(({ connected }) => !connected).map(({ name }) => name)
  return [
    'This destroys timers, lists, settings, persons, timelines and all copies of them, with the keys they are sealed with:',
    `  at once              on this node${there.length === 0 ? '' : ` and ${there.join(', ')}`}`,
    ...(away.length === 0 ? [] : [`  when they return     on ${away.join(', ')}`]),
    '  stays                the household and its members, models, added skills, the audit log (it holds no content)',
    'Nobody can undo it. A flash disk may keep old bytes of the key for a while.',
  ].join('\n')
}
