/** Which of a call's changes can do harm, and what they are called. The node judges that, never the skill. Pure. */
import type { Change } from './call.ts'
import type { Device } from './host-ports.ts'
import type { Act, Risk } from './risk.ts'

/** What makes a lock anything but locked. */
const UNLOCKING: ReadonlySet<string> = new Set(['unlock', 'open', 'unlatch', 'toggle'])
const OPENING: ReadonlySet<string> = new Set(['open', 'toggle', 'set_position', 'set'])
/** A cover people go in by. */
const WAY_IN = /\b(garage|gate|door|entrance)\b/i
/** Methods that only look (RFC 9110, 9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD'])

export function actsOf(changes: readonly Change[], devices: readonly Device[] = []): readonly Act[] {
  return changes.flatMap((change, at): Act[] => {
    if (change.change === 'http') {
      return SAFE.has(change.method)
        ? []
        : [{ at, risk: 'medium', words: `send something to ${hostOf(change.url)}` }]
    }
    if (change.change !== 'device') return []
    const device = devices.find(({ id }) => id === change.device)
    const risk = device === undefined ? 'high' : riskOf(device, change.command)
    if (risk === 'low') return []
    return [{ at, risk, words: wordsFor(device?.name ?? change.device, change.command) }]
  })
}

function riskOf({ kind, name, state }: Device, command: string): Risk {
  switch (kind) {
    case 'lock':
      return UNLOCKING.has(command) || !(command === 'lock' || command === 'close') ? 'high' : 'low'
    case 'cover': {
      const wayIn = WAY_IN.test(name) || WAY_IN.test(String(state.device_class ?? ''))
      return wayIn && OPENING.has(command) ? 'high' : 'low'
    }
    // Nobody here knows what all it changes.
    case 'scene':
      return 'medium'
    default:
      return 'low'
  }
}

function wordsFor(device: string, command: string): string {
  const named = /^(the|my|our)\b/i.test(device) ? device : `the ${device}`
  return command.startsWith('set') ? `change ${named}` : `${command.replaceAll('_', ' ')} ${named}`
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : 'a server'
}
