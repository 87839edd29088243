/**
 * `loqa skill dev`: builds a skill at every change, takes it into use in a running node, and shows each of its calls. A version that
 * is broken is refused, and the one before answers on. When it ends, the node is as it was before.
 */
import { resolve } from 'node:path'
import type { OnBench, SkillCallLine } from '../../api/index.ts'
import { errorShape } from '../../host/index.ts'
import { sourceIn } from '../../skills/index.ts'
import type { Call, Run } from '../call.ts'
import type { Client } from '../client.ts'
import { NoNodeError } from '../failures.ts'
import { Changes } from '../skill-changes.ts'
import { exampleOf, logText } from '../skill-log.ts'
import { build, type Project, prepare, readProject } from '../skill-project.ts'
import { EXIT } from '../world.ts'

/** After a stream that broke, and when the node is asked too much. */
const AGAIN_MS = 500

export const run: Run = async (call) => {
  const { world, args, options } = call
  const folder = resolve(world.directory, args[0] ?? '.')
  const bench = new Bench(call, await call.client(), folder)
  await prepare(readProject(folder))
  if (options.once === true) return (await bench.bring()) ? EXIT.ok : EXIT.failed
  // From before the first version is read: what is changed while the node takes it into use is not lost.
  const changes = new Changes(folder)
  try {
    await bench.bring()
    await bench.follow(changes)
  } finally {
    changes.close()
  }
  return EXIT.ok
}

class Bench {
  readonly #call: Call
  readonly #node: Client
  readonly #folder: string
  /** Under which name it is in the node. */
  #name: string | undefined
  #hinted = false

  constructor(call: Call, node: Client, folder: string) {
    this.#call = call
    this.#node = node
    this.#folder = folder
  }

  /** Builds and takes it into use. False, in words, when it is broken. Errors: `NoNodeError`. */
  async bring(): Promise<boolean> {
    const began = performance.now()
    try {
      const { project, module, ms } = await build(readProject(this.#folder), true)
      const { text: manifest } = project
      const files = { manifest, module: Buffer.from(module).toString('base64'), folder: this.#folder }
      const put = await this.#put(files)
      const all_ms = performance.now() - began
      if (this.#name !== undefined && this.#name !== put.name) await this.#end(this.#name)
      this.#name = put.name
      this.#tell(
        { event: 'loaded', ...put, build_ms: Math.round(ms), ms: Math.round(all_ms) },
        `${put.name} ${put.version} is in the node: ${Math.round(all_ms)} ms, ${Math.round(ms)} of them to build`,
      )
      this.#hint(project)
      return true
    } catch (thrown) {
      if (thrown instanceof NoNodeError || this.#call.world.interrupted.aborted) throw thrown
      const { code, message, hint } = errorShape(thrown)
      const before = this.#name === undefined ? '' : '\nThe version before answers on.'
      const said = thrown instanceof Error && code === 'unexpected' ? thrown.message : message
      this.#tell(
        { event: 'refused', code, message: said },
        `${said}${hint === undefined ? '' : `\n${hint}`}${before}`,
        true,
      )
      return false
    }
  }

  /** A node that is asked too much just now takes it a moment later: the version is not broken, and would be lost otherwise. */
  async #put(files: object): Promise<OnBench> {
    const { world } = this.#call
    let said = false
    for (;;) {
      try {
        return await this.#node.post<OnBench>('/api/v1/skills/dev', files)
      } catch (thrown) {
        if (errorShape(thrown).code !== 'rate-limited' || world.interrupted.aborted) throw thrown
        if (!said) this.#tell({ event: 'waiting' }, 'The node is asked too much just now; trying on')
        said = true
        await new Promise<void>((done) => void world.clock.after(AGAIN_MS, done))
      }
    }
  }

  /** Until it is interrupted. */
  async follow(changes: Changes): Promise<void> {
    const { interrupted } = this.#call.world
    const end = aborted(interrupted)
    try {
      void this.#show()
      while (!interrupted.aborted) {
        await Promise.race([changes.next(), end])
        if (!interrupted.aborted) await this.bring()
      }
    } finally {
      if (this.#name !== undefined) await this.#end(this.#name)
    }
  }

  /** Its calls, for as long as the node tells them. */
  async #show(): Promise<void> {
    const { world, json } = this.#call
    while (!world.interrupted.aborted) {
      try {
        if (this.#name === undefined) throw new Error('nothing is in the node yet')
        let held = ''
        for await (const chunk of await this.#node.stream(`/api/v1/skills/dev/${this.#name}/log`)) {
          held += Buffer.from(chunk).toString('utf8')
          const lines = held.split('\n')
          held = lines.pop()!
          for (const line of lines.filter((one) => one !== '{}' && one !== '')) {
            const record = JSON.parse(line) as SkillCallLine
            world.terminal.out(
              json
                ? `${JSON.stringify({ event: 'call', ...record })}\n`
                : logText(record, world.terminal.color),
            )
          }
        }
      } catch {
        // The node went, or has nothing of it yet: the next version brings it back.
      }
      await new Promise<void>((done) => void world.clock.after(AGAIN_MS, done))
    }
  }

  async #end(name: string): Promise<void> {
    // By now the person has pressed Ctrl-C: what is asked of the node then must not be cut off by that.
    const { clientOf } = await import('../client.ts')
    const node = clientOf(await this.#call.where(), AbortSignal.timeout(2_000))
    await node.post(`/api/v1/skills/dev/${name}/end`, {}).catch(() => undefined)
  }

  /** Once, how to try it. */
  #hint({ manifest }: Project): void {
    if (this.#call.json || this.#hinted) return
    this.#hinted = true
    const sentence = exampleOf(sourceIn(manifest, 'en') as Parameters<typeof exampleOf>[0])
    if (sentence !== '') this.#call.world.terminal.err(`Try it: loqa ask "${sentence}"\n`)
  }

  #tell(event: object, text: string, failed = false): void {
    const { world, json } = this.#call
    const [red, reset] = failed && world.terminal.color ? ['\u001b[31m', '\u001b[0m'] : ['', '']
    if (json) world.terminal.out(`${JSON.stringify(event)}\n`)
    else world.terminal.out(`${red}${text}${reset}\n`)
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }))
