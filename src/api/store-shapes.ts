/** The public shapes of what the household remembers, apart from what is done with them. */
import { z } from 'zod'

const count = z.int().min(0)

export const storeShape = z.object({
  state: z.enum(['ok', 'read-only', 'down']),
  reason: z.string().nullable().describe('Why it is not ok.'),
  entries: count,
  digest: z.string().describe('The same on every node that has exchanged everything with the others.'),
  life: count.describe('How often this data directory began anew as a writer.'),
  lag_ms: z
    .number()
    .min(0)
    .describe('For so long a connected node has had something that is not here yet; 0 while nobody has.'),
  writers: z
    .array(
      z.object({
        node: z.string(),
        life: count,
        version: count.describe('Its transactions, as far as they are here.'),
        bytes: count.describe('Of its signed log.'),
      }),
    )
    .readonly(),
  peers: z
    .array(
      z.object({
        node: z.string(),
        ahead: count.describe('Transactions it has told of that are not here yet.'),
        behind: count.describe('Transactions here that it has not told to have.'),
      }),
    )
    .readonly()
    .describe('Connected nodes.'),
})
export type StoreView = z.infer<typeof storeShape>

export const backupShape = z.object({
  directory: z.string().describe("On the node's machine. Sealed: store.key of the data directory opens it."),
})
export type BackupView = z.infer<typeof backupShape>
