/** One of each control message, as a node sends them. */
import { certificateOf } from '../../../src/cluster/household/authority.ts'
import { found, newSelf } from '../../../src/cluster/household/founding.ts'
import { recordsOf } from '../../../src/cluster/household/roster.ts'
import type { ControlMessage } from '../../../src/cluster/running/messages.ts'
import { monotonic, wall } from '../../../src/host/index.ts'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'

const random = new SimulatedRandom(1)
const state = found(
  newSelf('attic', random),
  { now: monotonic(0), wall: wall(1_767_000_000_000), random },
  { locked: false },
)
export const self = state.self.card.node
export const hello: ControlMessage = {
  type: 'hello',
  speaks: 1,
  understands: 1,
  link: 7,
  at: 1,
  holding: [7],
  starts: 3,
  boot: '0123456789abcdef',
  certificate: certificateOf(state.roster, self)!,
  time: 1_767_000_000_000,
  name: 'attic',
  room: 'attic',
  port: 7421,
  enrolment_port: 7422,
}
export const capability = {
  tag: 'stt.sherpa:starter:rt',
  ready: true,
  p95_ms: 3.2,
  real_time_factor: 0.02,
  tokens_per_s: null,
  lag_ms: 40,
  room: 16,
  running: 0,
}
export const everyMessage: readonly ControlMessage[] = [
  hello,
  { type: 'accepted', at: 2 },
  { type: 'refused', code: 'member-revoked', message: 'this node was removed' },
  { type: 'life', node: self, starts: 4, boot: 'fedcba9876543210', address: '10.0.0.1 (attic)' },
  { type: 'places', nodes: [{ node: self, places: [{ host: 'fe80::1%eth0', port: 7421 }] }] },
  { type: 'sheet', version: 1, room: 'attic', program: '0.1.0', capabilities: [capability], load: 0.5 },
  {
    ...{ type: 'sheet', version: 2, room: 'attic', program: '0.1.0', capabilities: [], load: null },
    speakers: ['attic', 'hall'],
  },
  { type: 'ping', number: 1 },
  { type: 'pong', number: 1 },
  { type: 'household', message: { type: 'records', records: recordsOf(state.roster) } },
  {
    type: 'membership',
    message: { type: 'heartbeat', boot: 1, seq: 1, incarnation: 0, digest: 5, news: [] },
  },
]
