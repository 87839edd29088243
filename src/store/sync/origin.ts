/**
 * Who wrote: an origin is a node in one life of its data directory. Its site id is computed from both, so a restored directory is another
 * site, and no node can sign for another's.
 */
import type { NodeId } from '../../host/index.ts'
import { SITE_BYTES } from './bounds.ts'

/** A node's key, from the household's side of the node. Pure: the same arguments give the same. */
export interface Signatures {
  /** Ed25519 with this node's own key; 64 bytes. */
  readonly sign: (bytes: Uint8Array) => Uint8Array
  /** Whether `node` signed these bytes; false for whatever is no signature or no node. */
  readonly verify: (node: NodeId, bytes: Uint8Array, signature: Uint8Array) => boolean
  /** SHA-256. */
  readonly hash: (bytes: Uint8Array) => Uint8Array
}

export interface Origin {
  readonly node: NodeId
  /** Which life of its data directory: rises with every restore or reset. */
  readonly life: number
}

declare const mark: unique symbol
/** An origin as the key of a map. */
export type OriginKey = string & { readonly [mark]: 'origin' }

export const originKey = ({ node, life }: Origin): OriginKey => `${node}/${life}` as OriginKey

/** The inverse of `originKey`. */
export function originOf(key: OriginKey): Origin {
  const at = key.lastIndexOf('/')
  return { node: key.slice(0, at) as NodeId, life: Number(key.slice(at + 1)) }
}

const SITE_DOMAIN = 'loqa site v1\0'

/** The site id the rows of this origin bear: 16 bytes. */
export const siteOf = ({ node, life }: Origin, { hash }: Pick<Signatures, 'hash'>): Uint8Array =>
  new Uint8Array(hash(Buffer.from(`${SITE_DOMAIN}${node}\0${life}`, 'utf8')).subarray(0, SITE_BYTES))
