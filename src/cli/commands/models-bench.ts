/** `loqa models bench`: how fast a model is on this machine, as its engine measures itself. */
import { join } from 'node:path'
import { realHost } from '../../host/real.ts'
import { ENGINES, enginesDirectory } from '../../inference/catalogue/index.ts'
import { type Capability, openModels, Pool, replicasOf } from '../../inference/index.ts'
import type { Call, Run } from '../call.ts'
import { NodeError, UsageError } from '../failures.ts'
import { type ModelsHere, modelsDirectory, modelsHere } from '../models-here.ts'
import { facts, milliseconds } from '../table.ts'
import { EXIT, type World } from '../world.ts'

export const run: Run = async (call) => {
  const { world, json, style, args } = call
  const here = await modelsHere(call)
  const row = await measured(call, here, args[0] ?? '')
  const { model, tag, p95_ms, real_time_factor, tokens_per_s, rss_mb } = row
  if (json) {
    world.terminal.out(`${JSON.stringify({ model, tag, p95_ms, real_time_factor, tokens_per_s, rss_mb })}\n`)
    return EXIT.ok
  }
  const number = (value: number | null, unit: string): string =>
    value === null ? '–' : `${value.toFixed(2)}${unit}`
  world.terminal.out(
    facts(
      [
        ['model', model],
        ['first result', `${milliseconds(p95_ms)} ms (p95)`],
        ...(tokens_per_s === null ? [] : [['tokens', number(tokens_per_s, ' a second')] as const]),
        ...(real_time_factor === null
          ? []
          : [['real-time factor', `${number(real_time_factor, '')}${keepsUp(real_time_factor)}`] as const]),
        ...(rss_mb === null ? [] : [['memory', `${Math.round(rss_mb)} MB`] as const]),
      ],
      style,
    ),
  )
  return EXIT.ok
}

const keepsUp = (factor: number): string =>
  factor < 1 ? ' (keeps up with speech)' : ' (too slow for speech)'

/** A process of its own, so that nothing the node does at the moment is measured with it nor slowed by more than its share. */
async function measured({ world }: Call, here: ModelsHere, id: string): Promise<Capability> {
  const models = await openModels({
    ...{ disk: world.disk, clock: world.clock },
    models_dir: modelsDirectory(here.config),
    unpacked_dir: join(here.data, 'models'),
    pulled_dir: here.directory,
    engines_dir: enginesDirectory(here.data),
  })
  const model = models.list.find((one) => one.id === id)
  if (model === undefined)
    throw new UsageError(`There is no model ${JSON.stringify(id)} here`, 'See them: loqa models ls --here')
  if (!ENGINES.has(model.engine)) throw new UsageError(`This version has no engine ${model.engine} for ${id}`)
  const changed = watch()
  const pool = new Pool({
    settings: here.config.inference,
    replicas: replicasOf(model, models),
    ...{ clock: world.clock, random: realHost().random, log: quiet },
    onChange: changed.notify,
  })
  try {
    await pool.start()
    for (;;) {
      const row = pool.capabilities()[0]!
      if (row.state === 'ready' && row.p95_ms !== null) return row
      if (row.error !== undefined) throw new NodeError(row.error)
      await changed.next(world)
    }
  } finally {
    await pool.stop()
  }
}

/** How long one measurement may leave everything unchanged: a large model on a small machine. */
const MEASURE_TIMEOUT_MS = 300_000

function watch(): { notify: () => void; next(world: World): Promise<void> } {
  let wake = (): void => undefined
  return {
    notify: () => wake(),
    next: ({ clock, interrupted }) =>
      new Promise((resolve, reject) => {
        const late = clock.after(MEASURE_TIMEOUT_MS, () =>
          reject(new NodeError({ code: 'timeout', message: 'The measurement took too long' })),
        )
        interrupted.addEventListener('abort', () =>
          reject(new NodeError({ code: 'interrupted', message: 'Interrupted' })),
        )
        wake = () => {
          late()
          resolve()
        }
      }),
  }
}

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
