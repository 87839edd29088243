/** A live API on a free loopback port around a scripted view. */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { type ApiParts, type RunningApi, startApi, type VoiceEvent } from '../../src/api/index.ts'
import { realHost } from '../../src/host/real.ts'
import { ScriptedView } from './scripted-view.ts'

export const settings: ApiParts['settings'] = {
  host: '127.0.0.1',
  port: 0,
  allowed_hosts: [],
  allowed_origins: [],
  requests_per_minute: 1_000_000,
  ask_timeout_ms: 5_000,
  max_voice_connections: 64,
  voice_idle_timeout_s: 60,
}

export interface Live {
  readonly view: ScriptedView
  readonly api: RunningApi
  readonly defects: unknown[]
}

export async function live(
  changes: Partial<ApiParts['settings']> = {},
  parts: Partial<Omit<ApiParts, 'settings'>> = {},
): Promise<Live> {
  const view = new ScriptedView()
  const defects: unknown[] = []
  const api = await startApi({
    view,
    clock: realHost().clock,
    settings: { ...settings, ...changes },
    defect: (error) => defects.push(error),
    ...parts,
  })
  return { view, api, defects }
}

/** A satellite that keeps all it is sent. */
export class Satellite {
  readonly socket: WebSocket
  readonly events: (VoiceEvent & Record<string, unknown>)[] = []
  readonly audio: Buffer[] = []
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(url: string, path = '/api/v1/voice', options: { headers?: Record<string, string> } = {}) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, options)
    this.socket.on('error', () => undefined)
    this.socket.on('message', (data: Buffer, binary: boolean) => {
      if (binary) this.audio.push(data)
      else this.events.push(JSON.parse(data.toString()) as VoiceEvent & Record<string, unknown>)
    })
    this.closed = once(this.socket, 'close').then(([code, reason]) => ({
      code: code as number,
      reason: String(reason),
    }))
  }

  /** Resolves with the first event of the type, seen or to come. */
  async event(type: string): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.events.find((event) => event.type === type)
      if (found !== undefined) return found
      await once(this.socket, 'message')
    }
  }
}
