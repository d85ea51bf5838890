import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import {
  MessageChannel,
  type MessagePort,
  moveMessagePortToContext,
  receiveMessageOnPort,
  type Transferable,
} from 'node:worker_threads';

/** A place in which a decoder's script runs, and nothing else. */
export interface Realm {
  /** Runs a CommonJS script of a decoder in the realm; answers what it exports. */
  readonly run: (file: string) => unknown;
  /** Makes what a script exported a module that scripts after it may ask for. */
  readonly provide: (name: string, exported: unknown) => void;
  /** What an Emscripten script takes as its options: by them it makes an instance of the realm's wasm. */
  readonly emscripten: object;
  /** The realm's own copy of a value that can be posted: nothing of this side leads out of it. */
  readonly adopt: <Value>(value: Value, transfer?: readonly Transferable[]) => Value;
  /** Hands a port over to the realm. */
  readonly takeIn: (port: MessagePort) => RealmPort;
  /** Evaluates an expression in the realm. */
  readonly evaluate: (script: string) => unknown;
}

/** What is left of a port inside a realm. */
export interface RealmPort {
  onmessage?: (event: { data: unknown }) => void;
  readonly postMessage: (message: unknown) => void;
  readonly start: () => void;
}

export interface RealmOptions {
  /** What every `new WebAssembly.Module` in it answers: the decoder's wasm, compiled on this side. */
  readonly wasm?: WebAssembly.Module;
  readonly memoryBytes: number;
  /** Starts a thread of the decoder; answers the port to it. Without, the decoder has none. */
  readonly startThread?: () => RealmPort;
  /** Of the decoder's threads: they are told apart from the decoder by it. */
  readonly role?: 'em-pthread';
}

/**
 * The globals of a decoder's script, in the realm's own language. Emscripten's scripts ask for Node's modules by name;
 * those that are asked for are here, without what they are for: no file opens but the three standard ones, which are
 * empty, there is no socket, no process, no other module, and random numbers are always the same ones.
 */
const globals = `
'use strict';
({ host, role, memoryBytes, wasm }) => {
  const refuse = () => { throw Object.assign(new Error('refused'), { code: 'EACCES' }); };
  const allowed = { fstatSync: () => ({ ino: 0, mode: 0o20000 }), writeSync: () => 0, readFileSync: () => new Uint8Array() };
  const fs = new Proxy(allowed, { get: (known, name) => (Object.hasOwn(known, name) ? known[name] : refuse) });
  const normalize = (path) => (path[0] === '/' ? '/' : '') + path.split('/').filter((part) => part !== '' && part !== '.').join('/') || '.';
  const path = {
    normalize,
    isAbsolute: (path) => path[0] === '/',
    join: (...parts) => normalize(parts.join('/')),
    dirname: (path) => normalize(path.slice(0, path.lastIndexOf('/') + 1) || '.'),
    basename: (path) => path.slice(path.lastIndexOf('/') + 1),
  };
  class Worker {
    constructor() { this.port = host.startThread(); }
    on(event, listen) { if (event === 'message') this.port.onmessage = ({ data }) => listen(data); }
    postMessage(message) { this.port.postMessage(message); }
    ref() {}
    unref() {}
    terminate() {}
  }
  const modules = {
    'node:fs': fs,
    'node:path': path,
    'node:worker_threads': { Worker, isMainThread: false, workerData: role },
    'node:util': { inspect: String },
    'node:crypto': { randomFillSync: (view) => view.fill(7) },
    'node:os': { cpus: () => [{}] },
    'node:tty': { isatty: () => false },
  };

  const pageBytes = 65536;
  const { Memory } = WebAssembly;
  const grow = Memory.prototype.grow;
  Memory.prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * pageBytes > memoryBytes) throw new RangeError('memory limit');
    return grow.call(this, pages);
  };
  WebAssembly.Memory = function ({ initial, maximum, shared }) {
    return new Memory({ initial, maximum: Math.min(maximum ?? Infinity, memoryBytes / pageBytes), shared });
  };
  WebAssembly.Memory.prototype = Memory.prototype;
  WebAssembly.Module = function () { return wasm; };

  const setTimeout = (work, milliseconds = 0, ...given) => host.later(() => work(...given), milliseconds);
  Object.assign(globalThis, {
    setTimeout,
    setImmediate: (work, ...given) => setTimeout(work, -1, ...given),
    performance: { timeOrigin: 0, now: () => host.now() },
    console: { log() {}, warn() {}, error() {}, info() {}, debug() {} },
    crypto: { getRandomValues: (view) => view.fill(7) },
    TextDecoder: class {
      constructor(encoding = 'utf-8') { this.encoding = encoding; }
      decode(bytes) { return host.decode(bytes, this.encoding); }
    },
    Buffer: class Buffer extends Uint8Array {
      static from(...given) { return new Buffer(...given); }
      static isBuffer(value) { return value instanceof Uint8Array; }
    },
    MessageChannel: class { port1 = { ref() {}, unref() {} }; },
  });
  const provide = (name, exported) => { modules[name] = exported; };
  const run = (compiled) => {
    const module = { exports: {} };
    const require = (name) => (Object.hasOwn(modules, name) ? modules[name] : refuse());
    compiled.call(undefined, module, module.exports, require, '/decoder.js', '/');
    return module.exports;
  };
  const instantiateWasm = (imports, done) => {
    const instance = new WebAssembly.Instance(wasm, imports);
    done(instance);
    return instance.exports;
  };
  return { run, provide, emscripten: { instantiateWasm } };
}`;

