/** Prints turns as they are complete and keeps their spoken replies in one file. */
import { resolve } from 'node:path'
import type { VoiceEvent } from '../api/index.ts'
import type { Call } from './call.ts'
import { writeRecording } from './recording.ts'
import type { HeardTurn } from './turn-collector.ts'
import { turnText } from './turn-text.ts'
import { wakeText } from './wake-text.ts'

export class TurnPrinter {
  readonly #call: Call
  /** As given by `-o`; undefined keeps nothing. */
  readonly output: string | undefined
  readonly #replies: Int16Array[] = []
  #busy: Promise<void> = Promise.resolve()

  constructor(call: Call) {
    this.#call = call
    const { output } = call.options
    this.output = typeof output === 'string' ? output : undefined
  }

  /** Turns are printed in the order of the calls; the answer waits for this one. */
  print(turn: HeardTurn): Promise<void> {
    this.#busy = this.#busy.then(() => this.#print(turn))
    return this.#busy
  }

  /** What a person should see beside the turns. */
  remark(event: VoiceEvent): void {
    const { terminal } = this.#call.world
    if (event.type === 'notice') terminal.err(`${event.message}\n`)
    if (event.type === 'wake') terminal.err(`${wakeText(event)}\n`)
    if (event.type === 'announce') terminal.err(`announced: ${event.text}\n`)
    if (event.type === 'error') {
      terminal.err(event.hint === undefined ? `${event.message}\n` : `${event.message}. ${event.hint}\n`)
    }
  }

  async #print(turn: HeardTurn): Promise<void> {
    const { world, json, style } = this.#call
    let { view } = turn
    if (this.output !== undefined) {
      this.#replies.push(...turn.reply)
      const wav = writeRecording(this.#replies)
      await world.disk.write(resolve(world.directory, this.output), wav, { mode: 0o644 })
      view = { ...view, reply_wav: this.output }
    }
    world.terminal.out(json ? `${JSON.stringify(view)}\n` : turnText(view, style, { heard: true }))
  }
}
