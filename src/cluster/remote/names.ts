/**
 * Numbers for what repeats on a link. The sender gives a number when a name is first used and tells it in a row before; when all
 * are given it begins anew, which is safe because rows of a link are read in the order of writing.
 */
import { keyOf, type Ref, type Target } from '../../actors/index.ts'
import { MAX_LABELS, MAX_NAMES } from './bounds.ts'
import type { Label } from './face.ts'
import { ROW } from './wire.ts'

/** The row goes out before any that uses the number. False: it was not taken, so the number does not count. */
type Tell = (row: readonly unknown[]) => boolean

export const DEFAULT_LABEL: Label = Object.freeze({
  trace_id: 'none',
  session_id: null,
  capability_tier: 'balanced',
  privacy_scope: 'session',
})

/** The sender's side. */
export class Naming {
  readonly #tell: Tell
  /** By the object itself, which is quick, and by what it says. */
  #places = new Map<Target, number>()
  #refs = new Map<string, number>()
  #labels = new Map<string, number>()
  #given = 0
  #labelsGiven = 0

  constructor(tell: Tell) {
    this.#tell = tell
  }

  /** The number of an address or ref; 0 for nobody, −1 when it could not be named. */
  of(target: Target | undefined): number {
    if (target === undefined) return 0
    return this.#places.get(target) ?? this.#name(target)
  }

  label(label: Label | undefined): number {
    if (label === undefined) return 0
    const { trace_id, session_id, capability_tier, privacy_scope } = label
    const key = `${trace_id} ${session_id ?? ''} ${capability_tier} ${privacy_scope}`
    const known = this.#labels.get(key)
    if (known !== undefined) return known
    if (this.#labelsGiven === MAX_LABELS) {
      this.#labels = new Map()
      this.#labelsGiven = 0
    }
    const place = this.#labelsGiven + 1
    if (!this.#tell([ROW.label, place, trace_id, session_id, capability_tier, privacy_scope])) return -1
    this.#labelsGiven = place
    this.#labels.set(key, place)
    return place
  }

  #name(target: Target): number {
    const ref = typeof target === 'string' ? undefined : target
    const key = ref === undefined ? '' : keyOf(ref)
    const known = ref === undefined ? undefined : this.#refs.get(key)
    if (known !== undefined) {
      // Copies of a ref are as many as messages: they are not remembered for ever.
      if (this.#places.size < 4 * MAX_NAMES) this.#places.set(target, known)
      return known
    }
    if (this.#given === MAX_NAMES) {
      this.#places = new Map()
      this.#refs = new Map()
      this.#given = 0
    }
    const place = this.#given + 1
    const address = ref?.address ?? (target as string)
    if (!this.#tell([ROW.name, place, address, ref?.incarnation ?? null])) return -1
    this.#given = place
    this.#places.set(target, place)
    if (ref !== undefined) this.#refs.set(key, place)
    return place
  }
}

/** The receiver's side. */
export class Named {
  readonly #targets: (Target | undefined)[] = [undefined]
  readonly #labels: (Label | undefined)[] = [DEFAULT_LABEL]

  name(place: number, address: string, incarnation: number | null): void {
    const known = address as Ref['address']
    this.#targets[place] = incarnation === null ? known : { address: known, incarnation }
  }

  label(place: number, label: Label): void {
    this.#labels[place] = label
  }

  target(place: number): Target | undefined {
    return this.#targets[place]
  }

  /** A sender: always a ref. */
  ref(place: number): Ref | undefined {
    const target = this.#targets[place]
    return typeof target === 'string' ? { address: target, incarnation: 0 } : target
  }

  labelAt(place: number): Label | undefined {
    return this.#labels[place]
  }
}
