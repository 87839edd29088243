/** Connects what actors and parts report to the log, the metrics, the audit chain and, if there is one, the collector of spans. */
import type { Observe, Runtime } from '../actors/index.ts'
import type { Config } from '../config.ts'
import { type Host, type NodeId, VERSION } from '../host/index.ts'
import { realHttp } from '../host/real-http.ts'
import { type Audit, type Log, type Metrics, SpanSender } from '../observe/index.ts'

/** What the runtime tells; behaviours' texts are static, values are attributes, personal ones under `pii.`. */
export function observeWith(
  log: Log,
  metrics: Metrics,
  audit: Audit,
  timeline: NonNullable<Observe['timeline']>,
): Observe {
  return {
    timeline,
    log: (level, message, values, actor) =>
      log[level](message, actor === undefined ? values : { ...values, actor: actor.address }),
    metric({ name, add, observe, labels }) {
      if (add !== undefined) metrics.add(name, add, labels)
      if (observe !== undefined) metrics.observe(name, observe, labels)
    },
    audit({ what, object, outcome }, actor) {
      audit
        .append({ actor: actor.address, who: '-', what, object, outcome })
        .catch((error: unknown) => log.error('An audit record could not be written', { error }))
    },
  }
}

/** What a part of the node that is no actor has to note, about a skill unless it says of what. */
export function noteIn(
  audit: Audit,
  log: Log,
  {
    actor = 'skills',
    what,
    object,
    outcome,
  }: { actor?: string; what: string; object: string; outcome: string },
): void {
  audit
    .append({ actor, who: '-', what, object, outcome })
    .catch((error: unknown) => log.error('An audit record could not be written', { error }))
}

/** Gauges that are read when somebody looks, rather than pushed. */
export function reportRuntime(metrics: Metrics, runtime: Runtime, connections: () => number): void {
  metrics.onScrape(() => {
    metrics.set('loqa_actor_mailbox_depth', runtime.waiting())
    metrics.set('loqa_voice_connections', connections())
  })
}

/** Undefined: `observe.otlp_url` names no collector. */
export function spansOut({
  host,
  config,
  identity,
  log,
  metrics,
}: {
  readonly host: Pick<Host, 'clock'>
  readonly config: Config
  readonly identity: { readonly id: NodeId }
  readonly log: Log
  readonly metrics: Metrics
}): SpanSender | undefined {
  const url = config.observe.otlp_url
  if (url === '') return undefined
  const resource = {
    'service.name': 'loqa-node',
    'service.version': VERSION,
    'service.instance.id': identity.id,
  }
  return new SpanSender({ ...{ clock: host.clock, door: realHttp, url, resource, log, metrics } })
}
