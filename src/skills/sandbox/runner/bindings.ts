/** Gives a module its imports: kernel and host functions, granted ones only, each call of one counted. Bound once, they serve one call after the other. */
import type { Permission } from '../../permissions.ts'
import { HOST_FUNCTIONS, HOST_MODULE, KERNEL_MODULE } from '../../permissions.ts'
import type { HostCalls } from '../hostcalls.ts'
import type { Budget } from '../protocol.ts'
import { type Kernel, kernelFunctions, Stop } from './kernel.ts'

type HostFunction = (...args: never[]) => unknown

/** The call under way. Whoever bound the functions sets it anew for each. */
export interface Serving {
  kernel: Kernel
  host: HostCalls
  /** Host calls it made. */
  used: number
}

export const serving = (kernel: Kernel, host: HostCalls): Serving => ({ kernel, host, used: 0 })

export function bindImports(
  now: Serving,
  permissions: readonly Permission[],
  budget: Budget,
): WebAssembly.Imports {
  const all = hostFunctions(now)
  // No function of a skill's takes more than three; a list of arguments made for each call costs more than the call.
  const counted = (run: (a: never, b: never, c: never) => unknown) =>
    ((a: never, b: never, c: never) => {
      now.used += 1
      if (now.used > budget.host_calls) {
        throw new Stop('skill-budget', `it made more than ${budget.host_calls} host calls`)
      }
      return run(a, b, c)
    }) as HostFunction

  const granted: Record<string, HostFunction> = {}
  for (const permission of permissions) {
    for (const name of HOST_FUNCTIONS[permission]) granted[name] = counted(all[name]!)
  }
  const imports: Record<string, Record<string, HostFunction>> = {
    [KERNEL_MODULE]: {
      ...kernelFunctions(now),
      config_get: (key: bigint) => {
        const value = now.host.setting(now.kernel.text(key))
        return value === undefined ? 0n : now.kernel.put(value)
      },
    },
    [HOST_MODULE]: granted,
    // AssemblyScript's runtime reports a failed assertion here.
    env: {
      abort: () => {
        throw new Stop('skill-trapped', now.kernel.error ?? 'it aborted')
      },
    },
  }
  return imports as WebAssembly.Imports
}

function hostFunctions(now: Serving): Record<string, HostFunction> {
  const text = (offset: bigint): string => now.kernel.text(offset)
  const optional = (offset: bigint): string => (offset === 0n ? '' : now.kernel.text(offset))
  /** Names one per line: they hold no line breaks because the skill itself chose them. */
  const lines = (names: readonly string[]): bigint => now.kernel.put(names.join('\n'))

  return {
    storage_get: (key: bigint) => {
      const value = now.host.get(text(key))
      return value === undefined ? 0n : now.kernel.put(value)
    },
    storage_put: (key: bigint, value: bigint) => now.host.put(text(key), text(value)),
    storage_delete: (key: bigint) => now.host.delete(text(key)),
    storage_list: (prefix: bigint) => lines(now.host.keys(optional(prefix))),
    timer_set: (timer: bigint, delay_ms: bigint) => now.host.setTimer(text(timer), Number(delay_ms)),
    timer_cancel: (timer: bigint) => now.host.cancelTimer(text(timer)),
    timer_left: (timer: bigint) => BigInt(Math.ceil(now.host.timerLeft(text(timer)))),
    timer_list: () => lines(now.host.timers()),
    announce: (speech: bigint, room: bigint, session: bigint) =>
      now.host.announce(text(speech), optional(room), optional(session)),
    clock_now: () => BigInt(now.host.wall_ms()),
    clock_offset: () => now.host.offset_min(),
    random: () => now.host.random() | 0,
    device_list: () => now.kernel.put(JSON.stringify(now.host.devices())),
    device_command: (json: bigint) => now.host.reachOut('device', text(json)),
    http_send: (json: bigint) => now.host.reachOut('http', text(json)),
    topic_publish: (json: bigint) => now.host.reachOut('publish', text(json)),
    language_ask: (json: bigint) => now.host.reachOut('language', text(json)),
    question_ask: (json: bigint) => now.host.reachOut('question', text(json)),
    card_update: (json: bigint) => now.host.reachOut('card', text(json)),
    personal_get: (key: bigint) => {
      const value = now.host.getPersonal(text(key))
      return value === undefined ? 0n : now.kernel.put(value)
    },
    personal_put: (key: bigint, value: bigint) => now.host.putPersonal(text(key), text(value)),
    personal_delete: (key: bigint) => now.host.deletePersonal(text(key)),
    personal_list: (prefix: bigint) => lines(now.host.personalKeys(optional(prefix))),
  }
}
