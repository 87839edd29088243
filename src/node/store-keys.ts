/** The node's key of everything it keeps, opened with the passphrase of the configuration where one is set. */
import type { Config } from '../config.ts'
import { DiskError, type Host, LoqaError } from '../host/index.ts'
import { type Keys, openKeys, passphraseFrom } from '../store/index.ts'

/** Errors: `config-invalid` for the passphrase's file, and those of `openKeys`. */
export async function openStoreKeys({ disk, random }: Host, { node, store }: Config): Promise<Keys> {
  const passphrase =
    store.passphrase_file === '' ? undefined : await passphraseIn(disk, store.passphrase_file)
  return openKeys({ disk, random, directory: node.data_dir, passphrase })
}

async function passphraseIn(disk: Host['disk'], path: string): Promise<string> {
  try {
    return passphraseFrom(Buffer.from(await disk.read(path)).toString('utf8'))
  } catch (thrown) {
    if (!(thrown instanceof DiskError)) throw thrown
    throw new LoqaError('config-invalid', `store.passphrase_file cannot be read: ${thrown.message}`, {
      hint: 'Its first line is the passphrase; only this user may read it.',
      cause: thrown,
    })
  }
}
