/** Whose sockets listen at a TCP port, as Linux writes it down. Pure. */

export interface PortHolder {
  /** Absent: it is another user's, or this system does not tell. */
  readonly program?: string
  readonly pid?: number
}

const LISTENING = '0A'

/** Inodes of sockets that listen at the port, as `/proc/net/tcp` and `tcp6` have them: `1: 0100007F:1CFC 00000000:0000 0A …`. */
export function listenersAt(port: number, table: string): readonly string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return table.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    return state === LISTENING && local?.endsWith(`:${hex}`) && inode !== undefined ? [inode] : []
  })
}
