/**
 * Builds the skills that ship with the node: `node sdk/build.ts` compiles `skills/<name>/assembly/index.ts` to the module
 * beside its manifest. With names it builds only those. Skills elsewhere are built by `loqa skill build`.
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compile } from './compile.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Those in AssemblyScript. */
export const skillNames = (): string[] =>
  readdirSync(`${root}skills`)
    .filter((name) => existsSync(`${root}skills/${name}/assembly`))
    .sort()

/** The module of one skill, of its `source` if given instead of its file. Errors: `CompileError`. */
export const buildSkill = (name: string, source?: string): Promise<Uint8Array> =>
  compile({
    base: root,
    main: `skills/${name}/assembly/index.ts`,
    source,
    kit: `${root}sdk/assemblyscript/`,
    abort: 'sdk/assemblyscript/abort/abort',
  })

if (import.meta.main) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : skillNames()
  for (const name of names) {
    const module = await buildSkill(name)
    writeFileSync(`${root}skills/${name}/${name}.wasm`, module)
    console.log(`${name}.wasm ${module.length} bytes`)
  }
}
