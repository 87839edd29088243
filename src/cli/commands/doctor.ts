/** `loqa doctor`: what is wrong here, and what to do; works without a running node too. */
import type { NodeView } from '../../api/index.ts'
import type { Resolved } from '../../config.ts'
import { LoqaError } from '../../host/errors.ts'
import type { Call, Run } from '../call.ts'
import { dataDirectoryOf } from '../find-node.ts'
import { nodeRequest } from '../node-request.ts'
import { facts, paint, type Style } from '../table.ts'
import { EXIT, type World } from '../world.ts'

type Check = Awaited<ReturnType<NodeView['doctor']>>[number]

export const run: Run = async (call) => {
  const { world, json, style } = call
  const checks = await nodeChecks(call)
  world.terminal.out(json ? `${JSON.stringify(checks)}\n` : doctorText(checks, style))
  return checks.every((check) => check.ok) ? EXIT.ok : EXIT.failed
}

/** The checks of the running node; without one, what can be seen from here and why it did not answer. */
async function nodeChecks(call: Call): Promise<readonly Check[]> {
  const { world, options } = call
  try {
    const client = await call.client()
    const checks = await client.get<Check[]>('/api/v1/doctor')
    return [{ check: 'node', ok: true, detail: `answers at ${(await call.where()).url}` }, ...checks]
  } catch (thrown) {
    if (!(thrown instanceof LoqaError)) throw thrown
    const data = dataDirectoryOf(world, typeof options.data === 'string' ? options.data : undefined)
    const fix = thrown.hint === undefined ? {} : { fix: thrown.hint }
    return [
      { check: 'node', ok: false, detail: thrown.message, ...fix },
      runtimeCheck(world),
      await dataCheck(world, data),
      ...(await portChecks(call)),
    ]
  }
}

function runtimeCheck({ runtime }: World): Check {
  const ok = Number(/^v(\d+)/.exec(runtime)?.[1] ?? 0) >= 24
  return ok
    ? { check: 'Node.js', ok, detail: runtime }
    : { check: 'Node.js', ok, detail: `${runtime} is too old`, fix: 'Run npm ci: it brings a Node 24.' }
}

/** Those a node would listen at here: who is there already, and which flag chooses another. */
async function portChecks({ world, options }: Call): Promise<Check[]> {
  const { ConfigError, loadConfig } = await import('../../config.ts')
  try {
    const { config } = (await loadConfig(world.disk, world, nodeRequest(options))) as Resolved
    const { api, cluster, wyoming } = config
    const wanted: readonly (readonly [check: string, host: string, port: number, change: string])[] = [
      ['port of HTTP', api.host, api.port, '--http-port'],
      ...(cluster.enabled
        ? ([
            ['port for nodes', '::', cluster.port, '--port'],
            ['port for newcomers', '::', cluster.enrolment_port, '--port, or cluster.enrolment_port,'],
          ] as const)
        : []),
      ...(wyoming.enabled ? [['port of Wyoming', wyoming.host, wyoming.port, 'wyoming.port'] as const] : []),
    ]
    return await Promise.all(wanted.map((one) => portCheck(world, ...one)))
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown
    return [{ check: 'settings', ok: false, detail: thrown.message, fix: 'See: loqa config check' }]
  }
}

async function portCheck(
  world: World,
  check: string,
  host: string,
  port: number,
  change: string,
): Promise<Check> {
  if (port === 0) return { check, ok: true, detail: 'a free one is taken' }
  const holder = await world.portHolder(host, port)
  if (holder === undefined) return { check, ok: true, detail: `${port} is free` }
  const { program, pid } = holder
  const who = program === undefined ? "another user's program" : `${program} (process ${pid})`
  return {
    ...{ check, ok: false, detail: `${port} is in use by ${who}` },
    fix: `Stop it, or choose another: ${change} takes a number, or 0 for a free one.`,
  }
}

async function dataCheck(world: World, path: string): Promise<Check> {
  try {
    const info = await world.disk.info(path)
    if (info === undefined) return { check: 'data', ok: true, detail: `${path} (made at the first start)` }
    if (info.kind === 'file') {
      return {
        check: 'data',
        ok: false,
        detail: `${path} is a file`,
        fix: 'Move it away or choose another --data.',
      }
    }
    await world.disk.list(path)
    return { check: 'data', ok: true, detail: path }
  } catch (thrown) {
    return {
      check: 'data',
      ok: false,
      detail: thrown instanceof LoqaError ? thrown.message : `${path} cannot be read`,
      fix: 'Check its owner and permissions, or choose another --data.',
    }
  }
}

export function doctorText(checks: readonly Check[], style: Style): string {
  const lines = checks.map(({ check, ok, detail, fix }): [string, string] => {
    const mark = ok ? paint(style, 'green', '✓') : paint(style, 'red', '✗')
    return [
      check,
      fix === undefined || ok ? `${mark} ${detail}` : `${mark} ${detail}. ${paint(style, 'yellow', fix)}`,
    ]
  })
  const bad = checks.filter((check) => !check.ok).length
  return `${facts(lines, style)}\n${bad === 0 ? 'All is well.' : `${bad} of ${checks.length} need attention.`}\n`
}
