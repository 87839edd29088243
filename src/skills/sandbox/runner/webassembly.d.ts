/** The part of the WebAssembly interface the runner uses: Node has it, its types come with a browser's library only. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, (...args: never[]) => unknown>>
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Instance {
    constructor(module: Module, imports: Imports)
    readonly exports: Readonly<Record<string, unknown>>
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
}
