/** What the household chose for the skill's settings; the defaults of its manifest otherwise. */
import { config_get } from './imports'
import { give, take } from './text'

/** As text; empty when the manifest names no such setting. */
export function text(key: string): string {
  const offset = config_get(give(key))
  return offset == 0 ? '' : take(offset)
}

export function number(key: string): f64 {
  return parseFloat(text(key))
}

export function flag(key: string): bool {
  return text(key) == 'true'
}
