/**
 * Compiles the AssemblyScript of a skill's folder to WebAssembly, in this process: `assembly/index.ts` and what it imports; the
 * kit as `loqa`. The compiler is looked for beside the skill first, then beside loqa. The same sources give the same bytes.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface CompileOptions {
  /** The skill's folder, or one above it that its imports stay in. Absolute. */
  readonly base: string
  /** The file with `handle`, from there. */
  readonly main: string
  /** Instead of the file's text. */
  readonly source?: string | undefined
  /** Where the kit lies. Ends with a slash. */
  readonly kit: string
  /** Where `abort` comes from, as the compiler names it. Default: the kit as the library `loqa`. */
  readonly abort?: string
  /** Compiles in a fraction of the time, to a module twice as large: for trying things out. */
  readonly quick?: boolean
}

/** The compiler or the library it needs is not installed. */
export class CompilerMissingError extends Error {
  /** The one command that adds them. */
  readonly command: string

  constructor(missing: string, cause: unknown) {
    super(`${missing} is not installed here`, { cause })
    this.command = `npm install --save-dev ${PACKAGES.map(([name, version]) => `${name}@${version}`).join(' ')}`
  }
}

/** The compiler's words, with file and line. */
export class CompileError extends Error {}

/** What skills in AssemblyScript are built with; a test keeps the versions equal to those the node is built with. */
export const PACKAGES = [
  ['assemblyscript', '0.28.20'],
  ['@extism/as-pdk', '1.0.0'],
] as const

/** Small before fast: a call takes microseconds either way. */
const SMALL = ['-O3', '--shrinkLevel', '2']

/** What is used of the compiler. */
interface Asc {
  main(
    args: readonly string[],
    io: {
      readFile(file: string): string | null
      writeFile(file: string, contents: Uint8Array | string): void
    },
  ): Promise<{ readonly error: Error | null; readonly stderr: { toString(): string } }>
}

let compiler: Promise<Asc> | undefined

/** Loads the compiler, which takes most of a second the first time. Errors: `CompilerMissingError`. */
export function loadCompiler(base: string): Promise<Asc> {
  compiler ??= importCompiler(base).catch((thrown: unknown) => {
    compiler = undefined
    throw thrown
  })
  return compiler
}

async function importCompiler(base: string): Promise<Asc> {
  const folder = packageFolder('assemblyscript', base)
  const loaded = (await import(pathToFileURL(join(folder, 'dist/asc.js')).href)) as { default: Asc }
  return loaded.default
}

/** Errors: `CompileError`, `CompilerMissingError`. */
export async function compile(options: CompileOptions): Promise<Uint8Array> {
  const { base, main, source, kit, abort = '~lib/loqa/abort/abort', quick = false } = options
  const asc = await loadCompiler(base)
  const library = packageFolder('@extism/as-pdk', base)
  const places: readonly (readonly [string, string])[] = [
    ['node_modules/loqa/', kit],
    ['node_modules/@extism/as-pdk/', `${library}/`],
  ]
  let module: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    // No collector: every call gets a fresh instance.
    [
      main,
      '--baseDir',
      base,
      '--outFile',
      'skill.wasm',
      '--runtime',
      'stub',
      ...(quick ? [] : SMALL),
      '--use',
      `abort=${abort}`,
    ],
    {
      readFile: (file) => (file === main && source !== undefined ? source : readSource(base, places, file)),
      writeFile: (file, contents) => {
        if (file.endsWith('.wasm')) module = contents as Uint8Array
      },
    },
  )
  if (error !== null || module === undefined)
    throw new CompileError(stderr.toString().trim() || String(error))
  return module
}

/** Null tells the compiler to look elsewhere: it tries several places for an import. */
function readSource(
  base: string,
  places: readonly (readonly [string, string])[],
  file: string,
): string | null {
  const place = places.find(([prefix]) => file.startsWith(prefix))
  try {
    return readFileSync(
      place === undefined ? join(base, file) : place[1] + file.slice(place[0].length),
      'utf8',
    )
  } catch {
    return null
  }
}

/** Errors: `CompilerMissingError`. */
function packageFolder(name: string, base: string): string {
  let thrown: unknown
  for (const from of [join(base, 'skill.yaml'), fileURLToPath(import.meta.url)]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`))
    } catch (error) {
      thrown = error
    }
  }
  throw new CompilerMissingError(name, thrown)
}
