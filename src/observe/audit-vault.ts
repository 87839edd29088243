/** The file beside the log: the node's own newest checkpoints, and the faults a person knows of. */
import { z } from 'zod'
import { type Disk, LoqaError } from '../host/index.ts'
import { checkpointSchema, type IsSigned, MAX_KEPT, type Sign } from './audit-checkpoint.ts'
import { MAX_FAULTS } from './audit-verify.ts'

/** A full file has 32 checkpoints and 64 statements of some faults each: 300 KB at most. */
const MAX_VAULT_BYTES = 1024 * 1024
/** The oldest are forgotten, and their faults shown again. */
const MAX_ACKNOWLEDGED = 64

const acknowledgedSchema = z.strictObject({
  node: z.string().min(1).max(128),
  time: z.iso.datetime().max(32),
  /** Of `AuditFault`. */
  marks: z.array(z.string().max(64)).max(MAX_FAULTS),
  signature: z.string().max(128),
})
/** A person saw these faults; signed by the node, so that whoever changes the log cannot silence it as well. */
export type Acknowledged = z.infer<typeof acknowledgedSchema>

const vaultSchema = z.strictObject({
  version: z.literal(1),
  checkpoints: z.array(checkpointSchema).max(MAX_KEPT),
  acknowledged: z.array(acknowledgedSchema).max(MAX_ACKNOWLEDGED),
})
export type Vault = Omit<z.infer<typeof vaultSchema>, 'version'>

export const EMPTY_VAULT: Vault = { checkpoints: [], acknowledged: [] }

/** Empty when there is none. Errors: `audit-checkpoints-damaged`, `DiskError`. */
export async function readVault(disk: Disk, path: string): Promise<Vault> {
  const found = await disk.info(path)
  if (found === undefined) return EMPTY_VAULT
  const bytes = await disk.readAt(path, 0, Math.min(found.size, MAX_VAULT_BYTES + 1))
  const vault = decodeVault(bytes)
  if (vault !== undefined) return vault
  throw new LoqaError('audit-checkpoints-damaged', `${path} is damaged`, {
    hint: 'The log is held against what other nodes keep; the file is written anew.',
  })
}

/** Undefined for anything that is no such file. */
export function decodeVault(bytes: Uint8Array): Vault | undefined {
  if (bytes.length > MAX_VAULT_BYTES) return undefined
  try {
    const { checkpoints, acknowledged } = vaultSchema.parse(JSON.parse(new TextDecoder().decode(bytes)))
    return { checkpoints, acknowledged }
  } catch {
    return undefined
  }
}

export const writeVault = (disk: Disk, path: string, { checkpoints, acknowledged }: Vault): Promise<void> =>
  disk.write(path, new TextEncoder().encode(`${JSON.stringify({ version: 1, checkpoints, acknowledged })}\n`))

const DOMAIN = 'loqa audit fault acknowledged v1'
const signedBytes = ({ node, time, marks }: Omit<Acknowledged, 'signature'>): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([DOMAIN, node, time, marks]))

/** Adds a statement; the oldest give way. */
export function withAcknowledged(
  vault: Vault,
  statement: Omit<Acknowledged, 'signature'>,
  sign: Sign,
): Vault {
  const signed = { ...statement, signature: sign(signedBytes(statement)) }
  return { ...vault, acknowledged: [...vault.acknowledged, signed].slice(-MAX_ACKNOWLEDGED) }
}

/** Marks of the faults a person acknowledged, on this node. */
export const acknowledgedMarks = ({ acknowledged }: Vault, isSigned: IsSigned): ReadonlySet<string> =>
  new Set(
    acknowledged
      .filter((statement) => isSigned(statement.node, signedBytes(statement), statement.signature))
      .flatMap(({ marks }) => marks),
  )
