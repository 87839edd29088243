/** Tells how a download goes: one line that is written over on a terminal, a line now and then elsewhere, events for scripts. */
import {
  type DownloadEvent,
  type EntryFile,
  NO_PACE,
  type Pace,
  paced,
  rateOf,
  secondsLeft,
  sizeText,
} from '../inference/catalogue/index.ts'
import { duration } from './table.ts'
import type { World } from './world.ts'

/** A person reads no faster. */
const LINE_EVERY_MS = 200
/** A log is not flooded: 2 GB at 10 MB/s are seven lines. */
const TEXT_EVERY_MS = 30_000
const EVENT_EVERY_MS = 1_000

export class PullProgress {
  readonly #world: World
  readonly #json: boolean
  #pace: Pace = NO_PACE
  #shown_at: number | undefined
  #isLineOpen = false
  readonly #hosts = new Set<string>()

  constructor(world: World, json: boolean) {
    this.#world = world
    this.#json = json
  }

  /** A host is about to learn that this address wants the file. */
  host(host: string): void {
    if (host === '' || this.#hosts.has(host)) return
    this.#hosts.add(host)
    if (this.#json) this.#event({ event: 'host', host })
    else this.#say(`Asking ${host}: it learns this address and what is fetched.`)
  }

  told(model: string, file: EntryFile, event: DownloadEvent): void {
    if (event.event === 'progress') this.#progress(model, file, event.bytes, event.total)
    else if (this.#json) this.#event({ model, file: file.name, ...event })
    else {
      const text = textOf(file, event)
      if (text !== undefined) this.#say(text)
    }
  }

  #progress(model: string, file: EntryFile, bytes: number, total: number | null): void {
    const now = this.#world.clock.monotonic()
    this.#pace = paced(this.#pace, bytes, now)
    const { errIsTty, columns } = this.#world.terminal
    const isTty = errIsTty && !this.#json
    const every = this.#json ? EVENT_EVERY_MS : isTty ? LINE_EVERY_MS : TEXT_EVERY_MS
    this.#shown_at ??= isTty || this.#json ? now - every : now
    if (now - this.#shown_at < every) return
    this.#shown_at = now
    const rate = rateOf(this.#pace)
    const left = secondsLeft(this.#pace, bytes, total)
    if (this.#json) {
      const measured = {
        rate_bytes_per_s: rate === undefined ? null : Math.round(rate),
        left_s: left === undefined ? null : Math.round(left),
      }
      this.#event({ event: 'progress', model, file: file.name, bytes, total, ...measured })
      return
    }
    const line = lineOf(file.name, bytes, total, rate, left)
    if (isTty) {
      this.#world.terminal.err(`\r\u001b[K${line.slice(0, columns - 1)}`)
      this.#isLineOpen = true
    } else this.#say(line)
  }

  /** Leaves the terminal on a fresh line. */
  end(): void {
    if (this.#isLineOpen) this.#world.terminal.err('\n')
    this.#isLineOpen = false
  }

  #say(text: string): void {
    this.end()
    this.#world.terminal.err(`${text}\n`)
  }

  #event(event: object): void {
    this.#world.terminal.out(`${JSON.stringify(event)}\n`)
  }
}

function textOf(file: EntryFile, event: Exclude<DownloadEvent, { event: 'progress' }>): string | undefined {
  switch (event.event) {
    case 'source':
      return event.from > 0 ? `Going on at ${sizeText(event.from)}.` : undefined
    case 'broken':
      return `Broken off at ${sizeText(event.bytes)}: ${event.why}. Going on.`
    case 'anew':
      return `Beginning again: ${event.why}.`
    case 'struck':
      return event.why
    case 'checking':
      return `${file.name}: ${sizeText(event.bytes)} here, checking.`
  }
}

export function lineOf(
  name: string,
  bytes: number,
  total: number | null,
  rate: number | undefined,
  left: number | undefined,
): string {
  const share = total === null || total === 0 ? '' : `${Math.floor((bytes / total) * 100)} %  `
  const of = total === null ? '' : ` of ${sizeText(total)}`
  const speed = rate === undefined ? '' : `  ${sizeText(rate)}/s`
  const eta = left === undefined ? '' : `  ${duration(left)} left`
  return `${name}  ${share}${sizeText(bytes)}${of}${speed}${eta}`
}
