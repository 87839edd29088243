/**
 * A thing in the house that can be looked at or told to do something, whatever protocol it speaks: what its state is called,
 * which commands it takes and what their values mean.
 */

/** Devices of one house; a skill is given all of them with each call. */
export const MAX_DEVICES = 256

export const DEVICE_KINDS = ['light', 'switch', 'cover', 'climate', 'lock', 'scene', 'sensor'] as const
export type DeviceKind = (typeof DEVICE_KINDS)[number]

/**
 * What is known of a device. Every kind: `available: false` while it is known to be out of reach, `device_class` as Home Assistant names
 * device classes ("garage", "outlet").
 *
 * - light: `on`, `brightness` 1 … 100 %, `kelvin`; `can_dim`, `can_tune` when it takes those commands
 * - switch: `on`
 * - cover: `state` open | closed | opening | closing | stopped, `position` 0 (closed) … 100 (open); `can_position`
 * - climate: `target` and `current` in `unit` (C or F), `mode`; `min`, `max` of what may be wished for
 * - lock: `state` locked | unlocked | locking | unlocking | jammed
 * - sensor: `value` and `unit`, or `on`
 */
export type DeviceState = Readonly<Record<string, string | number | boolean>>

export interface Device {
  /** Stable over restarts, e.g. `light.0x00158d0001`. */
  readonly id: string
  /** As a person says it, e.g. `reading lamp`. */
  readonly name: string
  /** In lower case; empty when nobody said where it stands. */
  readonly room: string
  readonly kind: DeviceKind
  readonly state: DeviceState
}

export type CommandValue = string | number | boolean | undefined

/**
 * The commands of each kind. Values: `set_brightness` and `set_position` in percent, `set_kelvin` in kelvin, `set_temperature` in the
 * device's own unit, `set_mode` one of its modes; the others take none.
 */
export const COMMANDS: Readonly<Record<DeviceKind, readonly string[]>> = {
  light: ['on', 'off', 'set_brightness', 'set_kelvin'],
  switch: ['on', 'off'],
  cover: ['open', 'close', 'stop', 'set_position'],
  climate: ['set_temperature', 'set_mode'],
  lock: ['lock', 'unlock'],
  scene: ['start'],
  sensor: [],
}

/** One message to a broker. */
export interface Publish {
  readonly topic: string
  readonly payload: string
}

/** What a command comes to: messages, and what is then true of a device that does not report its state. */
export interface Told {
  readonly publish: readonly Publish[]
  readonly after?: DeviceState
}

/** Why a device cannot do as told; safe to show. */
export interface Refusal {
  readonly refused: string
}

export const refused = (why: string): Refusal => ({ refused: why })

/** A number in a range, or undefined: values come from skills. */
export function numberIn(value: CommandValue, least: number, most: number): number | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return value >= least && value <= most ? value : undefined
}
