/** A satellite on a machine of its own on the LAN, for one turn, and what it heard. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TurnView } from '../../src/api/index.ts'
import { type LanHost, ROOT } from './rig.ts'

export interface SatelliteLine {
  /** Date.now(). */
  readonly at: number
  readonly type: string
  readonly [value: string]: unknown
}

export interface HeardTurn {
  readonly view: TurnView | undefined
  readonly samples: Int16Array
  /** From the last speech sample sent to the end of the answer as a loudspeaker plays it, ms. */
  readonly end_ms: number
  /** Silences within the answer, ms: the longest, and all together. */
  readonly longest_gap_ms: number
  readonly gaps_ms: number
  readonly lines: readonly SatelliteLine[]
}

export class Satellite {
  readonly lines: SatelliteLine[] = []
  readonly #process: ChildProcess
  readonly #folder = mkdtempSync(join(tmpdir(), 'loqa-satellite-'))
  readonly #ended: Promise<void>
  #rest = ''
  #waiting: (() => void)[] = []

  constructor(host: LanHost, url: string, tokenFile: string, recording: string) {
    const program = join(ROOT, 'test/lan/satellite-program.ts')
    const args = [process.execPath, program, url, tokenFile, recording, join(this.#folder, 'heard.pcm')]
    this.#process = spawn('ip', ['netns', 'exec', host.namespace, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#process.stdout?.on('data', (chunk: Buffer) => this.#collect(chunk.toString()))
    this.#ended = new Promise((resolve) => this.#process.once('exit', () => resolve()))
    void this.#ended.then(() => this.#wake())
  }

  /** Samples of the answer so far. */
  get heard(): number {
    return this.lines.reduce((sum, { type, samples }) => sum + (type === 'audio' ? Number(samples) : 0), 0)
  }

  async until(holds: () => boolean, within_ms: number, what: string): Promise<void> {
    const deadline = Date.now() + within_ms
    while (!holds()) {
      const left = deadline - Date.now()
      if (left <= 0 || this.#process.exitCode !== null) {
        throw new Error(`not heard: ${what}\n${this.lines.map((line) => JSON.stringify(line)).join('\n')}`)
      }
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, left)
        this.#waiting.push(() => {
          clearTimeout(late)
          resolve()
        })
      })
    }
  }

  /** The whole turn; as far as it came when it does not end in time. */
  async turn(within_ms: number): Promise<HeardTurn> {
    const late = setTimeout(() => this.#process.kill('SIGKILL'), within_ms)
    await this.#ended
    clearTimeout(late)
    let samples = new Int16Array(0)
    try {
      const bytes = readFileSync(join(this.#folder, 'heard.pcm'))
      samples = new Int16Array(new Uint8Array(bytes).buffer)
    } catch {
      // It was killed.
    }
    rmSync(this.#folder, { recursive: true, force: true })
    const spoken_at = this.lines.find(({ type }) => type === 'spoken')?.at ?? Number.NaN
    const view = this.lines.find(({ type }) => type === 'turn')?.turn as TurnView | undefined
    return { view, samples, ...played(this.lines, spoken_at), lines: this.lines }
  }

  #collect(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.lines.push(JSON.parse(line) as SatelliteLine)
    this.#wake()
  }

  #wake(): void {
    for (const run of this.#waiting.splice(0)) run()
  }
}

/** As a loudspeaker plays it that begins with the first sample. */
function played(lines: readonly SatelliteLine[], spoken_at: number) {
  let end = 0
  let [longest_gap_ms, gaps_ms] = [0, 0]
  for (const { type, at, samples } of lines) {
    if (type !== 'audio') continue
    const gap = end === 0 ? 0 : Math.max(0, at - end)
    longest_gap_ms = Math.max(longest_gap_ms, gap)
    gaps_ms += gap
    end = Math.max(end, at) + Number(samples) / 16
  }
  return { end_ms: end - spoken_at, longest_gap_ms, gaps_ms }
}

/** How one answer differs from another in samples: where first, and how many more or less there are. */
export function differenceOf(heard: Int16Array, reference: Int16Array) {
  const length = Math.min(heard.length, reference.length)
  let first = 0
  while (first < length && heard[first] === reference[first]) first += 1
  return { differs_at: first === length ? null : first, more: heard.length - reference.length }
}
