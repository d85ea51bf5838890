/// <reference types="onnxruntime-web" />
/**
 * Looks at frames beside the page: a module worker with onnxruntime-web and the shipped detector and landmarks. It
 * fetches nothing: the page hands it wasm and weights, so that all of it ends with one abort.
 */
import * as ort from 'onnxruntime-web/wasm';
import type { Detector, Landmarker } from '../../../engine/faces.ts';
import { type Model, modelOf } from '../../../engine/model.ts';
import { type DecodedCapture, workingSizePx } from '../../../engine/pixels.ts';
import { jpegQuality } from '../picture.ts';
import { judge } from './judge.ts';
import type { Answer, Judgement, Request, ServedModel } from './messages.ts';

let judging: ((capture: DecodedCapture) => Promise<Judgement>) | undefined;
/** The frame that was judged last, until the next one: the picture that is taken is the one that was judged. */
let last: ImageBitmap | undefined;
let working: OffscreenCanvas | undefined;

const answer = (message: Answer) => postMessage(message);

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  switch (data.kind) {
    case 'open':
      open(data).then(
        () => answer({ kind: 'opened' }),
        (error: unknown) => answer({ kind: 'refused', why: String(error) }),
      );
      break;
    case 'look':
      look(data.frame).then(
        (judgement) => answer({ kind: 'judged', id: data.id, judgement }),
        () => answer({ kind: 'judged', id: data.id, judgement: undefined }),
      );
      break;
    case 'picture':
      (last ? pictureOf(last) : Promise.resolve(undefined)).then(
        (picture) => answer({ kind: 'pictured', id: data.id, picture }),
        () => answer({ kind: 'pictured', id: data.id, picture: undefined }),
      );
      break;
  }
});

async function open({ wasm, detector, landmarker, minimumFacePx }: Extract<Request, { kind: 'open' }>): Promise<void> {
  ort.env.wasm.numThreads = 1; // more need a page that is cross-origin isolated
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmBinary = wasm;
  ort.env.logLevel = 'error';
  const models = { detector: await openModel<Detector>(detector), landmarker: await openModel<Landmarker>(landmarker) };
  judging = (capture) => judge(capture, models, minimumFacePx);
  // The first run takes ten times as long as the next ones: it is no frame's.
  await judging({ image: { width: 8, height: 8, pixels: new Uint8Array(192) }, widthPx: 8, heightPx: 8 });
}

async function openModel<Opened extends Detector | Landmarker>({
  contract,
  weights,
}: ServedModel<Opened>): Promise<Model<Opened['contract']>> {
  const session = await ort.InferenceSession.create(new Uint8Array(weights), {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
  });
  return modelOf(contract, async (values, shape) => {
    const outputs = await session.run({ [contract.input.name]: new ort.Tensor('float32', values, shape) });
    return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data]));
  });
}

/** The frame is the worker's from here on, whatever becomes of it. */
async function look(frame: ImageBitmap | VideoFrame) {
  last?.close();
  last = frame instanceof ImageBitmap ? frame : await bitmapOf(frame);
  const judgement = await judging?.(capturedFrom(last));
  if (!judgement?.reasons.includes('too_noisy')) return judgement;
  // JPEG takes half of a camera's noise away: what the backend will see of it shows in the JPEG alone.
  const uploaded = await createImageBitmap(await pictureOf(last));
  try {
    return await judging?.(capturedFrom(uploaded));
  } finally {
    uploaded.close();
  }
}

/** A camera has few video frames to lend, and stops where they are kept. */
async function bitmapOf(frame: VideoFrame): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(frame);
  } finally {
    frame.close();
  }
}

/** As the engine's decoder hands a capture on: inside the working size, three bytes a pixel. */
function capturedFrom(frame: ImageBitmap): DecodedCapture {
  const scale = Math.min(1, workingSizePx / Math.max(frame.width, frame.height));
  const [width, height] = [Math.round(frame.width * scale), Math.round(frame.height * scale)];
  if (working?.width !== width || working.height !== height) working = new OffscreenCanvas(width, height);
  const canvas = working.getContext('2d', { willReadFrequently: true, alpha: false });
  if (!canvas) throw new Error('no canvas');
  canvas.imageSmoothingQuality = 'high';
  canvas.drawImage(frame, 0, 0, width, height);
  const { data } = canvas.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) {
    pixels[to] = data[from] as number;
    pixels[to + 1] = data[from + 1] as number;
    pixels[to + 2] = data[from + 2] as number;
  }
  return { image: { width, height, pixels }, widthPx: frame.width, heightPx: frame.height };
}

function pictureOf(frame: ImageBitmap): Promise<Blob> {
  const whole = new OffscreenCanvas(frame.width, frame.height);
  whole.getContext('2d', { alpha: false })?.drawImage(frame, 0, 0);
  return whole.convertToBlob({ type: 'image/jpeg', quality: jpegQuality });
}
