/**
 * Loqa's kit for skills in AssemblyScript. A skill is two functions: `handle` carries out an intent, `due` is told that
 * a timer rang; both return what `say`, `ask`, `confirm` or `silence` return.
 *
 *     import { Invocation, say } from 'loqa'
 *     export function handle(): i32 {
 *       return say('Hello from the ' + Invocation.read().room + '.')
 *     }
 *
 * Whatever a call changes (storage, timers, announcements) counts when it ends well, all of it or nothing. Each call
 * starts from a fresh module: variables do not last, storage does.
 */
export { abort } from './abort'
export { ask, confirm, say, silence } from './answer'
export { DueTimer, Invocation } from './invocation'
export { announce } from './speaker'
export { count, durationAdjective, durationWords, joinWords, numberWords, ordinalWords, sentence, speakable } from './words'

import * as clock from './clock'
import * as random from './random'
import * as storage from './storage'
import * as timers from './timers'
export { clock, random, storage, timers }
