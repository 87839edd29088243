/** When the audit log is signed, looked after and checked: at start and end, by the clock, and when records were written. */
import { type Cancel, type Clock, type Wall, wall } from '../host/index.ts'
import type { Audit } from './audit.ts'
import type { AuditKeeper } from './audit-keeper.ts'

/** An hour may become so much longer before what is new is signed, ms. */
const TICK_MS = 60_000
/** A minute after the start, when others had time to answer, and then every fifth time what they hand on is looked at. */
const TICKS_PER_LOOK = 5
/** At half past three nobody talks; local time. */
const NIGHT = { hour: 3, minute: 30 }
const DAY_MS = 24 * 60 * 60 * 1000

/** The next half past three after `now`, where the machine stands. */
export function nextNight(now: Wall): Wall {
  const night = new Date(now)
  night.setHours(NIGHT.hour, NIGHT.minute, 0, 0)
  if (night.getTime() <= now) night.setDate(night.getDate() + 1)
  return wall(night.getTime())
}

export class AuditWatch {
  readonly #keeper: AuditKeeper
  readonly #clock: Clock
  readonly #failed: (what: string, error: unknown) => void
  readonly #keep_ms: number
  #night: Wall
  #ticks = 0
  #next: Cancel = () => undefined
  #now: 'new' | 'watching' | 'stopped' = 'new'
  /** What is not checked yet is not signed either: the next start does both. */
  #checked = false

  constructor(
    keeper: AuditKeeper,
    audit: Audit,
    clock: Clock,
    failed: (what: string, error: unknown) => void,
    /** How old a record may become; 0: as old as it likes. */
    keep_ms = 0,
  ) {
    this.#keep_ms = keep_ms
    this.#keeper = keeper
    this.#clock = clock
    this.#failed = failed
    this.#night = nextNight(clock.wall())
    audit.onWritten(() => {
      if (this.#now === 'watching') this.#try('sign the audit log', () => keeper.checkpoint('due'))
    })
  }

  /** Checks the log first: what is signed afterwards has been looked at. Returns when that is done. */
  async begin(): Promise<void> {
    this.#later()
    await this.#try('check the audit log', () => this.#keeper.verify())
    this.#checked = true
    if (this.#now === 'stopped') return
    this.#now = 'watching'
    await this.#try('sign the audit log', () => this.#keeper.checkpoint())
  }

  /** Signs what is new, if the check at the start has ended. May be called again, for what was written meanwhile. */
  async stop(): Promise<void> {
    this.#now = 'stopped'
    this.#next()
    if (this.#checked) await this.#try('sign the audit log', () => this.#keeper.checkpoint())
  }

  #later(): void {
    this.#next = this.#clock.after(TICK_MS, () => {
      this.#later()
      this.#tick()
    })
  }

  #tick(): void {
    this.#ticks += 1
    if (this.#checked) this.#try('sign the audit log', () => this.#keeper.checkpoint('due'))
    if (this.#ticks % TICKS_PER_LOOK === 1) this.#try('hold checkpoints', () => this.#keeper.look())
    const now = this.#clock.wall()
    const isNight = now >= this.#night
    // Also when the clock was turned back by days.
    if (isNight || this.#night - now > 2 * DAY_MS) this.#night = nextNight(now)
    if (isNight) this.#try('check the audit log', () => this.#overnight())
  }

  async #overnight(): Promise<void> {
    await this.#keeper.verify()
    if (this.#keep_ms > 0) await this.#keeper.retain(this.#keep_ms)
  }

  async #try(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      this.#failed(what, thrown)
    }
  }
}
