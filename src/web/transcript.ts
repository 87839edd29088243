/** Shows a conversation: its lines, each answer with where its time went. Only what changed is touched. */
import type { Conversation, Line } from './conversation.ts'
import { byId, element } from './elements.ts'
import { type Bar, shown, waterfall } from './waterfall.ts'

const lines = new Map<number, { readonly line: Line; readonly element: HTMLLIElement }>()
/** As in style.css: there is room to show the newest waterfall opened. */
const WIDE = matchMedia('(min-width: 60rem)')

export function showConversation({ lines: wanted }: Conversation): void {
  const list = byId('lines')
  byId('start').hidden = wanted.length > 0
  const isAtEnd = isScrolledDown()
  let changed = false
  const ids = new Set(wanted.map(({ id }) => id))
  for (const [id, { element: old }] of lines) {
    if (ids.has(id)) continue
    old.remove()
    lines.delete(id)
  }
  for (const line of wanted) {
    const known = lines.get(line.id)
    if (known?.line === line) continue
    changed = true
    const item = known?.element ?? list.appendChild(element('li'))
    fill(item, line)
    lines.set(line.id, { line, element: item })
  }
  if (changed && isAtEnd) scrollDown()
}

const isScrolledDown = (): boolean => {
  const talk = byId('talk')
  return talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80
}

const scrollDown = (): void => {
  const talk = byId('talk')
  talk.scrollTo({ top: talk.scrollHeight, behavior: 'smooth' })
}

function fill(item: HTMLLIElement, line: Line): void {
  const { who, kind, interrupted, text, turn } = line
  item.className = [who, ...(kind === 'said' ? [] : [kind]), ...(interrupted ? ['interrupted'] : [])].join(
    ' ',
  )
  const parts: Node[] = [element('p', { text })]
  if (turn?.notice !== undefined) parts.push(element('small', { text: turn.notice }))
  if (turn !== undefined && who === 'house') {
    const { total_ms, bars } = waterfall(turn.latency_ms)
    if (bars.length > 0) {
      parts.push(timing(total_ms, bars))
      item.classList.add('timed')
    }
  }
  item.replaceChildren(...parts)
}

function timing(total_ms: number, bars: readonly Bar[]): HTMLDetailsElement {
  const track = element('span', { class: 'track' })
  const hops = element('div', { class: 'hops' })
  for (const { hop, label, from_ms, ms } of bars) {
    const share = `${(100 * ms) / total_ms}%`
    const segment = element('i', { class: 'bar', data: { hop } })
    segment.style.width = share
    track.append(segment)
    const bar = element('i', { class: 'bar', data: { hop } })
    bar.style.left = `${(100 * from_ms) / total_ms}%`
    bar.style.width = share
    hops.append(
      element('span', { text: label }),
      element('span', { class: 'lane' }, bar),
      element('span', { class: 'time', text: shown(ms) }),
    )
  }
  const summary = element('summary', {}, element('b', { text: shown(total_ms) }), track)
  summary.title = 'From your last sound to the first sound of the answer'
  const made = element('details', {}, summary, hops)
  summary.addEventListener('click', () =>
    requestAnimationFrame(() => made.scrollIntoView({ block: 'nearest' })),
  )
  if (WIDE.matches) {
    for (const open of document.querySelectorAll<HTMLDetailsElement>('#lines details[open]'))
      open.open = false
    made.open = true
  }
  return made
}
