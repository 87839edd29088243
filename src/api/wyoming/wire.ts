/** Wyoming on the wire: with the doors, for a node speaks it as well as it is spoken to (`inference/child/wyoming.ts`). */
export { EventCutter, encodeEvent, type WireFault, type WyomingEvent } from '../../host/index.ts'
