/**
 * What a skill asks for, one short text for each thing, so that what was granted can be compared with what an update asks for; and the
 * same in plain words, for the person who decides.
 */
import type { SkillManifest } from '../manifest/index.ts'
import type { Permission } from '../permissions.ts'

/** e.g. `use:timers`, `host:api.example.com`, `network:private`, `secret:api_key`. Sorted. */
export function asksOf(manifest: SkillManifest): readonly string[] {
  const { permissions, http, topics, secrets = [], handles = [], runtime } = manifest
  return [
    ...permissions.map(({ use }) => `use:${use}`),
    ...(http?.hosts ?? []).map((host) => `host:${host}`),
    ...(http?.private === true ? ['network:private'] : []),
    ...(topics?.publish ?? []).map((topic) => `publish:${topic}`),
    ...(topics?.subscribe ?? []).map((topic) => `subscribe:${topic}`),
    ...secrets.map((secret) => `secret:${secret}`),
    ...handles.map((intent) => `handles:${intent}`),
    ...(runtime === 'native' || runtime === 'container' ? [`runtime:${runtime}`] : []),
  ].sort()
}

export interface PlainAsk {
  readonly ask: string
  /** What that lets it do, a sentence without a full stop. */
  readonly means: string
  /** The reason its manifest gives; empty where it gives none. */
  readonly why: string
  /** Something a person should think about. */
  readonly serious: boolean
}

const MEANS: Readonly<Partial<Record<Permission, { readonly means: string; readonly serious?: true }>>> = {
  storage: { means: 'keep things of its own, on all nodes of the household' },
  timers: { means: 'be woken at a time it sets' },
  speak: { means: 'say something aloud without being asked' },
  clock: { means: 'know the time and the date' },
  random: { means: 'draw random numbers' },
  devices: { means: 'see the devices of the house and command them', serious: true },
  http: { means: 'ask servers, those named below' },
  topics: { means: 'hear what other skills say, and say something to them' },
  language: { means: 'ask the language model of the house' },
  question: { means: 'ask a person something without having been asked' },
  cards: { means: 'show something without having been asked' },
  personal: { means: 'keep something about each person apart', serious: true },
}

export function plainAsks(manifest: SkillManifest): readonly PlainAsk[] {
  const reasons = new Map(manifest.permissions.map(({ use, why }) => [`use:${use}`, why]))
  return asksOf(manifest).map((ask) => {
    const said = saidOf(ask)
    return { ask, means: said.means, why: reasons.get(ask) ?? '', serious: said.serious === true }
  })
}

function saidOf(ask: string): { readonly means: string; readonly serious?: true } {
  const [kind, what] = [ask.slice(0, ask.indexOf(':')), ask.slice(ask.indexOf(':') + 1)]
  switch (kind) {
    case 'use':
      return MEANS[what as Permission] ?? { means: `use ${what}`, serious: true }
    case 'host':
      return { means: `talk to ${what} on the internet, and send it what it knows`, serious: true }
    case 'network':
      return { means: 'talk to other devices in your home network', serious: true }
    case 'handles':
      return { means: `carry out ${what} when no skill that came with the node does` }
    case 'publish':
      return { means: `tell other skills about ${what}` }
    case 'subscribe':
      return { means: `hear from other skills about ${what}` }
    case 'secret':
      return { means: `use the secret ${what}, once you give it`, serious: true }
    default:
      return { means: `run as a ${what} outside of the sandbox of skills`, serious: true }
  }
}
