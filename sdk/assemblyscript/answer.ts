/** What a skill says. Each of these ends the call: `return say("Done.")`. Speech too long to listen to is cut (`speakable`). */
import { Host } from '@extism/as-pdk'
import { quote } from './json'
import { speakable } from './words'

/** Says it; the turn is over. */
export function say(speech: string): i32 {
  return output('{"speech":' + quote(speakable(speech)) + '}')
}

/** Says it and waits for the person to name the slot; the intent then comes again with it. */
export function ask(slot: string, speech: string): i32 {
  return output('{"speech":' + quote(speakable(speech)) + ',"follow_up":{"slot":' + quote(slot) + '}}')
}

/** Says it and waits for yes or no; after a yes the intent comes again, confirmed. */
export function confirm(speech: string): i32 {
  return output('{"speech":' + quote(speakable(speech)) + ',"follow_up":{"confirm":true}}')
}

/** Says nothing: for `due`, when the announcement was all. */
export function silence(): i32 {
  return output('{}')
}

function output(json: string): i32 {
  // Not `outputString`, which in @extism/as-pdk 1.0.0 counts characters where it should count bytes.
  Host.output(Uint8Array.wrap(String.UTF8.encode(json)))
  return 0
}
