/** What skills want to do and may not without a person: shown while it waits, decided by a press. */
import type { ApprovalRow } from '../api/index.ts'
import { ask, NodeError } from './access.ts'
import { button, byId, element, forget, notice } from './elements.ts'

/** What waits is denied by itself after a minute: a person should have most of it. */
const LOOK_EVERY_MS = 6_000

const nameOf = (id: string): string => `approval ${id}`

export function watchApprovals(): void {
  const look = async (): Promise<void> => {
    if (document.visibilityState !== 'visible' || document.body.dataset.locked !== undefined) return
    try {
      show(await ask<readonly ApprovalRow[]>('/api/v1/approvals'))
    } catch {
      // The node is away or wants its token: the page says so elsewhere.
    }
  }
  setInterval(() => void look(), LOOK_EVERY_MS)
  void look()
}

function show(rows: readonly ApprovalRow[]): void {
  const waiting = rows.filter(({ state }) => state === 'waiting')
  const names = new Set(waiting.map(({ id }) => nameOf(id)))
  for (const card of byId('cards').querySelectorAll<HTMLElement>('.notice')) {
    const { name = '' } = card.dataset
    if (name.startsWith('approval ') && !names.has(name)) card.remove()
  }
  const shown = new Set(
    [...byId('cards').querySelectorAll<HTMLElement>('.notice')].map((card) => card.dataset.name),
  )
  for (const row of waiting) if (!shown.has(nameOf(row.id))) offer(row)
}

function offer({ id, skill, wants, room, risk, until }: ApprovalRow): void {
  const seconds = Math.max(0, Math.round((Date.parse(until) - Date.now()) / 1000))
  const where = room === '' ? 'Nobody asked for it' : `Asked for in the ${room}`
  const text = `${where}; risk: ${risk}. Denied by itself in ${seconds} s.`
  const decide = (allow: boolean) => async (): Promise<void> => {
    forget(nameOf(id))
    try {
      await ask(`/api/v1/approvals/${encodeURIComponent(id)}`, { allow, by: 'page' })
    } catch (thrown) {
      const message = thrown instanceof NodeError ? thrown.message : String(thrown)
      const dismiss = button('Close', 'plain', () => forget('decision'))
      notice(
        'decision',
        { heading: 'That was not decided', text: message },
        element('div', { class: 'choices' }, dismiss),
      )
    }
  }
  const deny = button('Deny', 'plain', () => void decide(false)())
  const allow = button('Allow', 'firm', () => void decide(true)())
  notice(
    nameOf(id),
    { heading: `${skill} wants to ${wants}`, text, risk: true },
    element('div', { class: 'choices' }, allow, deny),
  )
}
