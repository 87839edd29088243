/** Gives a module its imports for one call: kernel and host functions, granted ones only, each call counted. */
import type { Permission } from '../../permissions.ts'
import { HOST_FUNCTIONS, HOST_MODULE, KERNEL_MODULE } from '../../permissions.ts'
import type { HostCalls } from '../hostcalls.ts'
import type { Budget } from '../protocol.ts'
import { type Kernel, Stop } from './kernel.ts'

type HostFunction = (...args: never[]) => unknown

export function bindImports(
  kernel: Kernel,
  host: HostCalls,
  permissions: readonly Permission[],
  budget: Budget,
): WebAssembly.Imports {
  const all = hostFunctions(kernel, host)
  let used = 0
  const counted = (run: HostFunction) =>
    ((...args: never[]) => {
      used += 1
      if (used > budget.host_calls) {
        throw new Stop('skill-budget', `it made more than ${budget.host_calls} host calls`)
      }
      return run(...args)
    }) as HostFunction

  const granted: Record<string, HostFunction> = {}
  for (const permission of permissions) {
    for (const name of HOST_FUNCTIONS[permission]) granted[name] = counted(all[name]!)
  }
  const imports: Record<string, Record<string, HostFunction>> = {
    [KERNEL_MODULE]: {
      ...(kernel.imports() as Record<string, HostFunction>),
      config_get: (key: bigint) => {
        const value = host.setting(kernel.text(key))
        return value === undefined ? 0n : kernel.put(value)
      },
    },
    [HOST_MODULE]: granted,
    // AssemblyScript's runtime reports a failed assertion here.
    env: {
      abort: () => {
        throw new Stop('skill-trapped', kernel.error ?? 'it aborted')
      },
    },
  }
  return imports as WebAssembly.Imports
}

function hostFunctions(kernel: Kernel, host: HostCalls): Record<string, HostFunction> {
  const text = (offset: bigint): string => kernel.text(offset)
  const optional = (offset: bigint): string => (offset === 0n ? '' : kernel.text(offset))
  /** Names one per line: they hold no line breaks because the skill itself chose them. */
  const lines = (names: readonly string[]): bigint => kernel.put(names.join('\n'))

  return {
    storage_get: (key: bigint) => {
      const value = host.get(text(key))
      return value === undefined ? 0n : kernel.put(value)
    },
    storage_put: (key: bigint, value: bigint) => host.put(text(key), text(value)),
    storage_delete: (key: bigint) => host.delete(text(key)),
    storage_list: (prefix: bigint) => lines(host.keys(optional(prefix))),
    timer_set: (timer: bigint, delay_ms: bigint) => host.setTimer(text(timer), Number(delay_ms)),
    timer_cancel: (timer: bigint) => host.cancelTimer(text(timer)),
    timer_left: (timer: bigint) => BigInt(Math.ceil(host.timerLeft(text(timer)))),
    timer_list: () => lines(host.timers()),
    announce: (speech: bigint, room: bigint, session: bigint) =>
      host.announce(text(speech), optional(room), optional(session)),
    clock_now: () => BigInt(host.wall_ms()),
    clock_offset: () => host.offset_min(),
    random: () => host.random() | 0,
    device_list: () => kernel.put(JSON.stringify(host.devices())),
    device_command: (json: bigint) => host.reachOut('device', text(json)),
    http_send: (json: bigint) => host.reachOut('http', text(json)),
    topic_publish: (json: bigint) => host.reachOut('publish', text(json)),
    language_ask: (json: bigint) => host.reachOut('language', text(json)),
    question_ask: (json: bigint) => host.reachOut('question', text(json)),
    card_update: (json: bigint) => host.reachOut('card', text(json)),
    personal_get: (key: bigint) => {
      const value = host.getPersonal(text(key))
      return value === undefined ? 0n : kernel.put(value)
    },
    personal_put: (key: bigint, value: bigint) => host.putPersonal(text(key), text(value)),
    personal_delete: (key: bigint) => host.deletePersonal(text(key)),
    personal_list: (prefix: bigint) => lines(host.personalKeys(optional(prefix))),
  }
}
