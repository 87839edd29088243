/**
 * Keeps the page itself, so that it opens without the node and can say that the node is gone. What the node answers is never kept: fresh files
 * are taken whenever they can be had, and everything else passes by.
 */

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void
}

interface Fetching extends Extendable {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}

interface Scope {
  skipWaiting(): Promise<void>
  readonly clients: { claim(): Promise<void> }
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void
}

const scope = self as unknown as Scope

const CACHE = 'loqa-page-1'
/** As `src/api/page-files.ts` lists them. */
const PAGE = [
  '/',
  '/manifest.webmanifest',
  '/page/web/style.css',
  '/page/web/talk.css',
  '/page/web/stage.css',
  '/page/web/sheet.css',
  '/page/web/wide.css',
  '/page/web/icon.svg',
  '/page/web/icon-192.png',
  '/page/web/icon-512.png',
  '/page/web/main.ts',
  '/page/web/access.ts',
  '/page/web/approvals.ts',
  '/page/web/capture.ts',
  '/page/web/conversation.ts',
  '/page/web/elements.ts',
  '/page/web/house.ts',
  '/page/web/line.ts',
  '/page/web/loudness.ts',
  '/page/web/playback.ts',
  '/page/web/resample.ts',
  '/page/web/satellite.ts',
  '/page/web/sound.ts',
  '/page/web/tier.ts',
  '/page/web/transcript.ts',
  '/page/web/waterfall.ts',
  '/page/cli/heard.ts',
  '/page/cli/speech-clock.ts',
  '/page/cli/tone.ts',
  '/page/cli/turn-collector.ts',
  '/page/host/errors.ts',
  '/page/host/limits.ts',
]

scope.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(PAGE))
      .then(() => scope.skipWaiting()),
  )
})

scope.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => scope.clients.claim()),
  )
})

scope.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url)
  if (event.request.method !== 'GET' || origin !== location.origin || !PAGE.includes(pathname)) return
  event.respondWith(freshOrKept(event.request))
})

async function freshOrKept(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  try {
    const fresh = await fetch(request)
    if (fresh.ok) await cache.put(request, fresh.clone())
    return fresh
  } catch (thrown) {
    const kept = await cache.match(request)
    if (kept === undefined) throw thrown
    return kept
  }
}
