/** Who this node is, for as long as its data directory lives. */
import { join } from 'node:path'
import { z } from 'zod'
import { DiskError, type Host, LoqaError, type NodeId, newNodeId, nodeId } from '../host/index.ts'

export interface Identity {
  readonly id: NodeId
  /** The household this node founded or joined; one node alone is a household of one. */
  readonly household: string
}

const identitySchema = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/),
  household: z.string().regex(/^[0-9a-f]{16}$/),
})

/** Reads `<data>/node.json`, or founds a household and writes it. Errors: `identity-damaged`, `DiskError`. */
export async function openIdentity({ disk, random }: Host, directory: string): Promise<Identity> {
  const path = join(directory, 'node.json')
  const found = await read(disk, path)
  if (found !== undefined) return found
  const fresh = { id: newNodeId(random), household: newNodeId(random) }
  await disk.write(path, Buffer.from(`${JSON.stringify(fresh)}\n`))
  return fresh
}

async function read(disk: Host['disk'], path: string): Promise<Identity | undefined> {
  let text: string
  try {
    text = Buffer.from(await disk.read(path)).toString('utf8')
  } catch (thrown) {
    if (thrown instanceof DiskError && thrown.reason === 'missing') return undefined
    throw thrown
  }
  try {
    const { id, household } = identitySchema.parse(JSON.parse(text))
    return { id: nodeId(id), household }
  } catch (cause) {
    throw new LoqaError('identity-damaged', `${path} does not say who this node is`, {
      hint: 'Restore it from a backup, or remove it: the node then gets a new identity and keeps its data.',
      cause,
    })
  }
}
