/** Where devices come from: a broker, or Home Assistant itself. */
import type { CommandValue, Device } from './device.ts'

export interface SourceStatus {
  /** For people: `mqtt://broker.lan:1883`. Without credentials. */
  readonly source: string
  readonly state: 'connecting' | 'connected' | 'away'
  /** Why it is away, in words. */
  readonly reason: string | null
  readonly devices: number
  /** What was announced and cannot be used, and why. */
  readonly problems: readonly string[]
}

export interface DeviceSource {
  status(): SourceStatus
  devices(): readonly Device[]
  /**
   * Resolves when the command was taken: the device itself tells its state when it has followed.
   * Errors: `DeviceError`; nothing is sent later that was not sent now.
   */
  command(device: string, command: string, value: CommandValue): Promise<void>
  stop(): Promise<void>
}

/** A command that was not taken in this time was not: a person waits for the answer. */
export const COMMAND_TIMEOUT_MS = 2_000
