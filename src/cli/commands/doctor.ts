/** `loqa doctor`: what is wrong here, and what to do; works without a running node too. */
import type { NodeView } from '../../api/index.ts'
import { LoqaError } from '../../host/errors.ts'
import type { Call, Run } from '../call.ts'
import { dataDirectoryOf } from '../find-node.ts'
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
    ]
  }
}

function runtimeCheck({ runtime }: World): Check {
  const ok = Number(/^v(\d+)/.exec(runtime)?.[1] ?? 0) >= 24
  return ok
    ? { check: 'Node.js', ok, detail: runtime }
    : { check: 'Node.js', ok, detail: `${runtime} is too old`, fix: 'Run npm ci: it brings a Node 24.' }
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
