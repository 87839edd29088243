/**
 * What a skill can be granted, and which functions each grant lets its module import. Names and signatures are the
 * skill's binary interface: append only. Offsets are Extism's: an i64 naming a block in the kernel's memory, 0 for none.
 */

/** A permission a manifest can ask for. */
export const PERMISSIONS = [
  'storage',
  'timers',
  'speak',
  'clock',
  'random',
  /** See the devices of the house and command them. */
  'devices',
  /** Ask servers, those its manifest names. */
  'http',
  /** Say something on a topic its manifest names, and hear what others say there. */
  'topics',
  /** Ask the language model of the house. */
  'language',
  /** Ask a person something without having been asked. */
  'question',
  /** Show something without having been asked. */
  'cards',
  /** Keep something for each person apart. */
  'personal',
] as const
export type Permission = (typeof PERMISSIONS)[number]

/** Where our own functions are imported from: Extism's name for what the host adds. */
export const HOST_MODULE = 'extism:host/user'
/** Where Extism's kernel functions are imported from. */
export const KERNEL_MODULE = 'extism:host/env'

export const HOST_FUNCTIONS: Readonly<Record<Permission, readonly string[]>> = {
  storage: ['storage_get', 'storage_put', 'storage_delete', 'storage_list'],
  timers: ['timer_set', 'timer_cancel', 'timer_left', 'timer_list'],
  speak: ['announce'],
  clock: ['clock_now', 'clock_offset'],
  random: ['random'],
  devices: ['device_list', 'device_command'],
  http: ['http_send'],
  topics: ['topic_publish'],
  language: ['language_ask'],
  question: ['question_ask'],
  cards: ['card_update'],
  personal: ['personal_get', 'personal_put', 'personal_delete', 'personal_list'],
}

/** Who was granted these is told what came of it, and must be able to hear. */
const HEARD_BACK: ReadonlySet<Permission> = new Set(['http', 'topics', 'language', 'question'])

/** Functions a module with these permissions must export. */
export function neededExports(permissions: readonly Permission[]): readonly string[] {
  return [
    'handle',
    ...(permissions.includes('timers') ? ['due'] : []),
    ...(permissions.some((one) => HEARD_BACK.has(one)) ? ['heard'] : []),
  ]
}

/** Memory, input, output, error, settings, variables and log: without these no module can say anything. */
export const KERNEL_FUNCTIONS: readonly string[] = [
  'alloc',
  'free',
  'length',
  'length_unsafe',
  'load_u8',
  'load_u64',
  'store_u8',
  'store_u64',
  'input_offset',
  'input_length',
  'input_load_u8',
  'input_load_u64',
  'output_set',
  'error_set',
  'config_get',
  'var_get',
  'var_set',
  'log_trace',
  'log_debug',
  'log_info',
  'log_warn',
  'log_error',
  'get_log_level',
]

/** Every import a module with these permissions may have, as `module.name`. */
export function grantedImports(permissions: readonly Permission[]): ReadonlySet<string> {
  const granted = new Set(KERNEL_FUNCTIONS.map((name) => `${KERNEL_MODULE}.${name}`))
  // Where AssemblyScript reports a failed assertion; ends the call and does nothing else.
  granted.add('env.abort')
  for (const permission of permissions) {
    for (const name of HOST_FUNCTIONS[permission]) granted.add(`${HOST_MODULE}.${name}`)
  }
  return granted
}
