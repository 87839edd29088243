/** The tier follows what conversations wait for, and engines are tried unheard before it rises. In virtual time. */
import { describe, expect, it } from 'vitest'
import { type Outcome, placedAddress, type Ref } from '../../src/actors/index.ts'
import { requestId } from '../../src/host/index.ts'
import { SimulatedClock } from '../../src/host/simulated/index.ts'
import {
  type Capability,
  FORMANT_VOICE,
  type InferPort,
  type Model,
  openRun,
  plainVoice,
} from '../../src/inference/index.ts'
import { EngineTimes } from '../../src/node/engine-times.ts'
import { preferred } from '../../src/node/opening.ts'
import { Quality } from '../../src/node/quality.ts'
import { createLog, createMetrics } from '../../src/observe/index.ts'

const SESSION: Ref = { address: placedAddress('session', 's'), incarnation: 1 }
const own = (tag: string): Capability => ({
  ...{ name: tag, tag, model: tag, state: 'ready', p95_ms: 20, real_time_factor: null, tokens_per_s: null },
  ...{ restarts: 0, rss_mb: null, load: 0 },
})
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
}

/** A node whose preferred engines take `took.ms`, and its own ones 20 ms. */
function house(qos: { readonly tier?: 'auto' | 'rich' } = {}) {
  const clock = new SimulatedClock()
  const metrics = createMetrics()
  const took = { ms: 50 }
  const steps: string[] = []
  const asked: string[] = []
  const open = new Map<string, () => void>()
  const port: InferPort = {
    request({ id, to, op }, deliver, actor) {
      if (op === 'open') asked.push(`${actor.address} ${to}`)
      if (op !== (to.startsWith('stt') ? 'finish' : 'open')) return
      const done: Outcome = {
        type: 'outcome',
        id,
        event: 'done',
        body: { type: 'done', usage: { compute_ms: 1 } },
      }
      open.set(
        id,
        clock.after(to.includes('.') ? 20 : took.ms, () => deliver(done)),
      )
    },
    cancel: (id) => open.get(id)?.(),
    actorGone: () => undefined,
  }
  const quality = new Quality({
    clock,
    metrics,
    config: {
      qos: {
        tier: 'auto',
        fast_ms: 200,
        balanced_ms: 400,
        rich_ms: 1_000,
        recover_after_s: 30,
        answers_kept: 0,
        ...qos,
      },
      voice: { pause_complete_ms: 100 } as never,
    },
    log: createLog({
      level: 'silent',
      format: 'json',
      log_pii: false,
      output: { write: () => undefined } as never,
      wall: () => 0,
    }),
    capabilities: () => ['llm.openai:big', 'llm.llama:small', 'tts.kokoro:k', 'tts.formant:f'].map(own),
    noted: ({ from, to, why }) => steps.push(`${from} ${to} ${why}`),
  })
  const engines = quality.around(port)
  let runs = 0
  /** One turn by text that the language model is needed for. */
  const turn = async (): Promise<void> => {
    runs += 1
    const { llm = 'none' } = quality.service().engines
    const began = clock.monotonic()
    const over = Promise.withResolvers<void>()
    engines.request(
      openRun(requestId(`llm:${runs}`), llm, { kind: 'llm', prompt: 'x', max_tokens: 9 }),
      () => over.resolve(),
      SESSION,
    )
    clock.advance(llm.includes('.') ? 20 : took.ms)
    await over.promise
    const nlu = clock.monotonic() - began
    quality.heard({ kind: 'turn.ended', body: { latency_ms: { nlu, tts: null, skill: 5_000 } } })
  }
  return { clock, metrics, quality, took, steps, asked, turn, engines }
}

describe('the tier of a node', () => {
  it('falls within two slow turns, uses what it has of its own meanwhile, and rises when a trial keeps the budget', async () => {
    const { clock, metrics, quality, took, steps, asked, turn } = house()
    await turn()
    expect(quality.view()).toMatchObject({ tier: 'rich', p95_ms: 150, turns: 1, engines: { llm: 'llm' } })
    took.ms = 1_200
    await turn()
    await turn()
    expect(steps).toEqual(['rich balanced slow-turns'])
    expect(quality.service().engines).toEqual({ stt: 'stt', llm: 'llm.llama:small', tts: 'tts' })
    for (let more = 0; more < 5; more += 1) await turn()
    expect(quality.view()).toMatchObject({ tier: 'balanced', budget_ms: 400, p95_ms: 120, turns: 5 })

    asked.length = 0
    clock.advance(31_000)
    await settled()
    expect(asked).toEqual(['loqa:/quality/trial llm'])
    clock.advance(1_000)
    await settled()
    expect(quality.tier).toBe('balanced')
    took.ms = 50
    clock.advance(59_000)
    await settled()
    clock.advance(100)
    await settled()
    expect(quality.tier).toBe('rich')
    expect(steps).toEqual(['rich balanced slow-turns', 'balanced rich recovered'])
    expect(quality.view().last_step).toMatchObject({ from: 'balanced', to: 'rich', why: 'recovered' })
    const text = await metrics.text()
    expect(text).toContain('loqa_qos_tier{tier="rich"} 1')
    expect(text).toContain('loqa_qos_steps_total{from="rich",to="balanced",why="slow-turns"} 1')
    expect(text).toContain('loqa_qos_trials_total{engine="llm",kept="false"} 1')
    expect(text).toContain('loqa_qos_trials_total{engine="llm",kept="true"} 1')
  })

  it('does not follow what a skill takes, nor turns in which no engine was waited for', () => {
    const { quality } = house()
    for (let turn = 0; turn < 4; turn += 1) {
      quality.heard({ kind: 'turn.ended', body: { latency_ms: { skill: 9_000, endpoint: 900 } } })
      quality.heard({ kind: 'turn.replied', body: {} })
    }
    expect(quality.view()).toMatchObject({ tier: 'rich', turns: 0, p95_ms: null })
  })

  it('stays where it is fixed, and tries nothing once stopped', async () => {
    const fixed = house({ tier: 'rich' })
    fixed.took.ms = 3_000
    await fixed.turn()
    await fixed.turn()
    expect(fixed.quality.view()).toMatchObject({ tier: 'rich', fixed: true, turns: 2 })

    const { clock, quality, took, turn, asked } = house()
    took.ms = 3_000
    await turn()
    expect(quality.tier).toBe('balanced')
    quality.stop()
    asked.length = 0
    clock.advance(600_000)
    expect(asked).toEqual([])
  })
})

