/** The time of day and the calendar where the node lives. Time stands still during a call. */
import { clock_now, clock_offset } from './imports'

const DAY_MS: i64 = 86_400_000

/** Local time as on a clock on the wall. */
export class LocalTime {
  /** Days since 1 January 1970. */
  days: i64 = 0
  year: i32 = 0
  /** 1 … 12. */
  month: i32 = 0
  /** 1 … 31. */
  day: i32 = 0
  /** 0 is Sunday. */
  weekday: i32 = 0
  hour: i32 = 0
  minute: i32 = 0
}

/** Local time now, or at this time of day some days later. */
export function local(daysLater: i32 = 0): LocalTime {
  const local_ms = clock_now() + i64(clock_offset()) * 60_000 + i64(daysLater) * DAY_MS
  const days = floorDivide(local_ms, DAY_MS)
  const minutes = i32((local_ms - days * DAY_MS) / 60_000)
  const time = fromDays(days)
  time.hour = minutes / 60
  time.minute = minutes % 60
  return time
}

/** The proleptic Gregorian date of a day (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
export function fromDays(days: i64): LocalTime {
  const shifted = days + 719_468
  const era = floorDivide(shifted, 146_097)
  const dayOfEra = i32(shifted - era * 146_097)
  const yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  const marchMonth = (5 * dayOfYear + 2) / 153

  const time = new LocalTime()
  time.days = days
  time.day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
  time.month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  time.year = i32(era * 400) + yearOfEra + (time.month <= 2 ? 1 : 0)
  time.weekday = i32(floorModulo(days + 4, 7))
  return time
}

function floorDivide(value: i64, by: i64): i64 {
  const quotient = value / by
  return value % by < 0 ? quotient - 1 : quotient
}

function floorModulo(value: i64, by: i64): i64 {
  return value - floorDivide(value, by) * by
}
