import { describe, expect, it } from 'vitest'
import { createMetrics, reportEventLoop } from '../../src/observe/index.ts'

describe('metrics', () => {
  it('have the promised names from the start', async () => {
    const text = await createMetrics().text()
    for (const name of [
      'loqa_voice_latency_ms',
      'loqa_event_loop_lag_ms',
      'loqa_cluster_members',
      'loqa_actor_mailbox_depth',
      'loqa_dead_letters_total',
      'loqa_migration_ms',
      'loqa_sync_lag_ms',
      'loqa_skill_call_ms',
    ]) {
      expect(text).toContain(`# TYPE ${name} `)
    }
  })

  it('count, observe and set', async () => {
    const metrics = createMetrics()
    metrics.add('loqa_dead_letters_total', 2)
    metrics.observe('loqa_voice_latency_ms', 120, { hop: 'total' })
    metrics.set('loqa_actor_mailbox_depth', 3)
    const text = await metrics.text()
    expect(text).toContain('loqa_dead_letters_total 2')
    expect(text).toContain('loqa_voice_latency_ms_count{hop="total"} 1')
    expect(text).toContain('loqa_voice_latency_ms_bucket{le="150",hop="total"} 1')
    expect(text).toContain('loqa_actor_mailbox_depth 3')
  })

  it('take new names from behaviours, under our prefix', async () => {
    const metrics = createMetrics()
    metrics.add('voice_barge_in_total')
    expect(await metrics.text()).toContain('loqa_voice_barge_in_total 1')
  })

  it('refuse what would grow without bound or does not fit, and count the refusals', async () => {
    const metrics = createMetrics()
    for (let index = 0; index < 1_000; index++) metrics.add(`loqa_x${index}_total`)
    for (let index = 0; index < 1_000; index++)
      metrics.observe('loqa_skill_call_ms', 1, { skill: `s${index}` })
    metrics.observe('loqa_dead_letters_total', 1)
    metrics.observe('loqa_voice_latency_ms', 1, { hip: 'total' })
    metrics.add('Not a name')
    metrics.set('loqa_actor_mailbox_depth', Number.NaN)
    expect(metrics.refused).toBe(1_000 - 128 + (1_000 - 256) + 4)
    expect((await metrics.text()).length).toBeLessThan(1_000_000)
  })

  it('report the lag since the last scrape and forget it', async () => {
    const metrics = createMetrics()
    let resets = 0
    const watch = {
      read: () => ({ p50_ms: 1, p99_ms: 7, max_ms: 9 }),
      reset: () => {
        resets += 1
      },
      stop: () => undefined,
    }
    reportEventLoop(metrics, watch)
    expect(await metrics.text()).toContain('loqa_event_loop_lag_ms{quantile="0.99"} 7')
    expect(resets).toBe(1)
  })
})
