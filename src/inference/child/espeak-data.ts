/**
 * The tables espeak-ng pronounces with, for libraries that bring its code and not its data. They lie packed in the package of the
 * formant voice: one file, and a list of what is where in it at the head of its program.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LoqaError } from '../../host/errors.ts'

/** `…filename:"/usr/share/espeak-ng-data/lang/gmw/en",start:1,end:2…`; names come from the package, and lead nowhere else. */
const LISTED =
  /filename:"\/usr\/share\/espeak-ng-data\/((?:[A-Za-z0-9_-]+\/)*[A-Za-z0-9_-]+)",start:(\d+),end:(\d+)/g
const DICTIONARY = /^(\w+)_dict$/

/**
 * A folder with what the voice of espeak-ng called `voice` (e.g. `en-us`) needs, under `work_dir`: a megabyte, all its languages
 * together would be 24. What is there already, whole, is kept. Errors: `LoqaError` `engine-unavailable`.
 */
export function espeakData(work_dir: string, voice: string): string {
  const program = createRequire(import.meta.url).resolve('@echogarden/espeak-ng-emscripten')
  const listed = [...readFileSync(program, 'utf8').matchAll(LISTED)]
  const language = voice.split(/[-_]/)[0]!.toLowerCase()
  const isKnown = listed.some(([, path]) => path === `${language}_dict`)
  const wanted = listed.filter(([, path]) => {
    const [, of] = DICTIONARY.exec(path!) ?? []
    return of === undefined || !isKnown || of === language
  })
  if (!wanted.some(([, path]) => path === 'phontab'))
    throw new LoqaError('engine-unavailable', 'The tables of espeak-ng are not in its package', {
      hint: 'Install the program again.',
    })
  const directory = join(work_dir, 'espeak-ng-data')
  let packed: Buffer | undefined
  for (const [, name, start, end] of wanted) {
    const path = join(directory, name!)
    const [from, to] = [Number(start), Number(end)]
    if (existsSync(path) && statSync(path).size === to - from) continue
    packed ??= readFileSync(join(dirname(program), 'espeak-ng.data'))
    writeWhole(path, packed.subarray(from, to))
  }
  return directory
}

/** Two engines may do this at once, and either may be killed: a name stands for a whole file only. */
export function writeWhole(path: string, ...parts: readonly Uint8Array[]): void {
  mkdirSync(dirname(path), { recursive: true })
  const part = `${path}.${process.pid}`
  writeFileSync(part, Buffer.concat(parts))
  renameSync(part, path)
}
