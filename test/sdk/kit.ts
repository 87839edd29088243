/** Compiles a probe against the kit for skills and calls it directly: numbers and texts in, texts out. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PROBE = 'test/sdk/probe.ts'

/** AssemblyScript's class id of strings. */
const STRING = 2

/** What is used of the WebAssembly of the runtime; the types for Node do not name it. */
interface Memory {
  readonly buffer: ArrayBuffer
}
type Exports = Readonly<Record<string, unknown>>
declare const WebAssembly: {
  instantiate(module: Uint8Array, imports: object): Promise<{ instance: { exports: Exports } }>
  readonly Memory: new (...values: never) => Memory
}

export interface Probe {
  /** Calls an exported function; texts are passed and returned as strings. */
  call(name: string, ...values: (number | bigint | string)[]): string
  /** Its memory, in bytes: nothing is freed. */
  bytes(): number
}

/** `source` is AssemblyScript; it imports the kit from '../../sdk/assemblyscript/…' and exports functions. */
export async function compileProbe(source: string): Promise<Probe> {
  let module: Uint8Array | undefined
  const { error, stderr } = await asc.main(
    [
      PROBE,
      '--baseDir',
      root,
      '--outFile',
      'probe.wasm',
      '--runtime',
      'stub',
      '--exportRuntime',
      '--use',
      'abort=',
    ],
    {
      readFile: (file) => (file === PROBE ? source : readFile(join(root, file), 'utf8').catch(() => null)),
      writeFile: (file, contents) => {
        if (file.endsWith('.wasm')) module = contents as Uint8Array
      },
    },
  )
  if (error !== null || module === undefined) throw new Error(stderr.toString())
  const { instance } = await WebAssembly.instantiate(module, {})
  const { exports } = instance
  return {
    call: (name, ...values) => call(exports, name, values),
    bytes: () => (exports.memory as Memory).buffer.byteLength,
  }
}

function call(exported: Exports, name: string, values: readonly (number | bigint | string)[]): string {
  const { [name]: run, memory, __new: allocate } = exported
  if (
    typeof run !== 'function' ||
    typeof allocate !== 'function' ||
    !(memory instanceof WebAssembly.Memory)
  ) {
    throw new Error(`the probe exports no ${name}`)
  }
  const passed = values.map((value) => (typeof value === 'string' ? give(memory, allocate, value) : value))
  return take(memory, run(...passed))
}

function give(memory: Memory, allocate: CallableFunction, text: string): number {
  const place: number = allocate(text.length * 2, STRING)
  const units = new Uint16Array(memory.buffer, place, text.length)
  for (let i = 0; i < text.length; i += 1) units[i] = text.charCodeAt(i)
  return place
}

/** A string lies as UTF-16; its length in bytes stands before it. */
function take(memory: Memory, place: number): string {
  const bytes = new DataView(memory.buffer).getUint32(place - 4, true)
  return Buffer.from(memory.buffer, place, bytes).toString('utf16le')
}
