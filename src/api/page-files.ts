/**
 * The files of the page at `/`, which browsers may have without a token: they say that here is a node, and nothing of it. Scripts are sources of
 * `src/web`, and the few of other folders that a browser needs too; they are served without their types, under their own names.
 */

export interface PageFile {
  readonly path: string
  /** Below `src`. */
  readonly file: string
  readonly type: string
}

const SCRIPT = 'text/javascript; charset=utf-8'

const at = (file: string, type: string, path = `/page/${file}`): PageFile => ({ path, file, type })

const SCRIPTS = [
  ...['main', 'access', 'approvals', 'capture', 'conversation', 'elements', 'house', 'line', 'loudness'],
  ...['playback', 'resample', 'satellite', 'sound', 'tier', 'transcript', 'waterfall'],
].map((name) => `web/${name}.ts`)

/** Rules that a browser and the terminal share. */
const SHARED = [
  'cli/heard.ts',
  'cli/speech-clock.ts',
  'cli/tone.ts',
  'cli/turn-collector.ts',
  'host/errors.ts',
  'host/limits.ts',
]

export const PAGE_FILES: readonly PageFile[] = [
  at('web/index.html', 'text/html; charset=utf-8', '/'),
  at('web/manifest.webmanifest', 'application/manifest+json', '/manifest.webmanifest'),
  // At the top: a service worker serves what lies beside and below it.
  at('web/service-worker.ts', SCRIPT, '/service-worker.js'),
  ...['style', 'talk', 'stage', 'sheet', 'wide'].map((name) =>
    at(`web/${name}.css`, 'text/css; charset=utf-8'),
  ),
  at('web/icon.svg', 'image/svg+xml'),
  at('web/icon-192.png', 'image/png'),
  at('web/icon-512.png', 'image/png'),
  ...[...SCRIPTS, ...SHARED].map((file) => at(file, SCRIPT)),
]

const paths = new Set(PAGE_FILES.map(({ path }) => path))

export const isPagePath = (path: string): boolean => paths.has(path)
