/** The little of WebAssembly that is used here: Node has it, its types come with the DOM's, which nothing else needs. */
declare namespace WebAssembly {
  type Imports = Record<string, Record<string, unknown>>;
  type Exports = Record<string, unknown>;
  class Module {
    readonly compiled: unknown;
  }
  class Instance {
    readonly exports: Exports;
    constructor(module: Module, imports: Imports);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
