/** Local time of a place, as a pure function of the wall clock and the name of the zone. */
import type { Wall } from '../host/index.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * Minutes that local time is ahead of UTC at that moment, daylight saving included.
 * `zone` is an IANA name ("Europe/Berlin"); errors: `RangeError` for an unknown one.
 */
export function zoneOffset(wall: Wall, zone: string): number {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  const fields: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(wall)) fields[type] = Number(value)
  const local = Date.UTC(
    fields.year ?? 1970,
    (fields.month ?? 1) - 1,
    fields.day ?? 1,
    fields.hour ?? 0,
    fields.minute ?? 0,
    fields.second ?? 0,
  )
  return Math.round((local - Math.floor(wall / 1000) * 1000) / 60_000)
}
