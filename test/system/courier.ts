/** A skill for tests that span nodes: it keeps a word, asks a server, and wants to do something critical. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSkill } from '../../sdk/build.ts'

const SOURCE = `
import { config, Heard, http, Invocation, announce, personal, say, silence, storage } from '../../../sdk/assemblyscript'
export function handle(): i32 {
  const invocation = Invocation.read()
  const word = invocation.text('word')
  if (invocation.verb == 'keep') { storage.put('word', word); return say('Kept ' + word + '.') }
  if (invocation.verb == 'recall') {
    const kept = storage.get('word')
    return say(kept === null ? 'Nothing is kept.' : 'It was ' + kept + '.')
  }
  if (invocation.verb == 'mine') {
    const before = personal.get('word')
    personal.put('word', word)
    return say(before === null ? 'You had none.' : 'You had ' + before + '.')
  }
  if (invocation.verb == 'burn') { storage.put('word', 'ashes'); return say('Burnt.') }
  const request = new http.Request('GET', config.text('server') + '/' + invocation.verb)
  request.header('Authorization', 'Bearer {secret:token}')
  return request.send('answer') ? say('On my way.') : say('I cannot.')
}
export function heard(): i32 {
  const heard = Heard.read()
  storage.put('word', heard.ok ? heard.text : heard.code)
  announce(heard.ok ? 'It says ' + heard.text + '.' : 'No answer: ' + heard.code, heard.room)
  return silence()
}
`

/** Writes its folder into `root`; it may ask the server on this port of this machine. */
export async function writeCourier(root: string, port: number): Promise<void> {
  const folder = join(root, 'courier')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'courier.wasm'), await buildSkill('courier', SOURCE))
  writeFileSync(
    join(folder, 'skill.yaml'),
    `name: courier
version: 0.1.0
publisher: tester
licence: MIT
summary: Keeps a word and carries it about.
zone: 3
module: courier.wasm
permissions:
  - { use: storage, why: "keeps the word" }
  - { use: http, why: "asks the server" }
  - { use: speak, why: "tells what came" }
  - { use: personal, why: "keeps a word for each" }
http: { hosts: ["127.0.0.1:${port}"], private: true }
config:
  server: { type: string, default: "http://127.0.0.1:${port}", summary: "Where to ask." }
secrets: [token]
budgets: { call_ms: 1000, memory_kb: 1024, host_calls: 64, storage_kb: 4 }
types:
  word: { alpha: [], bravo: [], charlie: [] }
intents:
  courier.keep: { slots: { word: { type: word } }, templates: ["courier keep {word}"] }
  courier.recall: { templates: ["courier recall"] }
  courier.mine: { slots: { word: { type: word } }, templates: ["courier mine is {word}"] }
  courier.burn: { risk: critical, templates: ["courier burn"] }
  courier.fetch: { idempotent: true, templates: ["courier fetch"] }
  courier.order: { templates: ["courier order"] }
`,
  )
}
