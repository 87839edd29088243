/**
 * The supervision tree: everything that lives in a node for as long as it runs, on one screen. Started from top to bottom,
 * stopped from bottom to top; a branch that gives up takes what stands below it along.
 *
 *   house                  rest_for_one: what stands below relies on what stands above
 *   ├─ engines             one mirror per engine process; the processes themselves are the pool's (inference/pool.ts)
 *   ├─ registrar           tells other nodes which conversations this one has; hears of each from its first phase
 *   ├─ arbiter             which microphone of the house answers the wake word; keeps nothing longer than a second
 *   ├─ announcer           finds a loudspeaker for what a skill wants said; before the skills, which may speak at once
 *   ├─ herald              says here what another node was asked to announce in a room of this one; tells where somebody was heard there
 *   ├─ approvals           keeps what skills may not do without a person, and who allowed it; before the skills, which may ask at once
 *   ├─ skills              one actor per skill; one that fails too often is given up alone
 *   └─ sessions            one actor per conversation, spawned as people come and go
 */
import type { ActorSpec, TreeSpec } from './actors/index.ts'
import type { NodeId } from './host/index.ts'

export interface Inhabitants {
  /** This one. */
  readonly node: NodeId
  readonly replicas: readonly { readonly name: string; readonly args: unknown }[]
  readonly skills: readonly { readonly key: string; readonly args: unknown }[]
}

export function houseTree({ node, replicas, skills }: Inhabitants): TreeSpec {
  return {
    id: 'house',
    strategy: 'rest_for_one',
    children: [
      {
        id: 'engines',
        when_exceeded: 'give-up',
        children: replicas.map(
          ({ name, args }): ActorSpec => ({ id: name, kind: 'replica', key: name, args }),
        ),
      },
      { id: 'registrar', kind: 'registrar' },
      { id: 'arbiter', kind: 'arbiter' },
      { id: 'announcer', kind: 'announcer', key: 'house' },
      { id: 'herald', kind: 'herald' },
      { id: 'approvals', kind: 'approvals', key: 'house', args: { node } },
      {
        id: 'skills',
        when_exceeded: 'give-up',
        children: skills.map(({ key, args }): ActorSpec => ({ id: key, kind: 'skill', key, args })),
      },
      { id: 'sessions', when_exceeded: 'give-up', children: [] },
    ],
  }
}
