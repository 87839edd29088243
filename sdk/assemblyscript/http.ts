/**
 * Asks a server the manifest names. The answer comes later, as `heard` with the same id. A header may hold `{secret:NAME}`: the node
 * puts the secret in its place, and the skill never sees it.
 */
import { http_send } from './imports'
import { quote } from './json'
import { give } from './text'

export class Request {
  private headers: string[] = []
  private body: string = ''

  constructor(private method: string, private url: string) {}

  header(name: string, value: string): Request {
    this.headers.push(quote(name) + ':' + quote(value))
    return this
  }

  text(body: string): Request {
    this.body = ',"body":' + quote(body)
    return this
  }

  /** False: too many in one call. */
  send(id: string): bool {
    const json =
      '{"id":' + quote(id) + ',"method":' + quote(this.method) + ',"url":' + quote(this.url) +
      ',"headers":{' + this.headers.join(',') + '}' + this.body + '}'
    return http_send(give(json)) == 0
  }
}

export function get(id: string, url: string): bool {
  return new Request('GET', url).send(id)
}
