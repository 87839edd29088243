/** What the flags of `loqa-node`, and `--config`, `--preset` and `--set` of others, ask of the configuration. Pure. */
import type { OptionSpec } from './call.ts'
import { nodeFlags } from './options.ts'

export interface NodeRequest {
  readonly flags: readonly { readonly path: string; readonly value: unknown; readonly flag: string }[]
  readonly file?: string
  readonly preset?: string
  readonly restore?: string
}

/** The flags that stand for keys, and `--set`. */
export function nodeRequest(options: Readonly<Record<string, unknown>>): NodeRequest {
  const flags = nodeFlags.flatMap((spec) => {
    const { flag, attribute } = namesOf(spec)
    const value = options[attribute]
    return spec.key === undefined || value === undefined ? [] : [{ path: spec.key, value, flag }]
  })
  const set = (options.set ?? []) as readonly string[]
  return {
    flags: [...flags, ...set.map(assignment)],
    ...(typeof options.config === 'string' ? { file: options.config } : {}),
    ...(typeof options.preset === 'string' ? { preset: options.preset } : {}),
    ...(typeof options.restore === 'string' ? { restore: options.restore } : {}),
  }
}

function assignment(text: string): { path: string; value: string; flag: string } {
  const equals = text.indexOf('=')
  return equals === -1
    ? { path: text, value: '', flag: '--set' }
    : { path: text.slice(0, equals).trim(), value: text.slice(equals + 1), flag: '--set' }
}

/** `--http-port <port>` → flag `--http-port`, attribute `httpPort`. */
function namesOf(spec: OptionSpec): { flag: string; attribute: string } {
  const flag = /--[a-z-]+/.exec(spec.flags)![0]
  return {
    flag,
    attribute: flag.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  }
}
