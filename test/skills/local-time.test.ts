import { expect, it } from 'vitest'
import { wall } from '../../src/host/index.ts'
import { zoneOffset } from '../../src/skills/local-time.ts'

it.each([
  ['UTC', Date.UTC(2026, 6, 1), 0],
  ['Europe/Berlin', Date.UTC(2026, 0, 1), 60],
  ['Europe/Berlin', Date.UTC(2026, 6, 1), 120],
  // The hour that is skipped in spring and the one that comes twice in autumn.
  ['Europe/Berlin', Date.UTC(2026, 2, 29, 0, 59, 59, 999), 60],
  ['Europe/Berlin', Date.UTC(2026, 2, 29, 1), 120],
  ['Europe/Berlin', Date.UTC(2026, 9, 25, 0, 59), 120],
  ['Europe/Berlin', Date.UTC(2026, 9, 25, 1), 60],
  ['Asia/Kolkata', Date.UTC(2026, 6, 1), 330],
  ['Pacific/Kiritimati', Date.UTC(2026, 6, 1, 12), 840],
  ['America/St_Johns', Date.UTC(2026, 0, 1), -210],
])('%s is ahead of UTC at %d by %d minutes', (zone, at, minutes) => {
  expect(zoneOffset(wall(at + 0.4), zone)).toBe(minutes)
})

it('refuses a zone that does not exist', () => {
  expect(() => zoneOffset(wall(0), 'Atlantis/Capital')).toThrow(RangeError)
})