describe('a plain voice', () => {
  const voice = (engine: string): Model => ({ ...FORMANT_VOICE, id: `${engine}-1`, engine })

  it('stands beside any other voice, and not beside itself or none', () => {
    expect(plainVoice([voice('kokoro')])).toBe(FORMANT_VOICE)
    expect([plainVoice([FORMANT_VOICE]), plainVoice([])]).toEqual([undefined, undefined])
  })

  it('is what others are offered only while the chosen one is not ready', () => {
    const both = [own('stt.sherpa:s'), own('tts.kokoro:k'), own('tts.formant:f')]
    const tags = (rows: readonly Capability[]) => preferred(rows).map(({ tag }) => tag)
    expect(tags(both)).toEqual(['stt.sherpa:s', 'tts.kokoro:k'])
    expect(
      tags(both.map((row) => (row.tag === 'tts.kokoro:k' ? { ...row, state: 'restarting' } : row))),
    ).toEqual(['stt.sherpa:s', 'tts.kokoro:k', 'tts.formant:f'])
  })
})

describe('what engines took', () => {
  const at = () => {
    const clock = new SimulatedClock()
    let tell: (outcome: Outcome) => void = () => undefined
    const times = new EngineTimes(clock, () => undefined)
    const port = times.around({
      request: (effect, deliver) => {
        if (effect.op === 'open') tell = deliver
      },
      cancel: () => undefined,
      actorGone: () => undefined,
    })
    const run = (id: string, to: string, kind: 'tts' | 'llm' | 'stt'): void => {
      const request =
        kind === 'tts'
          ? { kind, text: 'a' }
          : kind === 'llm'
            ? { kind, prompt: 'a', max_tokens: 1 }
            : { kind, sample_rate: 16_000 as const }
      port.request(openRun(requestId(id), to, request), () => undefined, SESSION)
    }
    return {
      clock,
      times,
      port,
      run,
      tell: (event: object) => tell({ type: 'outcome', id: requestId('x'), ...event } as Outcome),
    }
  }

  it('of a voice is the time to its first sound, of a recogniser that after the end of speech', () => {
    const { clock, times, port, run, tell } = at()
    run('1', 'tts', 'tts')
    clock.advance(40)
    tell({ event: 'chunk', body: { type: 'audio', samples: new Int16Array(1), sample_rate: 16_000 } })
    clock.advance(900)
    tell({ event: 'done' })
    expect(times.of('tts')).toBe(40)
    run('2', 'stt', 'stt')
    clock.advance(2_000)
    port.request(
      { type: 'infer', id: requestId('2'), to: 'stt', op: 'finish' } as never,
      () => undefined,
      SESSION,
    )
    clock.advance(7)
    tell({ event: 'done' })
    expect(times.of('stt')).toBe(7)
  })

  it('is at least what a run that was given up took, and nothing of one that failed', () => {
    const { clock, times, port, run, tell } = at()
    run('1', 'llm', 'llm')
    clock.advance(300)
    port.cancel('1', SESSION)
    expect(times.of('llm')).toBe(300)
    run('2', 'llm', 'llm')
    clock.advance(10)
    port.cancel('2', SESSION)
    run('3', 'llm', 'llm')
    clock.advance(5)
    tell({ event: 'failed', error: { code: 'engine-crashed', message: '', retryable: true } })
    expect(times.of('llm')).toBe(300)
    run('4', 'llm', 'llm')
    clock.advance(1_500)
    tell({ event: 'failed', error: { code: 'timeout', message: '', retryable: true } })
    expect(times.of('llm')).toBe(1_500)
    times.proved('llm', 20)
    expect(times.of('llm')).toBe(20)
  })

  it('is no longer than before for a single late one of three', () => {
    const { clock, times, run, tell } = at()
    for (const ms of [20, 30, 900]) {
      run(`${ms}`, 'llm', 'llm')
      clock.advance(ms)
      tell({ event: 'done' })
    }
    expect(times.of('llm')).toBe(30)
  })

  it('is what the last one took when the tier fell', () => {
    const { clock, times, run, tell } = at()
    for (const ms of [20, 30, 900]) {
      run(`${ms}`, 'llm', 'llm')
      clock.advance(ms)
      tell({ event: 'done' })
    }
    times.lately()
    expect(times.of('llm')).toBe(900)
  })
})
