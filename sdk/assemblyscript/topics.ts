/** Topics: what skills of one node tell each other. A skill hears those its manifest subscribes to, as `heard`. */
import { topic_publish } from './imports'
import { quote } from './json'
import { give } from './text'

/** False: too many in one call. */
export function publish(topic: string, data: string): bool {
  return topic_publish(give('{"topic":' + quote(topic) + ',"data":' + quote(data) + '}')) == 0
}
