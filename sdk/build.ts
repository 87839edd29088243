/**
 * Builds the skills that ship with the node: `node sdk/build.ts` compiles `skills/<name>/assembly/index.ts` to the module
 * beside its manifest. With names it builds only those. The same sources give the same bytes: a test compares.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Small before fast: a call takes microseconds either way. No collector: every call gets a fresh instance. */
const OPTIONS = [
  '--runtime',
  'stub',
  '-O3',
  '--shrinkLevel',
  '2',
  '--use',
  'abort=sdk/assemblyscript/abort/abort',
]

export const skillNames = (): string[] => readdirSync(`${root}skills`).sort()

/** The module of one skill, of its `source` if given instead of its file. Errors: with the compiler's words. */
export async function buildSkill(name: string, source?: string): Promise<Uint8Array> {
  let module: Uint8Array | undefined
  const main = `skills/${name}/assembly/index.ts`
  const { error, stderr } = await asc.main([main, '--baseDir', root, '--outFile', 'skill.wasm', ...OPTIONS], {
    readFile: (file) => (file === main && source !== undefined ? source : readSource(file)),
    writeFile: (file, contents) => {
      if (file.endsWith('.wasm')) module = contents as Uint8Array
    },
  })
  if (error !== null || module === undefined) throw new Error(`${name}: ${stderr.toString()}`)
  return module
}

/** Null tells the compiler to look elsewhere: it tries several places for an import. */
function readSource(file: string): string | null {
  try {
    return readFileSync(`${root}${file}`, 'utf8')
  } catch {
    return null
  }
}

if (import.meta.main) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : skillNames()
  for (const name of names) {
    const module = await buildSkill(name)
    writeFileSync(`${root}skills/${name}/${name}.wasm`, module)
    console.log(`${name}.wasm ${module.length} bytes`)
  }
}
