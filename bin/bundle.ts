/**
 * Bundles the program into `dist/`: `npm run bundle`, also at the end of `npm ci`. From its sources a start reads 1,500 files,
 * most of them of libraries; bundled it reads a few, takes half the time and a fifth less memory. The launchers run the
 * bundle as long as no source is newer (bin/find-node.sh), so whoever changes a source runs the sources.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PAGE_FILES } from '../src/api/page-files.ts'
import { forBrowsers } from '../src/node/page.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Entry points by the name that src/host/layout.ts knows them by. */
const ENTRIES = {
  main: 'src/main.ts',
  engine: 'src/inference/child/child.ts',
  skills: 'src/skills/sandbox/runner/main.ts',
  testing: 'sdk/testing/index.ts',
  timeline: 'src/store/timeline/thread.ts',
  replica: 'src/store/crdt/thread.ts',
}

/** Packages that load machine code or WebAssembly from beside themselves. */
const LEFT_OUTSIDE = [
  '@echogarden/espeak-ng-emscripten',
  '@echogarden/fvad-wasm',
  '@fugood/whisper.node',
  '@vlcn.io/wa-sqlite/dist/crsqlite-sync.mjs',
  'msgpackr-extract',
  'node-llama-cpp',
  'sherpa-onnx-node',
]

export async function bundle(directory: string): Promise<void> {
  const { rolldown } = await import('rolldown')
  rmSync(directory, { recursive: true, force: true })
  const bundled = await rolldown({
    cwd: root,
    platform: 'node',
    input: ENTRIES,
    external: [/^node:/, ...LEFT_OUTSIDE],
    onLog: (level, log, pass) => level !== 'info' && pass(level, log),
  })
  await bundled.write({ dir: directory, format: 'esm', chunkFileNames: '[name]-[hash].js' })
  await bundled.close()
  bundlePage(join(directory, 'page'))
}

/** The page's files under the names they are served by; browsers load each script once and keep it. */
function bundlePage(directory: string): void {
  for (const { file } of PAGE_FILES) {
    const to = join(directory, file)
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, forBrowsers(file, readFileSync(`${root}src/${file}`)))
  }
}

if (import.meta.main) {
  try {
    await bundle(`${root}dist`)
  } catch (error) {
    // An installation without development dependencies has no bundler.
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    console.log(
      'Without rolldown there is no bundle: the program runs from its sources, which starts slower.',
    )
  }
}
