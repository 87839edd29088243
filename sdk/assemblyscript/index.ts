/**
 * Loqa's kit for skills in AssemblyScript. A skill is up to three functions: `handle` carries out an intent, `due` is told
 * that a timer rang, `heard` what came of something that took time (http, the language model, a question). All return what
 * `say`, `ask`, `confirm` or `silence` return.
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
export { DueTimer, Heard, Invocation } from './invocation'
export { announce } from './speaker'
export { count, durationAdjective, durationWords, joinWords, numberWords, ordinalWords, sentence, speakable } from './words'

import * as cards from './cards'
import * as clock from './clock'
import * as config from './config'
import * as devices from './devices'
import * as http from './http'
import * as language from './language'
import * as personal from './personal'
import * as questions from './questions'
import * as random from './random'
import * as storage from './storage'
import * as timers from './timers'
import * as topics from './topics'
export { cards, clock, config, devices, http, language, personal, questions, random, storage, timers, topics }
