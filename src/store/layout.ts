/** Names in the data directory that more than one part must know: whoever makes a copy of what is kept, and whoever has to find them all. */

export const REPLICA_FILE = 'replica'

/** Copies people made, a directory each. */
export const BACKUPS = 'backups'

/** Files of the store that were put aside, and why: their names begin with it and a dash. */
export const ASIDE = ['damaged', 'replaced', 'former'] as const
export type Aside = (typeof ASIDE)[number]
