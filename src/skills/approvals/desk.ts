/** Where approvals are decided, and what is stored of them: the collection `approvals`, which all nodes of the household share. Pure. */
import { z } from 'zod'
import { placedAddress } from '../../actors/index.ts'
import { RISKS } from '../risk.ts'

export const APPROVALS_DESK = placedAddress('approvals', 'house')
export const COLLECTION = 'approvals'

/** Append only. `expired`: nobody decided in time, which is a no. */
export const DECISIONS = ['waiting', 'allowed', 'denied', 'expired'] as const

const name = z.string().min(1).max(128)
const moment = z.number().min(-8.64e15).max(8.64e15)

/** What is stored; fields a later version adds are ignored. */
const stored = z.object({
  skill: name,
  /** What follows "wants to". */
  words: z.string().min(1).max(1_024),
  risk: z.enum(RISKS),
  /** Where it was asked for; may be empty. */
  room: z.string().max(128),
  /** Whose skill waits: that node carries it out. */
  node: name,
  /** Milliseconds since 1970 by the clock of that node. */
  asked_wall: moment,
  until_wall: moment,
  state: z.enum(DECISIONS),
  /** Who decided; empty while it waits. */
  by: z.string().max(128),
})
export type StoredApproval = Readonly<z.infer<typeof stored>>

export interface Approval extends StoredApproval {
  readonly id: string
}

/** Undefined: not an approval. */
export const readApproval = (value: unknown): StoredApproval | undefined => stored.safeParse(value).data
