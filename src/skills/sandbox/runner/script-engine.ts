/**
 * QuickJS as a WebAssembly module whose memory is exactly what a skill may use. QuickJS' own memory limit does not count
 * bytes when it is compiled this way (`malloc_usable_size` is missing), so the memory itself is made no larger.
 */
import variant from '@jitl/quickjs-wasmfile-release-sync'
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSSyncVariant,
  type QuickJSWASMModule,
} from 'quickjs-emscripten-core'

const PAGE_BYTES = 65_536
/** The engine's data and its stack of 5 MiB lie before its heap: the stack begins at 5,333,088. */
const FIRST_PAGES = 82

/** What the package gives: its types are written for another kind of module than the one that is loaded. */
const build = variant as unknown as QuickJSSyncVariant

/** Errors: `CompileError` for what is no WebAssembly. */
export const compileEngine = (bytes: Uint8Array): WebAssembly.Module =>
  new WebAssembly.Module(withLeastMemory(bytes, FIRST_PAGES))

/** An engine of its own for one skill, with this much memory for interpreter and script together. */
export function newEngine(module: WebAssembly.Module, memory_kb: number): Promise<QuickJSWASMModule> {
  const pages = FIRST_PAGES + Math.ceil((memory_kb * 1024) / PAGE_BYTES)
  const wasmMemory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  // The library's types speak of a browser's WebAssembly.
  return newQuickJSWASMModuleFromVariant(
    newVariant(build, { wasmModule: module as never, wasmMemory: wasmMemory as never }),
  )
}

/**
 * A copy that asks for no more memory than this many pages to begin with: as it comes it asks for 16 MiB. Walks the import
 * section (WebAssembly Core Specification 2.0, 5.5.5) for the one memory in it; the same length, so nothing else moves.
 * Errors: `Error` when it is not built as expected.
 */
export function withLeastMemory(bytes: Uint8Array, pages: number): Uint8Array {
  const copy = bytes.slice()
  let at = 8
  const number = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = copy[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) return value
    }
  }
  while (at < copy.length) {
    const section = copy[at++]
    const end = number() + at
    if (section === 2) {
      for (let count = number(); count > 0; count -= 1) {
        for (const _name of ['module', 'field']) at = number() + at
        const kind = copy[at++]
        if (kind === 2) {
          at += 1
          const first = at
          number()
          write(copy, first, at, pages)
          return copy
        }
        // A function: the index of its type.
        number()
      }
    }
    at = end
  }
  throw new Error('the engine imports no memory')
}

/** LEB128 in exactly the room there is: padded with zeros of seven bits. */
function write(bytes: Uint8Array, from: number, to: number, value: number): void {
  let rest = value
  for (let at = from; at < to; at += 1) {
    bytes[at] = (rest & 0x7f) | (at + 1 < to ? 0x80 : 0)
    rest >>>= 7
  }
}
