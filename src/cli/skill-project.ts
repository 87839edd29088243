/** A skill's folder at its developer's: what it says about itself, and how its module is made. */
import { readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import {
  CompileError,
  type CompileOptions,
  CompilerMissingError,
  compile,
  loadCompiler,
} from '../../sdk/compile.ts'
import { LoqaError, PACKAGE } from '../host/index.ts'
import { readManifest, type Skill, type SkillManifest, skillOf } from '../skills/index.ts'
import { UsageError } from './failures.ts'

/** Where the sources of a module are. */
const MAIN = 'assembly/index.ts'
const KIT = `${PACKAGE}sdk/assemblyscript/`

export interface Project {
  /** Absolute. */
  readonly folder: string
  /** The text of skill.yaml. */
  readonly text: string
  readonly manifest: SkillManifest
  readonly source: unknown
}

export interface Built {
  readonly project: Project
  readonly module: Uint8Array
  /** Judged as a node would judge it. */
  readonly skill: Skill
  readonly ms: number
}

/** Errors: `UsageError` when there is none, `ManifestError` with every mistake and its place. */
export function readProject(folder: string): Project {
  const file = join(folder, 'skill.yaml')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(
      `There is no skill in ${folder}: it has no skill.yaml`,
      'Make one: loqa skill init NAME',
    )
  }
  return { folder, text, ...readManifest(text, file) }
}

/** Loads what building needs, so that the first build is as quick as the others. Errors: none; the build will say. */
export async function prepare({ folder, manifest }: Project): Promise<void> {
  if (manifest.runtime === 'wasm') await loadCompiler(folder).catch(() => undefined)
}

/** Makes the module without writing it. Errors: `LoqaError` `build-failed`, `compiler-missing`; `SkillError` when a node would refuse it. */
export async function build(project: Project, quick = false): Promise<Built> {
  const began = performance.now()
  const module = await moduleOf(project, quick)
  const { manifest, source, folder } = project
  const skill = skillOf({ manifest, source, module, folder })
  return { project, module, skill, ms: performance.now() - began }
}

/** Writes the module beside the manifest. A script is its own module: nothing to write. */
export function writeModule({ project: { folder, manifest }, module }: Built): void {
  if (manifest.runtime === 'wasm') writeFileSync(join(folder, manifest.module), module)
}

async function moduleOf({ folder, manifest }: Project, quick: boolean): Promise<Uint8Array> {
  if (manifest.runtime === 'typescript') return checkedScript(folder, manifest)
  // An image is built by its engine, an adapter by its own tools: what is there is taken.
  if (manifest.runtime === 'container') return new Uint8Array()
  if (manifest.runtime === 'native') return readProgram(join(folder, manifest.module))
  if (!isThere(join(folder, MAIN))) return readFileSync(join(folder, manifest.module))
  try {
    return await compile({ ...placeOf(folder), kit: KIT, quick })
  } catch (thrown) {
    if (thrown instanceof CompilerMissingError) {
      throw new LoqaError(
        'compiler-missing',
        `${thrown.message}, which skills in AssemblyScript are built with`,
        {
          hint: `Add it: ${thrown.command}`,
        },
      )
    }
    if (thrown instanceof CompileError) throw new LoqaError('build-failed', thrown.message)
    throw thrown
  }
}

/** Skills that ship with the node import the kit from beside them. */
function placeOf(folder: string): Pick<CompileOptions, 'base' | 'main' | 'abort'> {
  if (!folder.startsWith(`${PACKAGE}skills/`)) return { base: folder, main: MAIN }
  const main = `${folder.slice(PACKAGE.length)}/${MAIN}`
  return { base: PACKAGE.replace(/\/$/, ''), main, abort: 'sdk/assemblyscript/abort/abort' }
}

/** What a node would find out only when it runs: with the line, and before anything is sent anywhere. */
function checkedScript(folder: string, { module, name }: SkillManifest): Uint8Array {
  const file = join(folder, module)
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch {
    throw new UsageError(`${file} is missing, which skill.yaml of ${name} names as its module`)
  }
  const text = new TextDecoder().decode(bytes)
  const refuse = (line: number, what: string): never => {
    throw new LoqaError('build-failed', `${file}:${line}: ${what}`)
  }
  try {
    stripTypeScriptTypes(text)
  } catch (thrown) {
    throw new LoqaError(
      'build-failed',
      `${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    )
  }
  for (const [at, line] of text.split('\n').entries()) {
    const wanted = /^\s*(?:import|export)\b.*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/.exec(
      line,
    )
    const from = wanted?.[1] ?? wanted?.[2]
    if (from !== undefined && from !== 'loqa') {
      refuse(
        at + 1,
        `it imports '${from}', and a skill imports 'loqa' alone: it is one file, with nothing around it`,
      )
    }
  }
  if (!/export\s+(async\s+)?(function|const|let)\s+handle\b|export\s*\{[^}]*\bhandle\b/.test(text)) {
    refuse(1, 'it exports no function handle')
  }
  return bytes
}

function readProgram(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch {
    throw new UsageError(
      `${file} is missing, the program of this adapter`,
      'Build it with its own tools first.',
    )
  }
}

function isThere(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}
