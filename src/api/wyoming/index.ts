/**
 * Wyoming, the protocol of Home Assistant's voice programs: this node as their recogniser, voice and assistant.
 * Read `wire.ts` (bytes), `dialogue.ts` (who says what, pure), `server.ts` (sockets).
 *
 * The protocol knows no password: it listens only where a person says so, and by default to this machine alone.
 */
export type { Offer as WyomingOffer } from './info.ts'
export { type RunningWyoming, startWyoming, type WyomingParts } from './server.ts'
