/** The language model of the house. What it wrote comes later, as `heard` with the same id. */
import { language_ask } from './imports'
import { quote } from './json'
import { give } from './text'

/** False: too many in one call. */
export function ask(id: string, prompt: string, max_tokens: i32 = 128): bool {
  const json = '{"id":' + quote(id) + ',"prompt":' + quote(prompt) + ',"max_tokens":' + max_tokens.toString() + '}'
  return language_ask(give(json)) == 0
}
