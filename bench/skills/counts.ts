/** Host calls in one call of the skill that asks. */
export const HOST_CALLS = 50
/** Skills that ship with the node share a process; the others have one each while they run. */
export const IDLE = { shipped: 10, others: 20 }
