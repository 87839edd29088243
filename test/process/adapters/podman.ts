/** A real container engine for a test: Podman, with a store of its own that goes with the test. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { packTar } from 'modern-tar'

export interface TestEngine {
  readonly socket: string
  /** An image that is this program alone; its name with its digest. */
  image(name: string, program: Uint8Array, changes?: readonly string[]): Promise<string>
  /** Containers that are there, running or not. */
  containers(): Promise<readonly { readonly Id: string; readonly Labels: Record<string, string> }[]>
  ask(method: string, path: string, body?: Uint8Array): Promise<unknown>
  stop(): Promise<void>
}

/** crun refuses machines that have both kinds of control groups. */
const RUNTIMES = ['runc', 'crun'] as const

const works = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Undefined where there is none, or where it may not run containers. */
export async function podmanIn(folder: string, program: Uint8Array): Promise<TestEngine | undefined> {
  const runtime = RUNTIMES.find(works)
  if (process.getuid?.() !== 0 || !works('podman') || runtime === undefined) return undefined
  mkdirSync(folder, { recursive: true })
  const socket = join(folder, 'engine.sock')
  const place = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--runtime', runtime]
  const service = spawn('podman', [...place, 'system', 'service', '--time=0', `unix://${socket}`], {
    stdio: 'ignore',
    // It leaves what it was sent lying about.
    env: { ...process.env, TMPDIR: folder },
  })
  const engine = engineAt(socket, service, () => {
    execFileSync('podman', [...place, 'system', 'reset', '--force'], { stdio: 'ignore' })
    rmSync(folder, { recursive: true, force: true })
  })
  for (let left = 200; (await engine.ask('GET', '/_ping').catch(() => '')) !== 'OK'; left -= 1) {
    if (left === 0) throw new Error('Podman does not come up')
    await setTimeout(100)
  }
  // A machine may have all of it and still let nobody make namespaces.
  const image = await engine.image('localhost/try', program)
  try {
    writeFileSync(join(folder, 'nothing'), '')
    const limits = [
      '--ulimit',
      'nofile=64:64',
      '--ulimit',
      'nproc=64:64',
      '--memory',
      '32m',
      '--pids-limit',
      '8',
    ]
    execFileSync('podman', [...place, 'run', '--rm', '--network', 'none', ...limits, image], {
      stdio: 'ignore',
    })
    return engine
  } catch {
    await engine.stop()
    return undefined
  }
}

function engineAt(socket: string, service: ChildProcess, clear: () => void): TestEngine {
  const ask = (method: string, path: string, body?: Uint8Array): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Type': 'application/x-tar' }
      const asked = request({ socketPath: socket, method, path, agent: false, headers }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if ((answer.statusCode ?? 500) >= 400) reject(new Error(text))
          else resolve(text.startsWith('{') || text.startsWith('[') ? parsed(text) : text)
        })
      })
      asked.on('error', reject)
      asked.end(body)
    })
  return {
    socket,
    ask,
    async image(name, program, changes = []) {
      const tar = await packTar([
        { header: { name: 'adapter', size: program.length, type: 'file', mode: 0o755 }, body: program },
      ])
      const all = ['ENTRYPOINT ["/adapter"]', ...changes].map(
        (change) => `&changes=${encodeURIComponent(change)}`,
      )
      await ask('POST', `/images/create?fromSrc=-&repo=${encodeURIComponent(name)}${all.join('')}`, tar)
      const { RepoDigests } = (await ask('GET', `/images/${name}:latest/json`)) as { RepoDigests: string[] }
      return RepoDigests[0]!
    },
    containers: async () => (await ask('GET', '/containers/json?all=true')) as never,
    async stop() {
      const ended = new Promise((done) => service.once('exit', done))
      service.kill()
      await ended
      clear()
    },
  }
}

/** What an image's making says comes as one JSON after another. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
