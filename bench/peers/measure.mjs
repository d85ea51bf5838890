/**
 * One peer in a process of its own: `node measure.mjs human|face-api <modules> <selfie.jpg> <card.jpg>`.
 * Both photos decoded by sharp, faces found, described and compared; human also asks its anti-spoof model.
 * Prints the milliseconds of each run after the warm-up, of both photos and of the selfie alone, and the similarity.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';

const [peer, modules, selfieFile, cardFile] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'x.js'));
const inModules = (...parts) => path.join(modules, 'node_modules', ...parts);
const url = (...parts) => `${pathToFileURL(inModules(...parts)).href}/`;

// Node's fetch knows no files, and human loads its models with it.
const overNetwork = globalThis.fetch;
globalThis.fetch = async (address, options) =>
  String(address).startsWith('file:')
    ? new Response(await readFile(fileURLToPath(String(address))))
    : overNetwork(address, options);

const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(`${inModules('@tensorflow/tfjs-backend-wasm/dist')}/`);
await tf.setBackend('wasm');
await tf.ready();

async function open(bytes) {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, shape: [info.height, info.width, 3] };
}

async function faceApi() {
  const api = require(inModules('@vladmandic/face-api/dist/face-api.node-wasm.js'));
  for (const net of ['ssdMobilenetv1', 'faceLandmark68Net', 'faceRecognitionNet']) {
    await api.nets[net].loadFromDisk(inModules('@vladmandic/face-api/model'));
  }
  const describe = async (bytes) => {
    const { data, shape } = await open(bytes);
    const tensor = api.tf.tensor3d(data, shape, 'int32');
    const found = await api
      .detectSingleFace(tensor, new api.SsdMobilenetv1Options())
      .withFaceLandmarks()
      .withFaceDescriptor();
    tensor.dispose();
    return found?.descriptor;
  };
  return { describe, compare: (one, other) => api.euclideanDistance(one, other) };
}

async function human() {
  const { Human } = require(inModules('@vladmandic/human/dist/human.node-wasm.js'));
  const off = { enabled: false };
  const engine = new Human({
    backend: 'wasm',
    wasmPath: `${inModules('@tensorflow/tfjs-backend-wasm/dist')}/`,
    modelBasePath: url('@vladmandic/human/models'),
    cacheSensitivity: 0,
    face: {
      detector: { rotation: false },
      mesh: { enabled: true },
      iris: off,
      emotion: off,
      description: { enabled: true },
      antispoof: { enabled: true },
    },
    body: off,
    hand: off,
    gesture: off,
    object: off,
    filter: off,
  });
  await engine.load();
  const describe = async (bytes) => {
    const { data, shape } = await open(bytes);
    const tensor = engine.tf.tensor4d(data, [1, ...shape], 'int32');
    const { face } = await engine.detect(tensor);
    tensor.dispose();
    return face[0]?.embedding;
  };
  return { describe, compare: (one, other) => engine.match.similarity(one, other) };
}

const { describe, compare } = await (peer === 'human' ? human() : faceApi());
const [selfie, card] = [await readFile(selfieFile), await readFile(cardFile)];
const photoVerify = [];
const perPhoto = [];
let similarity = null;
for (let run = -2; run < 8; run += 1) {
  const from = performance.now();
  const one = await describe(selfie);
  const between = performance.now();
  const other = await describe(card);
  similarity = one && other ? compare(one, other) : null;
  if (run < 0) continue;
  perPhoto.push(between - from);
  photoVerify.push(performance.now() - from);
}
const peakBytes = process.resourceUsage().maxRSS * 1024;
console.log(JSON.stringify({ photoVerify, perPhoto, similarity, backend: tf.getBackend(), peakBytes }));
process.exit(0);
