/** `loqa persons ls | add | consent | export | erase`: who lives here, and what may be kept of what they say. */
import { resolve } from 'node:path'
import type { PersonErased, PersonExport, PersonRow } from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { confirm } from '../confirm.ts'
import { UsageError } from '../failures.ts'
import { type Column, table } from '../table.ts'
import { EXIT } from '../world.ts'
import { erasedText } from './sessions-timeline.ts'

const COLUMNS: readonly Column[] = [
  { title: 'name', flexible: true },
  { title: 'id' },
  { title: 'since' },
  { title: 'consent' },
]

const consentText = ({ consent }: PersonRow): string =>
  consent === null ? 'never asked' : `${consent.given ? 'given' : 'withdrawn'} ${consent.at.slice(0, 10)}`

const print = ({ world, json, style }: Call, persons: readonly PersonRow[], shape: unknown): void => {
  const rows = persons.map((person) => [
    person.name,
    person.id,
    person.since.slice(0, 10),
    consentText(person),
  ])
  world.terminal.out(json ? `${JSON.stringify(shape)}\n` : table(COLUMNS, rows, style))
}

const named = ({ args }: Call): string => args.join(' ')

export const ls: Run = async (call) => {
  const persons = await (await call.client()).get<PersonRow[]>('/api/v1/persons')
  if (persons.length > 0 || call.json) print(call, persons, persons)
  else call.world.terminal.out('Nobody is known by name. Make somebody known: loqa persons add NAME\n')
  return EXIT.ok
}

export const add: Run = async (call) => {
  const person = await (await call.client()).post<PersonRow>('/api/v1/persons/add', { name: named(call) })
  print(call, [person], person)
  return EXIT.ok
}

export const consent: Run = async (call) => {
  const { give, withdraw } = call.options
  if ((give === true) === (withdraw === true)) {
    throw new UsageError(
      'Say which: --give or --withdraw',
      'Withdrawing erases what was kept with the consent.',
    )
  }
  const body = { person: named(call), given: give === true }
  const person = await (await call.client()).post<PersonRow>('/api/v1/persons/consent', body)
  print(call, [person], person)
  return EXIT.ok
}

export const exportOne: Run = async (call) => {
  const { world, options, client } = call
  const kept = await (await client()).post<PersonExport>('/api/v1/persons/export', { person: named(call) })
  const text = `${JSON.stringify(kept, undefined, 2)}\n`
  if (typeof options.output !== 'string') world.terminal.out(text)
  else await world.disk.write(resolve(world.directory, options.output), Buffer.from(text), { mode: 0o600 })
  return EXIT.ok
}

export const erase: Run = async (call) => {
  const { world, options, json, client } = call
  const node = await client()
  const order = { person: named(call) }
  const would = await node.post<PersonErased>('/api/v1/persons/erase', { ...order, dry_run: true })
  if (options.dryRun === true) {
    world.terminal.out(json ? `${JSON.stringify(would)}\n` : `Would erase ${whatText(would)}.\n`)
    return EXIT.ok
  }
  await confirm(call, `This erases ${whatText(would)}, for good.`, 'erase')
  const erased = await node.post<PersonErased>('/api/v1/persons/erase', order)
  world.terminal.out(json ? `${JSON.stringify(erased)}\n` : `Erased ${whatText(erased)}.\n`)
  return EXIT.ok
}

const whatText = (erased: PersonErased): string =>
  `${erased.person.name}, ${erasedText(erased)} here, and what other nodes keep as soon as they hear of it`
