/** The part of the WebAssembly interface used here and in tests: Node has it, its types come with a browser's library only. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, ((...args: never[]) => unknown) | Memory>>
  function validate(bytes: Uint8Array): boolean
  class Module {
    constructor(bytes: Uint8Array)
    static imports(module: Module): { module: string; name: string; kind: string }[]
    static exports(module: Module): { name: string; kind: string }[]
  }
  class Instance {
    constructor(module: Module, imports?: Imports)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class Memory {
    constructor(pages: { initial: number; maximum: number })
    readonly buffer: ArrayBuffer
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
}
