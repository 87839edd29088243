/**
 * Loaded first by every process that runs tests (vitest.config.ts). Whoever imports `src/host/layout.ts` gets `shipped.ts` in its place, so
 * that tests start what the program starts beside itself as it is shipped. What Node compiled is kept for the next process, one that a test
 * starts too: a suite starts a thousand.
 */
import { enableCompileCache, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

const LAYOUT = new URL('../src/host/layout.ts', import.meta.url).href
const SHIPPED = new URL('shipped.ts', import.meta.url).href

process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../node_modules/.cache/tests', import.meta.url))
enableCompileCache(process.env.NODE_COMPILE_CACHE)

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    return resolved.url === LAYOUT && context.parentURL !== SHIPPED ? { ...resolved, url: SHIPPED } : resolved
  },
})
