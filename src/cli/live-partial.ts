/** The words as they are recognised, on one line of the terminal that is taken away again. */
import type { VoiceEvent } from '../api/index.ts'
import { heardText } from './turn-text.ts'
import type { Terminal } from './world.ts'

const CLEAR_LINE = '\r\u001b[2K'

export class LivePartial {
  readonly #terminal: Terminal
  readonly #wanted: boolean
  #shown = false

  constructor(terminal: Terminal, wanted: boolean) {
    this.#terminal = terminal
    this.#wanted = wanted && terminal.errIsTty
  }

  event(event: VoiceEvent): void {
    if (!this.#wanted) return
    if (event.type === 'speech-started') this.#show('…')
    if (event.type === 'partial') this.#show(`${heardText(event.text)} …`)
    if (event.type === 'final') this.#show(heardText(event.text))
  }

  clear(): void {
    if (this.#shown) this.#terminal.err(CLEAR_LINE)
    this.#shown = false
  }

  #show(text: string): void {
    const width = Math.max(10, Math.min(200, this.#terminal.columns) - 1)
    // A line that is too long loses its beginning: the newest words are what one looks for.
    const line = text.length > width ? `…${text.slice(text.length - width + 1)}` : text
    this.#terminal.err(`${CLEAR_LINE}${line}`)
    this.#shown = true
  }
}
