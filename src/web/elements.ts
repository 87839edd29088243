/** Elements of the page. Text is always set as text: nothing that a node, a skill or a person said is ever read as HTML. */

/** The element of this id, which index.html has. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`index.html has no #${id}`)
  return found as T
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: {
    readonly class?: string
    readonly text?: string
    readonly data?: Readonly<Record<string, string>>
  } = {},
  ...children: readonly Node[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag)
  if (properties.class !== undefined) made.className = properties.class
  if (properties.text !== undefined) made.textContent = properties.text
  Object.assign(made.dataset, properties.data)
  made.append(...children)
  return made
}

export function button(text: string, style: 'plain' | 'firm', press: () => void): HTMLButtonElement {
  const made = element('button', { class: style, text })
  made.type = 'button'
  made.addEventListener('click', press)
  return made
}

/** A card above the conversation; once for each `name`. */
export function notice(
  name: string,
  {
    heading,
    text,
    risk = false,
  }: { readonly heading: string; readonly text: string; readonly risk?: boolean },
  ...more: readonly Node[]
): HTMLElement {
  forget(name)
  const made = element('section', { class: risk ? 'notice risk' : 'notice', data: { name } })
  made.append(element('h2', { text: heading }), element('p', { text }), ...more)
  byId('cards').append(made)
  return made
}

export function forget(name: string): void {
  for (const card of byId('cards').querySelectorAll<HTMLElement>('.notice')) {
    if (card.dataset.name === name) card.remove()
  }
}
