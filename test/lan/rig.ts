/**
 * A LAN on one machine: each host a network namespace with a cable to one switch (a bridge in a namespace of its own), on it
 * real `loqa-node` processes that know nothing of each other. Needs root. Times are taken from the nodes' own log lines.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ROOT = new URL('../..', import.meta.url).pathname
/** A process may take so long to print its ready line when the machine is busy with everything else. */
const READY_MS = 30_000

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' })

/** Why there is no LAN on this machine; undefined where there is one. */
export const whyNoLan: string | undefined = ((): string | undefined => {
  const name = `loqa-lan-${process.pid}-probe`
  try {
    ip('netns', 'add', name)
    ip('-n', name, 'link', 'add', 'switch', 'type', 'bridge')
    return undefined
  } catch (thrown) {
    return `network namespaces and bridges cannot be made here: ${String(thrown).split('\n')[0]}`
  } finally {
    try {
      ip('netns', 'delete', name)
    } catch {
      // It was never made.
    }
  }
})()

/** One line of a node's log. `at` is Date.now() of the moment it was written. */
export interface Line {
  readonly at: number
  readonly message: string
  readonly [value: string]: unknown
}

let lans = 0

export class Lan {
  readonly #prefix: string
  readonly nodes: LanNode[] = []
  #hosts = 0

