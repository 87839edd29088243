/**
 * The text of `store.key`: one JSON object with the master key, as it is or sealed by a passphrase, and a sum that tells a damaged file from a
 * wrong passphrase. Pure but for the time that scrypt takes.
 */
import { createCipheriv, createDecipheriv, createHash, scrypt } from 'node:crypto'
import { z } from 'zod'
import { type Host, LoqaError } from '../host/index.ts'

/** AES-256 and HKDF-SHA256 take and give so many. */
export const KEY_BYTES = 32
/** Append only. 1: the first. */
export const KEY_FILE_VERSION = 1
/** A file of this program has 400; what is larger is none. */
export const MAX_KEY_FILE_BYTES = 4_096

/** Names, or beginnings of names, of the files in the data directory that nobody reads without the key. */
export const SEALED_FILES = ['timeline.db', 'replica'] as const

const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Cost of trying one passphrase: 64 MiB and 0.4 s on a small machine, the strength OWASP names for scrypt (N = 2¹⁶, r = 8, p = 2). Kept in the
 * file, so that it can grow; bounded when read, since a file that asks for all memory must not stop the node from saying what is wrong.
 */
const COST = { log2_n: 16, r: 8, p: 2 }
const MAX_LOG2_N = 20

const hexOf = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))

const bodySchema = z.union([
  z.strictObject({ version: z.literal(KEY_FILE_VERSION), key: hexOf(KEY_BYTES) }),
  z.strictObject({
    version: z.literal(KEY_FILE_VERSION),
    scrypt: z.strictObject({
      log2_n: z.int().min(14).max(MAX_LOG2_N),
      r: z.int().min(1).max(16),
      p: z.int().min(1).max(16),
      salt: hexOf(SALT_BYTES),
    }),
    nonce: hexOf(NONCE_BYTES),
    tag: hexOf(TAG_BYTES),
    sealed: hexOf(KEY_BYTES),
  }),
])
type Body = z.infer<typeof bodySchema>
type Sealed = Extract<Body, { sealed: string }>

const fileSchema = z.object({ sum: hexOf(32), body: z.string().max(MAX_KEY_FILE_BYTES) }).strict()

const HINTS = {
  'store-key-wrong':
    'Put the right passphrase into the file that store.passphrase_file names. Without it nobody can read what this node keeps.',
  'store-key-sealed': 'Set store.passphrase_file to a file whose first line is the passphrase.',
  'store-key-missing':
    'Put store.key back from your backup. Without it nobody can read these files: to start anew, move them away.',
  'store-key-exposed':
    'chmod 600 it; if others use this machine, what was kept may be known to them: erase it and start with a new key.',
  'store-key-damaged':
    'Put store.key back from your backup. Without it nobody can read what was kept: to start anew, move it away with the files it sealed.',
  'store-key-too-new': 'Install the newer version of the node again.',
  'store-key-destroyed': 'Start the node again: it begins with a new key and empty memory.',
} as const

export type StoreKeyFault = keyof typeof HINTS

/** The key file cannot be used. Neither message nor hint holds a word of it. */
export class StoreKeyError extends LoqaError {
  constructor(code: StoreKeyFault, message: string, cause?: unknown) {
    super(code, message, { hint: HINTS[code], cause })
  }
}

/** What was in the file: a key, or one that a passphrase opens. */
export type KeyFile = { readonly state: 'open'; readonly master: Uint8Array } | Locked
interface Locked {
  readonly state: 'locked'
  readonly body: Sealed
}

export async function encodeKeyFile(
  master: Uint8Array,
  passphrase: string | undefined,
  random: Host['random'],
): Promise<Uint8Array> {
  const body: Body =
    passphrase === undefined
      ? { version: KEY_FILE_VERSION, key: hex(master) }
      : await seal(master, passphrase, random)
  const text = JSON.stringify(body)
  return Buffer.from(`${JSON.stringify({ sum: sumOf(text), body: text })}\n`)
}

/** Errors: `store-key-damaged`, `store-key-too-new`. */
export function decodeKeyFile(path: string, bytes: Uint8Array): KeyFile {
  const file = fileSchema.safeParse(parsed(bytes))
  if (!file.success || sumOf(file.data.body) !== file.data.sum) throw damaged(path)
  const value = parsed(Buffer.from(file.data.body))
  if (z.object({ version: z.int().min(KEY_FILE_VERSION + 1) }).safeParse(value).success) {
    throw new StoreKeyError('store-key-too-new', `${path} was written by a newer version of the node`)
  }
  const body = bodySchema.safeParse(value)
  if (!body.success) throw damaged(path)
  return 'key' in body.data
    ? { state: 'open', master: unhex(body.data.key) }
    : { state: 'locked', body: body.data }
}

/** Undefined when the passphrase is another one. */
export async function unlock({ body }: Locked, passphrase: string): Promise<Uint8Array | undefined> {
  const key = await stretched(passphrase, body.scrypt)
  const decipher = createDecipheriv('aes-256-gcm', key, unhex(body.nonce), { authTagLength: TAG_BYTES })
  decipher.setAuthTag(unhex(body.tag))
  const master = new Uint8Array(decipher.update(unhex(body.sealed)))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return master
}

async function seal(master: Uint8Array, passphrase: string, random: Host['random']): Promise<Sealed> {
  const cost = { ...COST, salt: hex(random.bytes(SALT_BYTES)) }
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', await stretched(passphrase, cost), nonce)
  const sealed = cipher.update(master)
  cipher.final()
  return {
    version: KEY_FILE_VERSION,
    scrypt: cost,
    nonce: hex(nonce),
    tag: hex(cipher.getAuthTag()),
    sealed: hex(sealed),
  }
}

/** In a thread of the pool: it takes long on purpose, and the event loop does not wait for it. */
function stretched(passphrase: string, { log2_n, r, p, salt }: Sealed['scrypt']): Promise<Uint8Array> {
  const N = 2 ** log2_n
  // What it needs (RFC 7914 §2), and Node's own limit is far below.
  const maxmem = 128 * r * (N + p + 2)
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), unhex(salt), KEY_BYTES, { N, r, p, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}

const damaged = (path: string): StoreKeyError =>
  new StoreKeyError('store-key-damaged', `${path} is damaged: what this node keeps cannot be opened`)

const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
