/**
 * The way out of the house, for skills that a person allowed it.
 *
 * A skill names its hosts in its manifest and is granted them; it asks for a request and hears the answer later. Promises: nothing goes
 * to a host that was not granted, nor to an address inside the house unless that was granted too, nor to this node itself; what a
 * name resolves to is judged once and connected to as judged, at each redirect anew; an answer takes no more than a known time and
 * memory. Read `rules.ts` first, then `broker.ts`; `addresses.ts` knows which address is whose.
 */
export { isLoopback, type Reach, reachOf } from './addresses.ts'
export { type BrokerParts, createHttpPort } from './broker.ts'
export { MAX_BODY_BYTES, MAX_REDIRECTS, type Surroundings } from './rules.ts'