  constructor() {
    lans += 1
    this.#prefix = `loqa-lan-${process.pid}-${lans}`
    ip('netns', 'add', this.#switch)
    ip('-n', this.#switch, 'link', 'add', 'switch', 'type', 'bridge')
    ip('-n', this.#switch, 'link', 'set', 'switch', 'up')
  }

  get #switch(): string {
    return `${this.#prefix}-switch`
  }

  /** A machine on the LAN with its cable plugged in, or not. */
  host(options: { plugged?: boolean } = {}): LanHost {
    this.#hosts += 1
    const number = this.#hosts
    const namespace = `${this.#prefix}-${number}`
    const address = `10.77.0.${number}`
    ip('netns', 'add', namespace)
    ip('-n', namespace, 'link', 'set', 'lo', 'up')
    ip(
      '-n',
      this.#switch,
      'link',
      'add',
      `p${number}`,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      namespace,
    )
    ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0')
    ip('-n', namespace, 'link', 'set', 'eth0', 'up')
    ip('-n', this.#switch, 'link', 'set', `p${number}`, 'master', 'switch')
    const cable = (state: 'up' | 'down'): void => {
      ip('-n', this.#switch, 'link', 'set', `p${number}`, state)
    }
    if (options.plugged !== false) cable('up')
    return new LanHost(namespace, address, cable, this)
  }

  /** Machines with one node each, started at the same moment; resolves when all have said that they are ready. */
  async start(names: readonly string[], options: StartOptions = {}): Promise<LanNode[]> {
    const hosts = names.map(() => this.host())
    const nodes = hosts.map((host, index) => host.spawn(names[index]!, options))
    await Promise.all(nodes.map((node) => node.ready()))
    return nodes
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.dispose()))
    for (const name of ip('netns', 'list').split('\n')) {
      const [namespace] = name.split(' ')
      if (namespace?.startsWith(`${this.#prefix}-`)) ip('netns', 'delete', namespace)
    }
  }
}

export interface StartOptions {
  readonly args?: readonly string[]
  readonly data?: string
}

export class LanHost {
  readonly namespace: string
  readonly address: string
  readonly #cable: (state: 'up' | 'down') => void
  readonly #lan: Lan

  constructor(namespace: string, address: string, cable: (state: 'up' | 'down') => void, lan: Lan) {
    this.namespace = namespace
    this.address = address
    this.#cable = cable
    this.#lan = lan
  }

  cut(): void {
    this.#cable('down')
  }

  plug(): void {
    this.#cable('up')
  }

  spawn(name: string, options: StartOptions = {}): LanNode {
    const node = new LanNode(this, name, options)
    this.#lan.nodes.push(node)
    return node
  }

  /** Runs a program on this host; gives its exit code and what it printed. */
  run(command: string, args: readonly string[], timeout_ms = 30_000): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<Result>()
    const child = spawn('ip', ['netns', 'exec', this.namespace, command, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    const late = setTimeout(() => child.kill('SIGKILL'), timeout_ms)
    child.once('exit', (code) => {
      clearTimeout(late)
      resolve({ code, stdout, stderr })
    })
    return promise
  }
}

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Discovery is what is tested here; elsewhere in the tests it is off. */
const environment = { ...process.env, LOQA_CLUSTER_DISCOVERY: 'true', LOQA_CLUSTER_ENABLED: 'true' }
/** A node without engines: 80 MB less and a second sooner; the cluster is the same. */
const NO_ENGINES = ['stt', 'llm', 'tts'].flatMap((kind) => ['--set', `inference.${kind}=off`])

export class LanNode {
  readonly host: LanHost
  readonly name: string
  readonly data: string
  /** Date.now() at spawn. */
  spawned = 0
  readonly lines: Line[] = []
  #output = ''
  #rest = ''
  #process: ChildProcess | undefined
  #waiting: (() => void)[] = []
  readonly #args: readonly string[]

  constructor(host: LanHost, name: string, { args = [], data }: StartOptions) {
    this.host = host
    this.name = name
    this.data = data ?? mkdtempSync(join(tmpdir(), 'loqa-lan-'))
    this.#args = args
    this.start()
  }

  get output(): string {
    return this.#output
  }

  /** Undefined while it runs. */
  get exitCode(): number | undefined {
    return this.#process?.exitCode ?? undefined
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** The program, once more on the same data. */
  start(): void {
    const { namespace } = this.host
    const args = ['--data', this.data, '--name', this.name, '--room', 'hall', ...NO_ENGINES, ...this.#args]
    this.spawned = Date.now()
    this.#output = ''
    const child = spawn('ip', ['netns', 'exec', namespace, join(ROOT, 'bin/loqa-node'), ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    })
    this.#process = child
    const collect = (chunk: Buffer): void => this.#collect(chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('exit', () => this.#wake())
  }

  #collect(text: string): void {
    this.#output += text
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('{')) continue
      const values = JSON.parse(line) as { time: string; message: string }
      this.lines.push({ ...values, at: Date.parse(values.time) })
    }
    this.#wake()
  }

  #wake(): void {
    for (const run of this.#waiting.splice(0)) run()
  }

  /** Resolves when `holds`, looked at whenever the node prints something; fails with all it printed. */
  async until<T>(holds: () => T | undefined | false, within_ms: number, what: string): Promise<T> {
    const deadline = Date.now() + within_ms
    for (;;) {
      const found = holds()
      if (found !== undefined && found !== false) return found
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`${this.name}: not within ${within_ms} ms: ${what}\n${this.#output}`)
      if (this.#process?.exitCode != null) throw new Error(`${this.name} ended:\n${this.#output}`)
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, Math.min(left, 250))
        this.#waiting.push(() => {
          clearTimeout(late)
          resolve()
        })
      })
    }
  }

  ready(): Promise<unknown> {
    return this.until(() => this.#output.includes(' is ready'), READY_MS, 'the ready line')
  }

  /** The last thing this node said of its connection to another, and when. */
  link(to: LanNode): Line | undefined {
    const id = to.id
    return this.lines.findLast(({ peer, message }) => peer === id && / connected$/.test(message))
  }

  /** What it last said of how another one is. */
  stateOf(other: LanNode): unknown {
    const id = other.id
    return this.lines.findLast(({ peer, to }) => peer === id && to !== undefined)?.to
  }

  /** When it was last connected to each of these, or undefined while it is not to all or does not hold all for alive. */
  connectedTo(others: readonly LanNode[]): number | undefined {
    const rest = others.filter((other) => other !== this)
    if (rest.some((other) => this.stateOf(other) !== 'alive')) return undefined
    const links = rest.map((other) => this.link(other))
    const ends = links.map((line) =>
      line === undefined || line.message.includes('no longer') ? Number.NaN : line.at,
    )
    const last = Math.max(...ends)
    return Number.isNaN(last) ? undefined : last
  }

  /** The first line after `since` in which this node says that another has that state. */
  verdict(on: LanNode, status: string, since: number): Line | undefined {
    const id = on.id
    return this.lines.find((line) => line.at >= since && line.peer === id && line.to === status)
  }

  /** Its id, once it has one. */
  get id(): string {
    this.#id ??= (/"node":"(12D3KooW[1-9A-Za-z]{44})"/.exec(keyringText(this.data)) ?? [])[1]
    return this.#id ?? ''
  }
  #id: string | undefined

  loqa(...args: string[]): Promise<Result> {
    return this.host.run(join(ROOT, 'bin/loqa'), ['--data', this.data, ...args])
  }

  async json<T>(...args: string[]): Promise<T> {
    const result = await this.loqa(...args, '--json')
    if (result.code !== 0) throw new Error(`loqa ${args.join(' ')} of ${this.name}: ${result.stderr}`)
    return JSON.parse(result.stdout) as T
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Its event loop does nothing else for so long: through the debugger that every Node.js process opens when it is asked to. */
  async busy(span_ms: number): Promise<void> {
    this.signal('SIGUSR1')
    await this.until(() => this.#output.includes('Debugger listening on'), 5_000, 'its debugger')
    const result = await this.host.run(process.execPath, ['-e', ASK_TO_SPIN, String(span_ms)])
    if (result.code !== 0) throw new Error(`${this.name} would not spin: ${result.stderr}`)
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
    const code = await ended
    clearTimeout(late)
    return code
  }

  /** A reset gives it another id. */
  forgetId(): void {
    this.#id = undefined
  }

  async dispose(): Promise<void> {
    // A stopped process does not die of anything but this.
    await this.end('SIGKILL')
    rmSync(this.data, { recursive: true, force: true })
  }
}

/** Run beside the node, in its network: debuggers listen on the loopback only. Ends when the node answers again. */
const ASK_TO_SPIN = `
  const span = Number(process.argv[1])
  fetch('http://127.0.0.1:9229/json/list').then((response) => response.json()).then(([target]) => {
    const socket = new WebSocket(target.webSocketDebuggerUrl)
    const expression = 'const until = performance.now() + ' + span + '; while (performance.now() < until);'
    socket.onopen = () => socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }))
    socket.onmessage = () => process.exit(0)
    socket.onerror = () => process.exit(1)
  })`

function keyringText(data: string): string {
  try {
    return readFileSync(join(data, 'keyring'), 'utf8')
  } catch {
    return ''
  }
}

/** Waits until all are connected to all and hold them for alive; gives Date.now() of the last link. */
export async function together(nodes: readonly LanNode[], within_ms: number): Promise<number> {
  const ends = await Promise.all(
    nodes.map((node) => node.until(() => node.connectedTo(nodes), within_ms, 'connected to all others')),
  )
  return Math.max(...ends)
}

/** Resolves with Date.now() when all hold the same memory. */
export async function agreed(nodes: readonly LanNode[], within_ms: number): Promise<number> {
  const deadline = Date.now() + within_ms
  for (;;) {
    const digests = await Promise.all(
      nodes.map(async (node) => (await node.json<{ digest: string }>('store')).digest),
    )
    const at = Date.now()
    if (digests.every((digest) => digest === digests[0])) return at
    if (at > deadline)
      throw new Error(`not within ${within_ms} ms: that all hold the same: ${digests.join(', ')}`)
  }
}
