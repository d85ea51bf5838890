import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

interface Ffmpeg {
  readonly exec: (...options: readonly string[]) => number;
  readonly setTimeout: (milliseconds: number) => void;
  readonly setLogger: (log: (line: { message: string }) => void) => void;
  readonly FS: {
    readonly writeFile: (name: string, bytes: Uint8Array) => void;
    readonly readFile: (name: string) => Uint8Array;
  };
}

const { resolve } = createRequire(import.meta.url);
let compiling: Promise<WebAssembly.Module> | undefined;

/** A new one for each video: the encoders of one run leave memory behind that the next one trips over. */
async function openFfmpeg(): Promise<Ffmpeg> {
  Object.assign(globalThis, { self: globalThis, location: { href: 'file:///' } }); // it was built for browsers
  compiling ??= readFile(resolve('@ffmpeg/core/wasm')).then((bytes) => WebAssembly.compile(bytes));
  const module = await compiling;
  return createRequire(import.meta.url)('@ffmpeg/core')({
    instantiateWasm: (imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) => {
      done(new WebAssembly.Instance(module, imports));
      return {};
    },
  });
}

/**
 * Runs the decoder's own package, which can encode H.264 as well (its other encoders crash or never end), on files by
 * name; answers the one it was asked to write.
 */
export async function ffmpeg(
  files: Readonly<Record<string, Uint8Array>>,
  output: string,
  options: readonly string[],
): Promise<Uint8Array> {
  const core = await openFfmpeg();
  core.setTimeout(600_000); // of wall clock, which says little on a busy machine
  const log: string[] = [];
  core.setLogger(({ message }) => log.push(message));
  for (const [name, bytes] of Object.entries(files)) core.FS.writeFile(name, bytes);
  const status = core.exec(...options, output);
  if (status !== 0) throw new Error(`ffmpeg: ${log.slice(-5).join('\n')}`);
  return Uint8Array.from(core.FS.readFile(output));
}