/** A function of this side for a realm to call: it leads nowhere, throws nothing, and must answer no object of this side. */
export function lend<Given extends readonly unknown[], Answer>(work: (...given: Given) => Answer) {
  const guarded = (...given: Given): Answer | undefined => {
    try {
      return work(...given);
    } catch {
      return undefined;
    }
  };
  return Object.setPrototypeOf(guarded, null);
}

/** Without a prototype, which would lead to this side. */
const bareObject = (properties: object): object => Object.assign(Object.create(null), properties);

/** Nothing compiles text on this side either, should a realm ever get hold of one of this side's objects. */
function disarm(): void {
  const kinds = [() => undefined, async () => undefined, function* () {}, async function* () {}];
  for (const kind of kinds) Reflect.defineProperty(Object.getPrototypeOf(kind), 'constructor', { value: undefined });
}

/**
 * Opens a realm: its own `Object`, `Function` and so on, with what the language itself has and the globals above. A
 * memory error in wasm can call what wasm imports, with any arguments. Of sharp that is Node-API, by which wasm reads
 * properties and calls functions: `{}.constructor.constructor('…')()` is any script. So refusing files is not enough:
 * in the realm no text is ever compiled, and nothing that can be reached from there is more than the realm.
 */
export function openRealm({ wasm, memoryBytes, startThread, role }: RealmOptions): Realm {
  disarm();
  const codeGeneration = { strings: false, wasm: false };
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY as unknown as vm.Context, { codeGeneration });
  const takeIn = (port: MessagePort): RealmPort => moveMessagePortToContext(port, context) as unknown as RealmPort;
  const adopt = <Value>(value: Value, transfer: readonly Transferable[] = []): Value => {
    const { port1, port2 } = new MessageChannel();
    const inside = moveMessagePortToContext(port2, context);
    port1.postMessage(value, transfer);
    const { message } = receiveMessageOnPort(inside) as { message: Value };
    port1.close();
    return message;
  };
  const evaluate = (script: string) => vm.runInContext(script, context, { filename: 'realm' });

  const decoders = new Map<string, InstanceType<typeof TextDecoder>>();
  const host = bareObject({
    startThread: startThread && lend(startThread),
    later: lend((work: () => void, milliseconds: number) => {
      if (milliseconds < 0) setImmediate(work);
      else setTimeout(work, milliseconds);
    }),
    now: lend(() => performance.now()),
    decode: lend((bytes: Uint8Array, encoding: string) => {
      const decoder = decoders.get(encoding) ?? new TextDecoder(encoding);
      decoders.set(encoding, decoder);
      return decoder.decode(bytes);
    }),
  });
  type Prepare = (given: object) => { run: (script: object) => unknown; provide: Realm['provide']; emscripten: object };
  const prepare = evaluate(globals) as Prepare;
  const inside = prepare(bareObject({ host, role, memoryBytes, wasm: wasm && adopt(wasm) }));
  const run = (file: string) => {
    const parameters = ['module', 'exports', 'require', '__filename', '__dirname'];
    return inside.run(
      vm.compileFunction(readFileSync(file, 'utf8'), parameters, { parsingContext: context, filename: '/decoder.js' }),
    );
  };
  return { run, provide: inside.provide, emscripten: inside.emscripten, adopt, takeIn, evaluate };
}
