/** `loqa sessions show | export | erase`: the steps of conversations, to see, to take along, to erase. */
import { resolve } from 'node:path'
import type {
  ErasedView,
  NodeRow,
  PersonRow,
  ReplayView,
  TimelineRow,
  TimelineView,
} from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { UsageError } from '../failures.ts'
import { keptText, namesOf, replayText, timelineText } from '../timeline-text.ts'
import { EXIT } from '../world.ts'

const at = (session: string, what: string): string =>
  `/api/v1/sessions/${encodeURIComponent(session)}/${what}`

export const show: Run = async (call) => {
  const { world, args, options, json, style, client } = call
  const [session] = args
  if (session === undefined) return showKept(call)
  const node = await client()
  if (options.replay === true) {
    const verdict = await node.get<ReplayView>(at(session, 'replay'))
    world.terminal.out(json ? `${JSON.stringify(verdict)}\n` : replayText(verdict))
    return verdict.same ? EXIT.ok : EXIT.failed
  }
  const timeline = await node.get<TimelineView>(at(session, 'timeline'))
  if (json) world.terminal.out(`${JSON.stringify(timeline)}\n`)
  else {
    const nodes = await node.get<NodeRow[]>('/api/v1/nodes')
    world.terminal.out(timelineText(timeline, namesOf(nodes), style))
  }
  return EXIT.ok
}

async function showKept({ world, json, style, client }: Call) {
  const node = await client()
  const rows = await node.get<TimelineRow[]>('/api/v1/timelines')
  if (json) world.terminal.out(`${JSON.stringify(rows)}\n`)
  else if (rows.length === 0) world.terminal.out('This node keeps the steps of no conversation.\n')
  else {
    const someones = rows.some(({ person }) => person !== null)
    const persons = someones ? namesOf(await node.get<PersonRow[]>('/api/v1/persons')) : undefined
    const named = rows.map((row) => ({ ...row, person: persons?.get(row.person ?? '') ?? row.person }))
    world.terminal.out(keptText(named, world.clock.wall(), style))
  }
  return EXIT.ok
}

export const exportOne: Run = async ({ world, args, options, client }) => {
  const timeline = await (await client()).get<TimelineView>(at(args[0]!, 'timeline'))
  const text = `${JSON.stringify(timeline, undefined, 2)}\n`
  if (typeof options.output !== 'string') world.terminal.out(text)
  else await world.disk.write(resolve(world.directory, options.output), Buffer.from(text), { mode: 0o600 })
  return EXIT.ok
}

export const erase: Run = async (call) => {
  const { world, args, options, json, client } = call
  const [session] = args
  if ((session === undefined) === (options.all !== true)) {
    throw new UsageError('Say which: a session, or --all', 'loqa sessions show lists what is kept.')
  }
  const path = session === undefined ? '/api/v1/timelines/erase' : at(session, 'erase')
  const node = await client()
  const would = await node.post<ErasedView>(path, { dry_run: true })
  if (options.dryRun === true) {
    world.terminal.out(json ? `${JSON.stringify(would)}\n` : `Would erase ${erasedText(would)}.\n`)
    return EXIT.ok
  }
  await confirm(call, `This erases ${erasedText(would)} for good.`, 'erase')
  const erased = await node.post<ErasedView>(path, {})
  world.terminal.out(json ? `${JSON.stringify(erased)}\n` : `Erased ${erasedText(erased)}.\n`)
  return EXIT.ok
}

export const erasedText = ({ timelines, events }: ErasedView): string =>
  `${timelines} ${timelines === 1 ? 'timeline' : 'timelines'} with ${events} ${events === 1 ? 'step' : 'steps'}`
