/** Modules that attack their host, as WebAssembly text, and skill folders made of them. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import binaryen from 'binaryen'

/** Kernel and host functions with their signatures, as a module imports them. */
const IMPORTS: Readonly<Record<string, string>> = {
  alloc: '(param i64) (result i64)',
  length: '(param i64) (result i64)',
  free: '(param i64)',
  load_u8: '(param i64) (result i32)',
  load_u64: '(param i64) (result i64)',
  store_u8: '(param i64 i32)',
  store_u64: '(param i64 i64)',
  input_load_u8: '(param i64) (result i32)',
  output_set: '(param i64 i64)',
  error_set: '(param i64)',
  var_set: '(param i64 i64)',
  config_get: '(param i64) (result i64)',
  log_info: '(param i64)',
  http_request: '(param i64 i64) (result i64)',
  storage_get: '(param i64) (result i64)',
  storage_put: '(param i64 i64) (result i32)',
  storage_list: '(param i64) (result i64)',
  timer_set: '(param i64 i64) (result i32)',
  clock_now: '(result i64)',
  http_send: '(param i64) (result i32)',
}

const HOST = new Set(['storage_get', 'storage_put', 'storage_list', 'timer_set', 'clock_now', 'http_send'])

/** A module with these imports, this `handle` (it must leave an i32), and whatever else. */
export function moduleOf(imports: readonly string[], handle: string, rest = '(memory 1)'): Uint8Array {
  const lines = imports.map((name) => {
    const from = HOST.has(name) ? 'extism:host/user' : 'extism:host/env'
    return `(import "${from}" "${name}" (func $${name} ${IMPORTS[name]!}))`
  })
  return assemble(`(module ${lines.join('\n')} ${rest} (func (export "handle") (result i32) ${handle}))`)
}

export function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text)
  module.setFeatures(binaryen.Features.All)
  const bytes = module.emitBinary()
  module.dispose()
  return bytes
}

/** A module that outputs this text. */
export function saying(output: string): Uint8Array {
  const bytes = [...new TextEncoder().encode(output)]
  const data = bytes.map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
  return moduleOf(
    ['alloc', 'store_u8', 'output_set'],
    `(local $at i32) (local $block i64)
     (local.set $block (call $alloc (i64.const ${bytes.length})))
     (loop $next
       (call $store_u8
         (i64.add (local.get $block) (i64.extend_i32_u (local.get $at)))
         (i32.load8_u (local.get $at)))
       (local.set $at (i32.add (local.get $at) (i32.const 1)))
       (br_if $next (i32.lt_u (local.get $at) (i32.const ${bytes.length}))))
     (call $output_set (local.get $block) (i64.const ${bytes.length}))
     (i32.const 0)`,
    `(memory 1) (data (i32.const 0) "${data}")`,
  )
}

export interface FolderOptions {
  readonly permissions?: readonly string[]
  readonly zone?: 1 | 2 | 3
  readonly call_ms?: number
  /** Hosts it is granted. */
  readonly http?: readonly string[]
  readonly sentence?: string
}

/** Writes a skill's folder into `root`. */
export function writeSkill(
  root: string,
  name: string,
  module: Uint8Array,
  options: FolderOptions = {},
): void {
  const permissions = (options.permissions ?? ['storage']).map((use) => `  - { use: ${use}, why: "attacks" }`)
  const manifest = [
    `name: ${name}`,
    'version: 0.0.1',
    'publisher: stranger',
    'licence: none',
    'summary: Attacks its host.',
    `zone: ${options.zone ?? 2}`,
    `module: ${name}.wasm`,
    permissions.length === 0 ? 'permissions: []' : `permissions:\n${permissions.join('\n')}`,
    `budgets: { call_ms: ${options.call_ms ?? 1_000}, memory_kb: 1024, host_calls: 64, storage_kb: 16 }`,
    ...(options.http === undefined ? [] : [`http: { hosts: [${options.http.join(', ')}] }`]),
    `intents:\n  ${name}.go: { templates: ["${options.sentence ?? `${name} go`}"] }`,
  ]
  mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, name, 'skill.yaml'), `${manifest.join('\n')}\n`)
  writeFileSync(join(root, name, `${name}.wasm`), module)
}
