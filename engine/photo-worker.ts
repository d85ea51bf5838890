import { MessageChannel, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { startConfined } from './confined.ts';
import { openRealm, type RealmPort } from './realm.ts';

/** What the worker is given: a decoder answers on the port, and starts more of these workers as its threads. */
export interface PhotoWorkerData {
  /** To the engine, or from a thread to its decoder. */
  readonly port: MessagePort;
  /** Of @img/sharp-wasm32. */
  readonly script: string;
  readonly memoryBytes: number;
  readonly heapMegabytes: number;
  /** Absent in a thread, which has them from its decoder. */
  readonly decoder?: { readonly wasm: WebAssembly.Module; readonly napiScript: string };
}

/** A question to the decoder; `job` is sharp's options as JSON. */
export interface PhotoQuestion {
  readonly call: 'metadata' | 'pipeline';
  readonly job: string;
  readonly bytes: Uint8Array;
}

/** sharp's script takes itself to be in Node. `constants` are flags for opening files. */
const nodeProcess = `globalThis.process = {
  versions: { node: '24.0.0' }, argv: [], env: {}, platform: 'linux',
  binding: () => ({ fs: {} }), on() {}, once() {}, exit() {}, cwd: () => '/',
};`;

/** A thread's messages come and go as a browser worker's. */
const threadPort = `(port) => {
  globalThis.postMessage = (message) => port.postMessage(message);
  port.onmessage = ({ data }) => globalThis.onmessage?.({ data });
}`;

/** Calls sharp's binding as its JavaScript does; only the three loaders that magic bytes can select are left. Pixels are copied out of the wasm's memory, which is shared, once: the copy is handed over. */
const answering = `(sharp, port) => {
  sharp.block(['VipsForeignLoad'], true);
  sharp.block(['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp'], false);
  const facts = ({ format, width, height, isProgressive, autoOrient }) => ({ format, width, height, isProgressive, autoOrient });
  const answers = {
    metadata: (metadata) => facts(metadata),
    pipeline: (data, { width, height, channels }) => ({ width, height, channels, pixels: new Uint8Array(data) }),
  };
  port.onmessage = ({ data: { call, job, bytes } }) => {
    const options = JSON.parse(job);
    options.input.buffer = bytes;
    options.debuglog = options.queueListener = () => {};
    sharp[call](options, (error, ...given) => {
      const answer = error ? undefined : answers[call](...given);
      port.postMessage(answer, answer?.pixels ? [answer.pixels.buffer] : []);
    });
  };
}`;

function startThread({ decoder: _, ...shared }: PhotoWorkerData): MessagePort {
  const { port1, port2 } = new MessageChannel();
  const thread: PhotoWorkerData = { ...shared, port: port2 };
  startConfined('photo-worker', thread, { transferList: [port2], heapMegabytes: shared.heapMegabytes });
  return port1;
}

const data = workerData as PhotoWorkerData;
const { script, memoryBytes, decoder } = data;
type Serve = (...given: readonly unknown[]) => void;
const begin = (port: RealmPort, serve: unknown, ...given: readonly unknown[]) => {
  (serve as Serve)(...given, port);
  port.start();
};
if (decoder) {
  const { wasm, napiScript } = decoder;
  const realm = openRealm({
    wasm,
    memoryBytes,
    startThread: () => {
      const port = realm.takeIn(startThread(data));
      port.start();
      return port;
    },
  });
  realm.evaluate(nodeProcess);
  realm.provide('@emnapi/runtime', realm.run(napiScript));
  const sharp = realm.run(script);
  begin(realm.takeIn(data.port), realm.evaluate(answering), sharp);
} else {
  const realm = openRealm({ memoryBytes, role: 'em-pthread' });
  realm.evaluate(nodeProcess);
  begin(realm.takeIn(data.port), realm.evaluate(threadPort));
  realm.run(script);
}
parentPort?.postMessage('started');
