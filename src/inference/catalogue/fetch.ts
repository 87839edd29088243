/** Carries out what a download decides: one connection, one part of a file and its journal on the disk. */
import { type Clock, type Disk, DiskError, LoqaError } from '../../host/index.ts'
import { hashOf } from '../checksum.ts'
import type { Answer, Ask, Download, DownloadEvent, Effect, Input } from './course.ts'
import { begin, step } from './download.ts'
import { HEAD_BYTES } from './formats.ts'
import { errorOf } from './refusals.ts'
import { MAX_JOURNAL_BYTES, readJournal, type Wanted, writeJournal } from './wanted.ts'

/** A source that was asked and answers. */
export interface Connection {
  readonly answer: Omit<Answer, 'type' | 'space'>
  /** What came next, at most a few hundred kB; undefined at an orderly end. Rejects when the connection broke. */
  read(): Promise<Uint8Array | undefined>
  close(): void
}

/** Nothing came of asking; `lasting` when asking again would end the same way. */
export class SourceError extends Error {
  readonly lasting: boolean

  constructor(message: string, lasting: boolean) {
    super(message)
    this.name = 'SourceError'
    this.lasting = lasting
  }
}

export interface FetchDoors {
  readonly disk: Disk
  readonly clock: Clock
  /** Bytes that may still be written beside this path. */
  space(path: string): Promise<number>
  /** Errors: `SourceError`. */
  open(url: string, from: number, if_range: string | undefined): Promise<Connection>
}

export interface FetchOptions {
  readonly wanted: Wanted
  /** Absolute; its folder exists. */
  readonly path: string
  readonly tell: (event: DownloadEvent) => void
  readonly signal: AbortSignal
}

/** A connection silent for so long is given up: longer than a phone takes to change its cell. */
export const STALL_MS = 20_000

export interface Fetched {
  readonly bytes: number
  readonly sha256: string
}

/** Resolves when the file is in its place and durable. Errors: `LoqaError` `download-*`, `interrupted`; `DiskError`. */
export async function fetchFile(doors: FetchDoors, options: FetchOptions): Promise<Fetched> {
  const hands = new Hands(doors, options)
  try {
    let next = begin()
    for (;;) {
      for (const effect of next.effects) await hands.carryOut(effect)
      if (next.ask.type === 'end') return resultOf(next.state)
      const input = await hands.find(next.ask)
      next = step(next.state, input, options.wanted, doors.clock.monotonic())
    }
  } finally {
    hands.close()
  }
}

function resultOf(state: Download): Fetched {
  if (state.phase === 'done') return { bytes: state.size, sha256: state.sha256 }
  throw state.phase === 'refused' ? errorOf(state.why) : new Error(`a download ended ${state.phase}`)
}

class Hands {
  readonly #doors: FetchDoors
  readonly #options: FetchOptions
  readonly #part: string
  readonly #journal: string
  #connection: Connection | undefined
  /** Of the answer or chunk read last; written by the next `append`. */
  #chunk: Uint8Array = new Uint8Array()
  /** The disk said so at an effect; it is the input to whatever is asked next. */
  #isFull = false

  constructor(doors: FetchDoors, options: FetchOptions) {
    this.#doors = doors
    this.#options = options
    this.#part = `${options.path}.part`
    this.#journal = `${options.path}.part.json`
  }

