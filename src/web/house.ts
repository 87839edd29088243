/** What the page shows of its node: whether it is there and well, and the sheet with what it is and can do. */
import type { QualityView, StatusView } from '../api/index.ts'
import { byId, element } from './elements.ts'
import { TIERS, tierLine, tierStory } from './tier.ts'
import { shown } from './waterfall.ts'

const STATES = {
  starting: 'starting',
  ok: 'ready',
  degraded: 'not at its best',
  stopping: 'stopping',
  gone: 'not reachable',
  locked: 'wants its token',
} as const

/** Good news is worth a moment. */
const GOOD_NEWS_MS = 15_000

export type HouseState = keyof typeof STATES

export function showState(state: HouseState): void {
  byId('house').dataset.state = state
  byId('health').textContent = STATES[state]
}

/** Since when the page shows this step; what was there when it was opened is no news. */
let step_at: string | null | undefined
let newsEnds: ReturnType<typeof setTimeout> | undefined

export function showStatus(status: StatusView): void {
  const { node, household, health, capabilities, notices, quality } = status
  showState(health.state)
  if (quality.tier !== quality.best) byId('health').textContent += ` · ${quality.tier}`
  showTier(quality)
  byId('place').textContent = node.room === node.name ? node.name : `${node.room} · ${node.name}`
  byId('node').textContent = node.name
  const facts: readonly (readonly [string, string])[] = [
    ['Room', node.room],
    ['Household', household.members === 1 ? 'this node alone' : `${household.members} nodes`],
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

function showTier(quality: QualityView): void {
  const { tier, best, last_step: step } = quality
  const line = byId('tier')
  const isNews = step_at !== undefined && step !== null && step.at !== step_at
  step_at = step?.at ?? null
  const isBelow = tier !== best
  if (isBelow || isNews) {
    clearTimeout(newsEnds)
    line.textContent = tierLine(quality) ?? ''
    line.dataset.is = isBelow ? 'below' : 'again'
    line.hidden = line.textContent === ''
    if (!isBelow) {
      newsEnds = setTimeout(() => {
        line.hidden = true
      }, GOOD_NEWS_MS)
    }
  } else if (line.dataset.is !== 'again') line.hidden = true
  byId('tiers').replaceChildren(
    ...TIERS.slice(0, TIERS.indexOf(best) + 1).map((name) => {
      const step = element('li', { text: name })
      if (name === tier) step.setAttribute('aria-current', 'step')
      return step
    }),
  )
  byId('quality').textContent = tierStory(quality)
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
