/**
 * What a skill can have done outside the actors: devices, http, the language model. Each is a door that another part of the
 * node builds and hands to `loadSkills`; a node without one refuses such calls in words. Types only.
 *
 * Whoever carries these out has been told by the hub what the skill was granted: the sandbox's word is never taken for it.
 */

export const DEVICE_KINDS = ['light', 'switch', 'cover', 'climate', 'lock', 'scene', 'sensor'] as const
export type DeviceKind = (typeof DEVICE_KINDS)[number]

/** A thing in the house as a skill sees it. */
export interface Device {
  /** Unique in the house and lasting: what a command names. */
  readonly id: string
  /** As people call it: "ceiling light", "front door". */
  readonly name: string
  /** Empty when it is in no room. */
  readonly room: string
  readonly kind: DeviceKind
  readonly state: Readonly<Record<string, string | number | boolean>>
}

/** Devices that travel with a call; a house that has more tells the first. */
export const MAX_DEVICES = 256

export type DeviceValue = string | number | boolean

export interface DevicePort {
  /** What is known now. Cheap: it is asked before every call of a skill with `devices`. At most `MAX_DEVICES`. */
  list(): readonly Device[]
  /**
   * Settles when the device was told, or has said that it did it, where it can. Errors: `LoqaError`, its message fit to be
   * shown: `device-unknown`, `device-refused` (no such command for it), `device-unreachable` (retryable).
   */
  command(device: string, command: string, value: DeviceValue | undefined): Promise<void>
}

export const HTTP_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type HttpMethod = (typeof HTTP_METHODS)[number]

/** As a skill asks for it; headers hold the secrets already. */
export interface HttpRequest {
  readonly method: HttpMethod
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Text; absent for none. */
  readonly body?: string
}

/** Where a skill may go: its manifest's `http`, as granted. */
export interface HttpGrant {
  /** Host names without port, or `*.example.org` for all below it. */
  readonly hosts: readonly string[]
  /** Also addresses of this house and this machine. */
  readonly private: boolean
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case; only those a skill is told. */
  readonly headers: Readonly<Record<string, string>>
  /** Decoded as UTF-8. */
  readonly body: string
}

export interface HttpPort {
  /** Errors: `LoqaError` `http-refused` (not allowed, says why), `http-failed`, `http-too-large`, `timeout`. */
  request(request: HttpRequest, grant: HttpGrant, signal: AbortSignal): Promise<HttpAnswer>
}

export interface LanguageRequest {
  readonly prompt: string
  readonly max_tokens: number
}

export interface LanguageAnswer {
  readonly text: string
  /** Of prompt and answer together: what counts against the skill's budget. */
  readonly tokens: number
}

export interface LanguagePort {
  /** Errors: as engines fail, `LoqaError`. */
  complete(request: LanguageRequest, signal: AbortSignal): Promise<LanguageAnswer>
}

/** What the household chose for one skill. */
export interface SkillSettings {
  readonly config: Readonly<Record<string, string | number | boolean>>
  /** Never leaves the node's own process: it is put into a request where the skill names it. */
  readonly secrets: Readonly<Record<string, string>>
}

export interface SettingsPort {
  /** Cheap: it is asked before every call. */
  of(skill: string): SkillSettings
}

/** The doors of one node; an absent one is refused in words. */
export interface HostPorts {
  readonly settings?: SettingsPort
  readonly devices?: DevicePort
  readonly http?: HttpPort
  readonly language?: LanguagePort
}
