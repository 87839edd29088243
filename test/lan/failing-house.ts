/**
 * A house in which nodes are lost in the middle of an answer: nodes that serve satellites over the LAN, some with engines and some without, a
 * satellite on a machine of its own, and a question whose answer takes several seconds.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeRow } from '../../src/api/index.ts'
import { Lan, type LanHost, type LanNode, ROOT, together } from './rig.ts'
import { Satellite } from './satellite.ts'

const HTTP = 7420
const TOGETHER_MS = 60_000
const ENGINES = ['stt', 'llm', 'tts'].flatMap((kind) => ['--set', `inference.${kind}=auto`])
/** Read aloud they take about four seconds. */
const ITEMS = ['milk', 'bread', 'butter', 'apples', 'cheese', 'coffee']

/** Four start at once, on a machine that may be busy. */
const UP_MS = 90_000
const up = (node: LanNode): Promise<unknown> =>
  node.until(() => node.output.includes(' is ready'), UP_MS, 'the ready line')

export const recording = (name: string): string => join(ROOT, 'test/fixtures/audio', `${name}.wav`)
export const LONG = 'what-is-on-the-shopping-list'

export class FailingHouse {
  readonly lan = new Lan()
  readonly #folder = mkdtempSync(join(tmpdir(), 'loqa-failover-'))
  readonly #token = join(this.#folder, 'token')
  nodes: readonly LanNode[] = []
  #satellite: LanHost | undefined

  /** As many nodes without engines, and with all of them. */
  async start(plain: number, engines: number): Promise<void> {
    writeFileSync(this.#token, randomBytes(24).toString('hex'))
    // Nothing is said from memory: whoever goes on has to have it rendered.
    const args = [
      // What is remembered asks nobody.
      ...['--set', 'voice.reply_cache_mb=0', '--set', 'qos.answers_kept=0', '--set', 'api.host=0.0.0.0'],
      ...['--set', `api.token_file=${this.#token}`, '--http-port', String(HTTP)],
    ]
    const spawn = (kind: string, count: number, more: readonly string[]) =>
      Array.from({ length: count }, (_, i) =>
        this.lan.host().spawn(`${kind}${i + 1}`, { args: [...args, ...more] }),
      )
    this.nodes = [...spawn('plain', plain, []), ...spawn('engines', engines, ENGINES)]
    this.#satellite = this.lan.host()
    await Promise.all(this.nodes.map(up))
    await this.linked()
    const [first] = this.nodes as [LanNode]
    for (let i = 0; i < ITEMS.length; i += 2) {
      await this.json(first, 'ask', `add ${ITEMS[i]} and ${ITEMS[i + 1]} to the shopping list`)
    }
  }

  /** Until all are connected and know what the others can do. */
  async linked(): Promise<void> {
    await Promise.all(this.nodes.map(up))
    await together(this.nodes, TOGETHER_MS)
    const deadline = Date.now() + TOGETHER_MS
    const engines = this.nodes.filter(({ name }) => name.startsWith('engines')).length
    for (const node of this.nodes) {
      for (;;) {
        const rows = JSON.parse(await this.get(node, '/api/v1/nodes')) as NodeRow[]
        const able = rows.filter(({ capabilities }) => capabilities.some((tag) => tag.startsWith('tts')))
        if (able.length >= engines) break
        if (Date.now() > deadline)
          throw new Error(`${node.name} knows of ${able.length} engines: ${JSON.stringify(rows)}`)
        await new Promise((done) => setTimeout(done, 250))
      }
    }
  }

  /** From within that node's network. */
  async get(node: LanNode, path: string): Promise<string> {
    const token = readFileSync(this.#token, 'utf8')
    const args = ['-s', '-H', `Authorization: Bearer ${token}`, `http://127.0.0.1:${HTTP}${path}`]
    const { code, stdout } = await node.host.run('curl', args)
    if (code !== 0) throw new Error(`${node.name} does not answer ${path}`)
    return stdout
  }

  json<T>(node: LanNode, ...args: string[]): Promise<T> {
    return node.json<T>('--token-file', this.#token, ...args)
  }

  /** Somebody speaks to that node, once. */
  speak(node: LanNode, name: string): Satellite {
    return new Satellite(
      this.#satellite!,
      `http://${node.host.address}:${HTTP}`,
      this.#token,
      recording(name),
    )
  }

  async close(): Promise<void> {
    await this.lan.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
