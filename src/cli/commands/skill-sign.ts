/** `loqa skill inspect | sign | key | delegate`: packages and keys as files; no node is asked. */
import { resolve } from 'node:path'
import { DiskError, InvalidInputError } from '../../host/index.ts'
import {
  delegate,
  delegationSchema,
  type Inspected,
  inspectPackage,
  newKeyFile,
  type Signer,
  signerFrom,
  signPackage,
} from '../../skills/trust/index.ts'
import type { Call, Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { packageFrom } from '../skill-sources.ts'
import { asksText } from '../skill-text.ts'
import { facts } from '../table.ts'
import { EXIT } from '../world.ts'

const DAY_MS = 86_400_000
/** A key, or what a root says, is a few hundred bytes. */
const MAX_TEXT_BYTES = 16 * 1024

export const inspect: Run = async ({ world, args, json, style }) => {
  const found = await inspectPackage(await packageFrom(world, args[0]!, {}))
  const { manifest, digest, files, asks } = found
  if (json) {
    world.terminal.out(`${JSON.stringify(found)}\n`)
    return EXIT.ok
  }
  const known = facts(
    [
      ['skill', `${manifest.name} ${manifest.version}`],
      ['what', manifest.summary],
      ['publisher', `${manifest.publisher}, as it says`],
      ['signed', signedText(found)],
      ['licence', manifest.licence],
      ['runs as', manifest.runtime],
      ['intents', Object.keys(manifest.intents).join(', ')],
      ['files', files.map(({ name, bytes }) => `${name} (${bytes} bytes)`).join(', ')],
      ['digest', digest],
    ],
    style,
  )
  world.terminal.out(`${known}\n${asksText(asks, style)}`)
  return found.signature.state === 'broken' ? EXIT.failed : EXIT.ok
}

function signedText({ signature }: Inspected): string {
  if (signature.state === 'none') return 'by nobody'
  if (signature.state === 'broken') return 'NOT for these files: somebody changed them'
  const { key, delegation } = signature
  const by =
    delegation === undefined
      ? ''
      : `; ${delegation.by} says it is ${delegation.publisher}, ${delegation.level}, until ${delegation.until}`
  return `with ${key}${by}`
}

export const sign: Run = async (call) => {
  const { world, args, options, json } = call
  if (typeof options.key !== 'string')
    throw new UsageError('Say with which key: --key FILE', 'Make one: loqa skill key my.key')
  const signer = signerFrom(await textIn(call, options.key))
  const delegation =
    typeof options.delegation === 'string' ? await delegationIn(call, options.delegation) : undefined
  const from = resolve(world.directory, args[0]!)
  const signed = await signPackage(await packageFrom(world, args[0]!, {}), signer, delegation)
  const isFolder = (await world.disk.info(from))?.kind === 'directory'
  if (isFolder && typeof options.output !== 'string')
    throw new UsageError('A folder cannot be signed in place: say where to, with -o FILE')
  const to = typeof options.output === 'string' ? resolve(world.directory, options.output) : from
  await world.disk.write(to, signed)
  const { manifest, digest } = await inspectPackage(signed)
  const shape = { file: to, name: manifest.name, version: manifest.version, digest, key: signer.key }
  world.terminal.out(
    json
      ? `${JSON.stringify(shape)}\n`
      : `Signed ${manifest.name} ${manifest.version} with ${signer.key}: ${to}\n`,
  )
  return EXIT.ok
}

export const key: Run = async (call) => {
  const { world, args, json } = call
  const file = resolve(world.directory, args[0]!)
  const isNew = (await world.disk.info(file)) === undefined
  if (isNew) await world.disk.write(file, Buffer.from(newKeyFile()), { mode: 0o600 })
  const signer = signerFrom(await textIn(call, args[0]!))
  world.terminal.out(json ? `${JSON.stringify({ file, key: signer.key, new: isNew })}\n` : `${signer.key}\n`)
  if (isNew && !json)
    world.terminal.err(`That is the public half. ${file} is yours alone: whoever has it signs as you.\n`)
  return EXIT.ok
}

export const delegation: Run = async (call) => {
  const { world, args, options } = call
  const [publisher, to] = args
  const { level = 'vetted' } = options
  if (level !== 'official' && level !== 'vetted')
    throw new UsageError('Say --level official or --level vetted')
  if (typeof options.root !== 'string') throw new UsageError('Say whose word it is: --root FILE')
  const days = options.days === undefined ? 365 : Number(options.days)
  if (!Number.isInteger(days) || days < 1 || days > 3_650)
    throw new UsageError('--days takes a whole number from 1 to 3650')
  const root: Signer = signerFrom(await textIn(call, options.root))
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  const now = world.clock.wall()
  const said = delegate(
    { publisher: publisher!, key: to!, level, from: day(now), until: day(now + days * DAY_MS) },
    root,
  )
  const checked = delegationSchema.safeParse(said)
  if (!checked.success) throw new UsageError('A publisher is a name of small letters, a key 64 hex digits')
  const text = `${JSON.stringify(checked.data, undefined, 2)}\n`
  if (typeof options.output !== 'string') world.terminal.out(text)
  else await world.disk.write(resolve(world.directory, options.output), Buffer.from(text))
  return EXIT.ok
}

async function textIn({ world }: Call, name: string): Promise<string> {
  const file = resolve(world.directory, name)
  const info = await world.disk.info(file)
  if (info === undefined) throw new DiskError('missing', file)
  if (info.size > MAX_TEXT_BYTES) throw new InvalidInputError(`${file} is larger than any key`)
  return Buffer.from(await world.disk.read(file)).toString('utf8')
}

async function delegationIn(call: Call, name: string) {
  try {
    return delegationSchema.parse(JSON.parse(await textIn(call, name)))
  } catch (thrown) {
    if (thrown instanceof DiskError) throw thrown
    throw new InvalidInputError(`${name} is no delegation`, 'loqa skill delegate makes one.')
  }
}
