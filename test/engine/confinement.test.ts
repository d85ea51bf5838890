import { copyFile, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeConfined } from '../../engine/confined.ts';
import { freshDecoders, type PhotoDecoder, type PhotoMetadata, startDecoder } from '../../engine/photo.ts';
import { videoLimits } from '../../engine/video.ts';

const require = createRequire(import.meta.url);
const sharpScript = path.join(
  path.dirname(require.resolve('@img/sharp-wasm32/sharp.node')),
  'lib',
  `sharp-wasm32-${sharp.versions.sharp}.node.js`,
);

/** What an attacker would want of a decoder, seen from outside: files in a directory, and calls at a port. */
interface Loot {
  readonly directory: string;
  readonly port: number;
}

/**
 * Script in a decoder's place tries every way out that it can name: it gets hold of `process` and of modules, compiles
 * text, reads /proc/self/environ, writes what it read to a file and sends it to a port, and starts a process.
 */
const attack = ({ directory, port }: Loot) => `
const attempt = (work) => { try { work(); } catch {} };
const outer = [module, exports, require, globalThis, (() => {}), (async () => {}), (function* () {}), new Error(), []];
const reach = (value) => { outer.push(value); if (Object.prototype.toString.call(value) === '[object Promise]') value.catch(() => {}); };
for (const name of Object.getOwnPropertyNames(globalThis)) attempt(() => reach(globalThis[name]));
const seen = new Set();
for (let at = 0; at < outer.length && seen.size < 20000; at += 1) {
  const value = outer[at];
  if (value === null || !['object', 'function'].includes(typeof value) || seen.has(value)) continue;
  seen.add(value);
  attempt(() => reach(Object.getPrototypeOf(value)));
  for (const key of Reflect.ownKeys(value)) {
    attempt(() => reach(value[key]));
    attempt(() => { const { get } = Object.getOwnPropertyDescriptor(value, key); if (get) reach(get), reach(get.call(value)); });
  }
}
const rob = (process, require) => {
  const module = (name) => { try { return require('node:' + name); } catch { return process.getBuiltinModule('node:' + name); } };
  attempt(() => {
    const environment = module('fs').readFileSync('/proc/self/environ');
    module('fs').writeFileSync(${JSON.stringify(directory)} + '/environment', environment);
  });
  attempt(() => module('child_process').execFileSync('/usr/bin/touch', [${JSON.stringify(directory)} + '/process']));
  attempt(() => module('http').get('http://127.0.0.1:${port}/http').on('error', () => {}));
  attempt(() => module('net').connect(${port}, '127.0.0.1').end('GET /net HTTP/1.0\\r\\n\\r\\n'));
};
const compilers = new Set();
for (const value of seen) if (typeof value === 'function') attempt(() => compilers.add(value.constructor));
let compiled = false;
for (const compile of compilers) attempt(() => { compiled ||= compile('return true')(); });
for (const compile of compilers) attempt(() => rob(compile('return process')(), require));
attempt(() => rob(globalThis.process, require));
attempt(() => rob(process.mainModule, process.mainModule.require));
attempt(() => rob((0, eval)('process'), require));
attempt(() => process.binding('spawn_sync').spawn({ file: '/usr/bin/touch', args: ['touch', ${JSON.stringify(directory)} + '/bound'] }));
for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'])
  attempt(() => { const ask = globalThis[name]; name === 'fetch' ? ask('http://127.0.0.1:${port}/fetch') : new ask('ws://127.0.0.1:${port}/socket'); });
attempt(() => import('node:process').then((process) => rob(process.default, require), (error) => rob(error.constructor.constructor('return process')(), require)).catch(() => {}));
const reached = seen.size;`;

let calls: string[] = [];
let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => {
    calls.push(request.url ?? '');
    response.end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(() => server.close());

/** Lets the attack run, and answers what it got. */
async function lootOf(run: (script: string, file: string) => Promise<unknown>): Promise<string[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-loot-'));
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'bonafide-attack-')), 'script.cjs');
  calls = [];
  const script = attack({ directory, port: (server.address() as AddressInfo).port });
  await writeFile(file, script);
  await run(script, file);
  await wait(200);
  return [...(await readdir(directory)), ...new Set(calls)].toSorted();
}

const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const compiledSharp = async () => WebAssembly.compile(await readFile(sharpScript.replace(/js$/, 'wasm')));

