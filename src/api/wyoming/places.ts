/** In which room a Wyoming satellite stands, by the address it comes from: the protocol does not say. Pure. */

/** `address=room`, as `wyoming.rooms` has them; later ones of one address count for nothing. */
export function roomsBy(rooms: readonly string[]): ReadonlyMap<string, string> {
  const pairs = rooms.map((line): [string, string] => {
    const at = line.indexOf('=')
    return [bare(line.slice(0, at)), line.slice(at + 1)]
  })
  return new Map(pairs.reverse())
}

/** `remote` is `address:port`. Undefined: of no room in particular. */
export const roomOf = (rooms: ReadonlyMap<string, string>, remote: string): string | undefined =>
  rooms.get(bare(remote.slice(0, remote.lastIndexOf(':'))))

/** A socket that serves both versions of IP shows addresses of version 4 as ones of version 6. */
const bare = (address: string): string => address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