  close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  async carryOut(effect: Effect): Promise<void> {
    const { disk } = this.#doors
    switch (effect.type) {
      case 'append':
        return this.#onDisk(() => disk.append(this.#part, this.#chunk))
      case 'journal':
        return this.#onDisk(() => disk.write(this.#journal, writeJournal(effect.journal)))
      case 'discard':
        // The part first: a journal without a part is harmless, a part without a journal is thrown away.
        await disk.remove(this.#part)
        return disk.remove(this.#journal)
      case 'close':
        return this.close()
      case 'tell':
        return this.#options.tell(effect.event)
    }
  }

  async find(ask: Ask): Promise<Input> {
    if (this.#isFull) return { type: 'disk-full' }
    const { signal } = this.#options
    if (signal.aborted) throw interrupted()
    switch (ask.type) {
      case 'look':
        return this.#look()
      case 'open':
        return this.#open(ask.url, ask.from, ask.if_range)
      case 'read':
        return this.#read(ask.space)
      case 'pause':
        await this.#pause(ask.ms)
        return { type: 'paused' }
      case 'hash':
        return this.#hash()
      case 'place':
        return this.#place()
      case 'end':
        throw new Error('nothing is asked at the end')
    }
  }

  async #onDisk(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      if (!(thrown instanceof DiskError) || thrown.reason !== 'full') throw thrown
      this.#isFull = true
    }
  }

  async #look(): Promise<Input> {
    const { disk } = this.#doors
    const part = await disk.info(this.#part)
    const size = part?.kind === 'file' ? part.size : 0
    const written = await disk.info(this.#journal)
    if (written === undefined || written.size > MAX_JOURNAL_BYTES) return { type: 'found', size }
    const journal = readJournal(await disk.read(this.#journal))
    return { type: 'found', size, ...(journal === undefined ? {} : { journal }) }
  }

  async #open(url: string, from: number, if_range: string | undefined): Promise<Input> {
    this.close()
    try {
      this.#connection = await this.#inTime(() => this.#doors.open(url, from, if_range))
    } catch (thrown) {
      if (!(thrown instanceof SourceError)) throw thrown
      return { type: 'unreachable', why: thrown.message, lasting: thrown.lasting }
    }
    const space = await this.#doors.space(this.#options.path)
    return { type: 'answered', ...this.#connection.answer, space }
  }

  async #read(looks: boolean): Promise<Input> {
    const connection = this.#connection
    if (connection === undefined) return { type: 'broke', why: 'the connection is closed' }
    let chunk: Uint8Array | undefined
    try {
      chunk = await this.#inTime(() => connection.read())
    } catch (thrown) {
      if (!(thrown instanceof SourceError)) throw thrown
      return { type: 'broke', why: thrown.message }
    }
    if (chunk === undefined) return { type: 'ended' }
    this.#chunk = chunk
    const space = looks ? { space: await this.#doors.space(this.#options.path) } : {}
    return { type: 'chunk', bytes: chunk.length, head: chunk.subarray(0, HEAD_BYTES), ...space }
  }

  async #hash(): Promise<Input> {
    const { disk, clock } = this.#doors
    const size = (await disk.info(this.#part))?.size ?? 0
    const head = size === 0 ? new Uint8Array() : await disk.readAt(this.#part, 0, HEAD_BYTES)
    const sha256 = await hashOf(disk, clock, this.#part, size)
    return { type: 'hashed', sha256, size, head }
  }

  async #place(): Promise<Input> {
    const { disk } = this.#doors
    await disk.sync(this.#part)
    await disk.rename(this.#part, this.#options.path)
    await disk.remove(this.#journal)
    return { type: 'placed' }
  }

  /** Errors: `SourceError` after `STALL_MS`; `interrupted`. What comes later is dropped. */
  #inTime<T>(work: () => Promise<T>): Promise<T> {
    const { signal } = this.#options
    return new Promise((resolve, reject) => {
      const settle = (end: () => void): void => {
        late()
        signal.removeEventListener('abort', abort)
        end()
      }
      const abort = (): void => settle(() => reject(interrupted()))
      const late = this.#doors.clock.after(STALL_MS, () =>
        settle(() => reject(new SourceError(`nothing came for ${STALL_MS / 1000} s`, false))),
      )
      signal.addEventListener('abort', abort)
      work().then(
        (value) => settle(() => resolve(value)),
        (thrown: unknown) => settle(() => reject(thrown as Error)),
      )
    })
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#options
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        cancel()
        reject(interrupted())
      }
      const cancel = this.#doors.clock.after(ms, () => {
        signal.removeEventListener('abort', abort)
        resolve()
      })
      signal.addEventListener('abort', abort)
    })
  }
}

const interrupted = (): LoqaError =>
  new LoqaError('interrupted', 'The download was interrupted', {
    hint: 'Run the same command again: it goes on where it stopped.',
    retryable: true,
  })