describe.runIf(process.platform === 'linux')('Script in the place of a decoder', () => {
  it('gets all that the attack looks for in a worker without a realm: the attack works', async () => {
    const loot = await lootOf(async (script, file) => {
      await writeFile(
        file,
        `for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, () => {});${script}`,
      );
      const worker = new Worker(file, { env: {} });
      await new Promise((ended) => worker.once('exit', ended));
    });
    expect(loot).toEqual(expect.arrayContaining(['environment', 'process', '/fetch', '/http', '/net']));
  });

  it('gets no file, no process and no network where photos are decoded', async () => {
    let seen: PhotoMetadata | undefined;
    const loot = await lootOf(async (script, file) => {
      const told = 'module.exports = answering({ width: reached, isProgressive: compiled });';
      await writeFile(file, script + answering + told);
      const decoder = startDecoder(await compiledSharp(), file);
      await decoder.ready;
      seen = await decoder.metadata(new Uint8Array(8));
      await decoder.end();
    });
    expect(loot).toEqual([]);
    expect(seen?.width).toBeGreaterThan(500);
    expect(seen?.isProgressive, 'text was compiled').toBe(false);
  });

  it('gets no file, no process and no network where HEICs are decoded', async () => {
    const loot = await lootOf(async (_, libheifScript) => {
      const libheif = await WebAssembly.compile(empty);
      const request = { bytes: new Uint8Array(8), maximumPixels: 1, libheif, libheifScript };
      await decodeConfined(request, { worker: 'heic-worker', milliseconds: 20_000, heapMegabytes: 64 });
    });
    expect(loot).toEqual([]);
  });

  it('gets no file, no process and no network where videos are decoded', async () => {
    const loot = await lootOf(async (_, ffmpegScript) => {
      const ffmpeg = await WebAssembly.compile(empty);
      const picture = { times: [0], decodedTimes: [0], widthPx: 8, heightPx: 8 };
      const streams = { bytes: new Uint8Array(8), picture, sounds: [] };
      const request = { ...streams, limits: videoLimits, ffmpeg, ffmpegScript };
      await decodeConfined(request, { worker: 'video-worker', milliseconds: 20_000, heapMegabytes: 64 });
    });
    expect(loot).toEqual([]);
  });
});

/** What the engine asks a decoder when it has started, and then for a header. */
const answering = `
;const answering = (metadata) => ({
  block() {},
  pipeline(_, done) { done(null, new Uint8Array(3), { width: 1, height: 1, channels: 3 }); },
  metadata(_, done) {
    const facts = { format: 'png', width: 1, height: 1, isProgressive: false, autoOrient: { width: 1, height: 1 } };
    setTimeout(() => done(null, { ...facts, ...metadata }), 100);
  },
});`;

/**
 * Behind sharp's own script, in its scope: what a memory error in its wasm can do is to call these functions, with any
 * arguments. Opens a file, and gets at `Function` through Node-API to run text.
 */
const attackByImports = `
;const stolen = {};
{
  const imported = (work) => { if (!Object.values(wasmImports).includes(work)) throw new Error('wasm does not import it'); return work; };
  const bytes = (text) => { const at = _malloc(text.length + 1); stringToUTF8(text, at, text.length + 1); return at; };
  const result = _malloc(8);
  const value = () => HEAPU32[result >> 2];
  const descriptor = imported(___syscall_openat)(-100, bytes('/proc/self/environ'), 0, 0);
  stolen.file = descriptor >= 0;
  const envObject = [0, 1, 2, 3].map((id) => emnapiCtx.envStore.get(id)).find((environment) => environment);
  const env = envObject.id;
  emnapiCtx.openScope(envObject);
  imported(_napi_create_object)(env, result);
  const object = value();
  const get = (of, name) => (imported(_napi_get_named_property)(env, of, bytes(name), result), value());
  const compile = get(get(object, 'constructor'), 'constructor');
  const text = 'return typeof process.getBuiltinModule';
  imported(_napi_create_string_utf8)(env, bytes(text), text.length, result);
  const given = _malloc(8);
  HEAPU32[given >> 2] = value();
  const call = (what, count) => imported(_napi_call_function)(env, object, what, count, given, result) === 0;
  stolen.script = call(compile, 1) && call(value(), 0) && emnapiCtx.handleStore.get(value()).value === 'function';
}
module.exports = { stolen, ...answering({ format: JSON.stringify(stolen) }) };`;

describe.runIf(process.platform === 'linux')('A memory error in the wasm that decodes photos', () => {
  /** sharp's script and the attack behind it, as a file beside the wasm. */
  async function attackingScript(napi: string): Promise<string> {
    const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-attack-'));
    const wasm = sharpScript.replace(/js$/, 'wasm');
    await copyFile(wasm, path.join(directory, path.basename(wasm)));
    const script = (await readFile(sharpScript, 'utf8')).replace('@emnapi/runtime', napi);
    const file = path.join(directory, 'script.cjs');
    await writeFile(file, script + answering + attackByImports);
    return file;
  }

  it('opens any file and runs any text through what wasm imports, without a realm: the attack works', async () => {
    const file = await attackingScript(createRequire(sharpScript).resolve('@emnapi/runtime'));
    const post = `require('node:worker_threads').parentPort.postMessage(require(${JSON.stringify(file)}).stolen);`;
    const worker = new Worker(post, { eval: true, env: {} });
    const stolen = await new Promise((answer) => worker.once('message', answer));
    await worker.terminate();
    expect(stolen).toEqual({ file: true, script: true });
  });

  it('opens no file and runs no text through what wasm imports', async () => {
    const decoder = startDecoder(await compiledSharp(), await attackingScript('@emnapi/runtime'));
    await decoder.ready;
    expect((await decoder.metadata(new Uint8Array(8)))?.format).toBe('{"file":false,"script":false}');
    await decoder.end();
  });
});

describe('A photo', () => {
  it('is decoded by a decoder that has seen no other, whatever its threads still do', async () => {
    const decoders = freshDecoders();
    await decoders.prepare();
    const lent = new Set<unknown>();
    for (let photo = 0; photo < 3; photo += 1) await decoders.use(async (decoder) => lent.add(decoder));
    expect(lent.size).toBe(3);
    const [first] = lent as Set<PhotoDecoder>;
    expect(
      await first?.metadata(
        await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
          .png()
          .toBuffer(),
      ),
    ).toBe(undefined);
  });
});
