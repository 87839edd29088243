/** A headless Chromium whose microphone is a WAV file, driven over its DevTools protocol by Node's own WebSocket. */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
/** A busy machine takes many seconds to start a browser. */
const PATIENCE_MS = 45_000

/** Where one is installed; undefined: nowhere. */
export function findChromium(): string | undefined {
  const places = (process.env.PATH ?? '')
    .split(':')
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

export class Chromium {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #socket: WebSocket
  #session = ''
  #count = 0
  readonly #waiting = new Map<
    number,
    { resolve(result: Record<string, unknown>): void; reject(error: Error): void }
  >()
  /** What pages wrote as errors, exceptions and refusals of their own policy. */
  readonly complaints: string[] = []

  private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
    this.#process = process
    this.#folder = folder
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#heard(JSON.parse(String(data)) as Answer))
  }

  /** `microphone`: a WAV; each page that opens its microphone hears it from the beginning, once. */
  static async start(program: string, microphone: string, flags: readonly string[] = []): Promise<Chromium> {
    const folder = mkdtempSync(join(tmpdir(), 'loqa-chromium-'))
    const child = spawn(
      program,
      [
        '--headless=new',
        ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
        ...[
          '--disable-gpu',
          '--disable-dev-shm-usage',
          '--no-first-run',
          '--disable-extensions',
          '--disable-sync',
        ],
        ...['--disable-background-networking', '--disable-component-update', '--mute-audio'],
        '--autoplay-policy=no-user-gesture-required',
        ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
        `--use-file-for-fake-audio-capture=${microphone}%noloop`,
        ...['--remote-debugging-port=0', `--user-data-dir=${folder}`],
        ...flags,
        'about:blank',
      ],
      // What it leaves when it is killed goes with its folder.
      { stdio: ['ignore', 'ignore', 'pipe'], detached: true, env: { ...process.env, TMPDIR: folder } },
    )
    let said = ''
    const address = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`Chromium did not start:\n${said}`)), PATIENCE_MS)
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
        if (found === undefined) return
        clearTimeout(late)
        resolve(found)
      })
      child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}:\n${said}`)))
    })
    const socket = new WebSocket(address)
    await new Promise((open, fail) => {
      socket.addEventListener('open', open, { once: true })
      socket.addEventListener('error', () => fail(new Error('Chromium does not take connections')), {
        once: true,
      })
    })
    const browser = new Chromium(child, folder, socket)
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true })
    browser.#session = sessionId as string
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.send(`${domain}.enable`)
    return browser
  }

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    this.#count += 1
    const id = this.#count
    const session = this.#session === '' ? {} : { sessionId: this.#session }
    this.#socket.send(JSON.stringify({ id, method, params, ...session }))
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  async open(url: string): Promise<void> {
    // From nowhere: an address that differs behind its # only would not be loaded anew.
    await this.send('Page.navigate', { url: 'about:blank' })
    await this.send('Page.navigate', { url })
    await this.until(`document.readyState === 'complete' && document.body.dataset.phase !== undefined`)
  }

  /** The value of an expression in the page; of a promise, what it comes to. */
  async value<T>(expression: string): Promise<T> {
    const answer = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (answer.exceptionDetails !== undefined)
      throw new Error(`${expression}: ${JSON.stringify(answer.exceptionDetails)}`)
    return (answer.result as { value: T }).value
  }

  /** Resolves when the expression is true in the page: looked at whenever something in it changes. */
  async until(expression: string, most_ms = PATIENCE_MS): Promise<void> {
    const deadline = Date.now() + most_ms
    for (;;) {
      try {
        const is = await this.value<boolean>(`new Promise((resolve) => {
          const look = () => { if (${expression}) { watch.disconnect(); clearTimeout(late); resolve(true) } }
          const watch = new MutationObserver(look)
          const late = setTimeout(() => { watch.disconnect(); resolve(false) }, ${Math.max(1, deadline - Date.now())})
          watch.observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
          addEventListener('load', look)
          look()
        })`)
        if (is) return
        const page = await this.value<string>('document.body.dataset.phase + ": " + document.body.innerText')
        throw new Error(`not within ${most_ms} ms: ${expression}\n${page}`)
      } catch (thrown) {
        // The page was left for the next one meanwhile.
        if (!/context was destroyed|navigated|Cannot find/.test(String(thrown)) || Date.now() > deadline)
          throw thrown
      }
    }
  }

  /** The mouse button goes down on it, or up. */
  async mouse(type: 'mousePressed' | 'mouseReleased', selector: string): Promise<void> {
    await this.#mouse(type, await this.#middle(selector))
  }

  async click(selector: string): Promise<void> {
    const middle = await this.#middle(selector)
    await this.#mouse('mousePressed', middle)
    await this.#mouse('mouseReleased', middle)
  }

  async dispose(): Promise<void> {
    this.#socket.close()
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      // Its group, which it was started as the head of: renderers and the like.
      process.kill(-this.#process.pid!, 'SIGKILL')
      await ended
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #mouse(type: string, place: { readonly x: number; readonly y: number }): Promise<unknown> {
    return this.send('Input.dispatchMouseEvent', { type, ...place, button: 'left', clickCount: 1 })
  }

  /** Where it is once it stays there: a page that still loads moves what is on it, and a mouse would hit something else. */
  #middle(selector: string): Promise<{ x: number; y: number }> {
    return this.value(`new Promise((resolve) => {
      const look = (before) => {
        const { x, y, width, height } = document.querySelector('${selector}').getBoundingClientRect()
        const now = { x: x + width / 2, y: y + height / 2 }
        if (width > 0 && before?.x === now.x && before?.y === now.y) resolve(now)
        else requestAnimationFrame(() => requestAnimationFrame(() => look(now)))
      }
      look()
    })`)
  }

  #heard({ id, method, params, result, error }: Answer): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(result ?? {})
      else waiting?.reject(new Error(error.message))
      return
    }
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params))
    if (method === 'Log.entryAdded') {
      const { level, text, url } = (params as { entry: { level: string; text: string; url?: string } }).entry
      if (level === 'error') this.complaints.push(`${text} (${url ?? ''})`)
    }
  }
}
