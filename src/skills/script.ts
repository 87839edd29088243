/**
 * Skills in one TypeScript file, as far as the node looks at them: size and encoding. Their text is parsed in the sandbox,
 * like everything that comes from a stranger.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Disk, PACKAGE } from '../host/index.ts'
import { SkillError } from './errors.ts'
import type { SkillManifest } from './manifest/index.ts'

/** One file written by people; the largest of the templates has 4 KB. */
export const MAX_SCRIPT_BYTES = 256 * 1024
/** An interpreter with the kit takes 300 KB before the skill does anything. */
export const MIN_SCRIPT_MEMORY_KB = 1_024

/** What every script runs on; the same for all. */
export interface ScriptEngine {
  readonly engine: Uint8Array
  readonly kit: Uint8Array
}

let opened: Promise<ScriptEngine> | undefined

/** Read once. Errors: `DiskError`. */
export function openScriptEngine(disk: Disk): Promise<ScriptEngine> {
  opened ??= readEngine(disk).catch((thrown: unknown) => {
    opened = undefined
    throw thrown
  })
  return opened
}

async function readEngine(disk: Disk): Promise<ScriptEngine> {
  const file = createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm')
  const [engine, kit] = await Promise.all([
    disk.read(file),
    disk.read(join(PACKAGE, 'sdk/typescript/loqa.ts')),
  ])
  return { engine, kit }
}

/** Errors: `SkillError` `skill-refused`. */
export function checkScript(bytes: Uint8Array, { budgets }: SkillManifest): Uint8Array {
  const refuse = (reason: string, hint?: string): never => {
    throw new SkillError('skill-refused', `The script was refused: ${reason}`, hint)
  }
  if (bytes.length > MAX_SCRIPT_BYTES) refuse(`it is larger than ${MAX_SCRIPT_BYTES / 1024} KiB`)
  if (budgets.memory_kb < MIN_SCRIPT_MEMORY_KB) {
    refuse(
      `its interpreter alone needs more than ${budgets.memory_kb} KiB`,
      `Set budgets.memory_kb to ${MIN_SCRIPT_MEMORY_KB} or more.`,
    )
  }
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    refuse('it is not UTF-8')
  }
  return bytes
}
