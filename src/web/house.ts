/** What the page shows of its node: whether it is there and well, and the sheet with what it is and can do. */
import type { StatusView } from '../api/index.ts'
import { byId, element } from './elements.ts'
import { shown } from './waterfall.ts'

const STATES = {
  starting: 'starting',
  ok: 'ready',
  degraded: 'not at its best',
  stopping: 'stopping',
  gone: 'not reachable',
  locked: 'wants its token',
} as const

/** How good answers are for now: a node that is slow gives up quality before it gives up speed. */
interface Quality {
  readonly tier: string
  readonly best: string
  readonly budget_ms: number
  readonly last_step: {
    readonly from: string
    readonly to: string
    readonly why: string
    readonly at: string
  } | null
}

const WHYS: Readonly<Record<string, string>> = {
  'slow-turns': 'turns were slow',
  spike: 'one was very slow',
  recovered: 'it keeps its time again',
}

export type HouseState = keyof typeof STATES

export function showState(state: HouseState): void {
  byId('house').dataset.state = state
  byId('health').textContent = STATES[state]
}

export function showStatus(status: StatusView & { readonly quality?: Quality }): void {
  const { node, household, health, capabilities, notices } = status
  showState(health.state)
  const { tier, best } = status.quality ?? {}
  if (tier !== best) byId('health').textContent += ` · ${tier}`
  byId('place').textContent = node.room === node.name ? node.name : `${node.room} · ${node.name}`
  byId('node').textContent = node.name
  const facts: readonly (readonly [string, string])[] = [
    ['Room', node.room],
    ['Household', household.members === 1 ? 'this node alone' : `${household.members} nodes`],
    ...quality(status.quality),
    ['Version', node.version],
  ]
  byId('facts').replaceChildren(
    ...facts.flatMap(([name, value]) => [element('dt', { text: name }), element('dd', { text: value })]),
  )
  byId('notices').replaceChildren(...[...health.reasons, ...notices].map((text) => element('li', { text })))
  byId('engines').replaceChildren(
    ...capabilities.map(({ tag, state, p95_ms }) => {
      const [does, name] = nameOf(tag)
      const speed = element('span', { text: state !== 'ready' || p95_ms === null ? state : shown(p95_ms) })
      if (state === 'ready' && p95_ms !== null) speed.title = '95 of 100 runs took no longer'
      return element('li', {}, element('span', { text: does }), element('span', { text: name }), speed)
    }),
  )
}

function quality(now: Quality | undefined): readonly (readonly [string, string])[] {
  if (now === undefined) return []
  const { tier, budget_ms, last_step: step } = now
  const answers = ['Answers', `${tier}, within ${shown(budget_ms)}`] as const
  if (step === null) return [answers]
  const why = WHYS[step.why] ?? step.why
  return [answers, ['Since', `${new Date(step.at).toLocaleTimeString()}: from ${step.from}, as ${why}`]]
}

const KINDS: Readonly<Record<string, string>> = {
  stt: 'Hears',
  llm: 'Understands',
  tts: 'Speaks',
  wake: 'Wakes',
}

/** `stt.sherpa:recogniser-starter` → what it does, and its name. */
function nameOf(tag: string): readonly [string, string] {
  const [, kind = '', name = tag] = /^(\w+)\.(?:[^:]*:)?(.+)$/.exec(tag) ?? []
  return [KINDS[kind] ?? kind, name]
}

/** Rooms of the household, to choose from. */
export function showRooms(rooms: readonly string[]): void {
  byId('rooms').replaceChildren(
    ...[...new Set(rooms)].filter(Boolean).map((room) => {
      const option = element('option')
      option.value = room
      return option
    }),
  )
}
