/** Addresses of one node: where it was heard, told, dialled. Pure; `sightings.ts` keeps them. */
import { authority, type Monotonic, monotonic } from '../../host/index.ts'
import type { Place } from '../transport/mesh.ts'
import { HEARD_MS, MAX_PLACES } from './bounds.ts'

/** `heard` by multicast, `static` from the configuration, `told` by members, `proved` by a link alone. */
export type Origin = 'heard' | 'static' | 'told' | 'proved'

export interface Failing {
  readonly since: Monotonic
  /** Stable, of `Mesh.dial`: `unreachable`, `timed-out`, `wrong-peer`, `wrong-key`, `handshake-failed`. */
  readonly code: string
  readonly attempts: number
}

export interface SeenPlace {
  readonly place: Place
  readonly origin: Origin
  /** When that was said last. */
  readonly at: Monotonic
  /** Of the listener for strangers, when the node announced it from there. */
  readonly enrolment: Place | undefined
  /** When a link to this very node stood there last. */
  readonly proved: Monotonic | undefined
  readonly failing: Failing | undefined
}

export type Places = readonly SeenPlace[]

export const isSamePlace = (a: Place, b: Place): boolean => a.host === b.host && a.port === b.port

/** `192.168.1.20:7421`, `[fe80::1%eth0]:7421`. */
export const written = ({ host, port }: Place): string => authority(host, port)

/** Adds an address or refreshes it. Static ones stay static, whoever else says so. */
export function noted(
  places: Places,
  place: Place,
  origin: Origin,
  at: Monotonic,
  enrolment?: Place,
): Places {
  const old = places.find((one) => isSamePlace(one.place, place))
  const fresh: SeenPlace = {
    place,
    origin: old?.origin === 'static' ? 'static' : origin === 'told' ? (old?.origin ?? 'told') : origin,
    at,
    enrolment: enrolment ?? old?.enrolment,
    proved: old?.proved,
    failing: old?.failing,
  }
  return bounded([...places.filter((one) => one !== old), fresh])
}

export const proved = (places: Places, place: Place, at: Monotonic): Places =>
  (places.some((one) => isSamePlace(one.place, place)) ? places : noted(places, place, 'proved', at)).map(
    (one) => (isSamePlace(one.place, place) ? { ...one, proved: at, failing: undefined } : one),
  )

export const failed = (places: Places, place: Place, code: string, now: Monotonic): Places =>
  places.map((one) =>
    isSamePlace(one.place, place)
      ? {
          ...one,
          failing: { since: one.failing?.since ?? now, code, attempts: (one.failing?.attempts ?? 0) + 1 },
        }
      : one,
  )

/** Another node answers there: it is no address of this one, unless the configuration keeps naming it. */
export const withdrawn = (places: Places, place: Place): Places =>
  places.filter((one) => !isSamePlace(one.place, place))

/** What was heard and is not repeated goes; what a link proved, a person wrote or members told stays to be tried. */
export const current = (places: Places, now: Monotonic): Places =>
  places.filter(
    ({ origin, at, proved }) => origin !== 'heard' || proved !== undefined || now - at <= HEARD_MS,
  )

/** The longest unproved, unwritten one goes first: who invents addresses pushes out what was invented before. */
function bounded(places: Places): Places {
  if (places.length <= MAX_PLACES) return places
  const weight = ({ origin, proved }: SeenPlace): number =>
    proved !== undefined ? 3 : origin === 'static' ? 2 : origin === 'told' ? 1 : 0
  const [out] = [...places].sort((a, b) => weight(a) - weight(b) || (a.proved ?? a.at) - (b.proved ?? b.at))
  return places.filter((one) => one !== out)
}

/**
 * Best first: where a link stood last, then what was said last; what just said that it is somebody else comes at the end.
 * Link-local IPv6 comes after everything else that never held a link.
 */
export const ranked = (places: Places): Places =>
  [...places].sort(
    (a, b) =>
      Number(isMistaken(a)) - Number(isMistaken(b)) ||
      (b.proved ?? Number.NEGATIVE_INFINITY) - (a.proved ?? Number.NEGATIVE_INFINITY) ||
      Number(a.place.host.includes('%')) - Number(b.place.host.includes('%')) ||
      b.at - a.at,
  )

const isMistaken = ({ failing }: SeenPlace): boolean =>
  failing?.code === 'wrong-peer' || failing?.code === 'wrong-key'

export const isFresh = ({ at, origin }: SeenPlace, now: Monotonic): boolean =>
  origin === 'heard' && now <= monotonic(at + HEARD_MS)
