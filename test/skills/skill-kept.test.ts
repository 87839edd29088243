/** What a skill makes of entries that other nodes wrote. */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/actors/index.ts'
import { monotonic, nodeId, wall } from '../../src/host/index.ts'
import { HEAR_AGAIN_MS } from '../../src/skills/ringing.ts'
import { absorbed } from '../../src/skills/skill-kept.ts'
import { FRESH, type SkillState } from '../../src/skills/skill-state.ts'

const NOW = 100_000
const context = { now: monotonic(NOW), wall: wall(1_000_000) } as Context
const state = {
  ...FRESH,
  now: { phase: 'idle' },
  args: { node: nodeId('a') },
  house: { nodes: [], caught_up: true },
} as unknown as SkillState

const ripeOf = (late_ms: number, by: string, before: SkillState = state): number => {
  const value = { due_wall: 1_000_000 - late_ms, delay_ms: 5_000, by }
  const changes = [{ change: 'put', key: 'timer/t', value }] as const
  return absorbed(before, { whole: before !== state, changes }, context).kept.timers.t!.ripe - NOW
}

describe('a timer', () => {
  it('first heard of when it was long due waits for the word that it rang where it was set', () => {
    expect(ripeOf(10_000, 'b')).toBe(HEAR_AGAIN_MS)
  })

  it('that is due just now, is set here, or was kept here while nobody was there, does not', () => {
    expect(ripeOf(100, 'b')).toBe(0)
    expect(ripeOf(10_000, 'a')).toBe(0)
    expect(ripeOf(10_000, 'b', { ...state, now: { phase: 'loading' } })).toBe(0)
  })
})
