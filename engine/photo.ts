import { createRequire } from 'node:module';
import path from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import sharp, { type Sharp } from 'sharp';
import * as z from 'zod';
import { compiledOnce, copyOf, startConfined } from './confined.ts';
import type { PhotoQuestion, PhotoWorkerData } from './photo-worker.ts';
import type { RgbImage } from './pixels.ts';

/** A confined decoder of JPEG, PNG and WebP: libvips as wasm in a realm (`realm.ts`), in threads of its own. */
export interface PhotoDecoder {
  /** What the file's header says; undefined where it cannot be read. */
  readonly metadata: (bytes: Uint8Array) => Promise<PhotoMetadata | undefined>;
  /** The pixels that sharp's `recipe` makes of the file (its own input is not looked at); undefined where it fails. */
  readonly pixels: (bytes: Uint8Array, recipe: Sharp) => Promise<RgbImage | undefined>;
  /** Resolves when no other decoder holds a large photo; from then on this one may, to its end. */
  readonly alone: () => Promise<void>;
}

const metadata = z.object({
  format: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  isProgressive: z.boolean(),
  /** Upright. */
  autoOrient: z.object({ width: z.int().positive(), height: z.int().positive() }),
});
export type PhotoMetadata = z.infer<typeof metadata>;

/** A hostile file may have made the decoder say anything: pixels are as many as they are said to be, and its own alone. */
const pixels = z
  .object({
    width: z.int().positive(),
    height: z.int().positive(),
    channels: z.literal(3),
    pixels: z.instanceof(Uint8Array<ArrayBuffer>),
  })
  .refine(({ width, height, pixels }) => pixels.length === width * height * 3 && pixels.buffer instanceof ArrayBuffer);

/** Decoders for captures, and when they are started. */
export interface PhotoDecoders {
  /** Lends a decoder. Where it takes longer than a photo may, it ends, and answers what it has not answered with undefined. */
  readonly use: <Result>(work: (decoder: PhotoDecoder) => Promise<Result>) => Promise<Result>;
  /** Resolves when the next captures find decoders that have started. */
  readonly prepare: () => Promise<void>;
  /** Ends those that wait for captures: a video needs their memory. */
  readonly dismiss: () => void;
}

/** photo_verify decodes two captures at once. */
const spareDecoders = 2;
const timeoutSeconds = 20;
/** Of waiting for a start or a turn, too. */
const milliseconds = 30_000;
/** The largest photos tried need no more (`engine/notes/limits.md`). */
const memoryBytes = 512 * 1024 * 1024;
const heapMegabytes = 64;
const endsWithinMilliseconds = 500;

const require = createRequire(import.meta.url);
const packageDirectory = () => path.dirname(require.resolve('@img/sharp-wasm32/sharp.node'));
const scriptFile = () => path.join(packageDirectory(), 'lib', `sharp-wasm32-${sharp.versions.sharp}.node.js`);
const compiledSharp = compiledOnce(() => scriptFile().replace(/js$/, 'wasm'));
const napiScript = () => createRequire(scriptFile()).resolve('@emnapi/runtime/dist/emnapi.cjs.min');

/** In place of the file, in a recipe for one. */
export const noInput = Buffer.of(0);

/** To 8-bit sRGB inside a size. CMYK, 16 bit, grey and palettes become RGB; what is transparent, black. */
export const shrinking = (picture: Sharp, sizePx: number): Sharp =>
  picture
    .timeout({ seconds: timeoutSeconds })
    .resize({ width: sizePx, height: sizePx, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' });

/** sharp's options for its binding. Its JavaScript runs here, where it sees no capture. */
function jobOf(recipe: Sharp): string {
  const { options } = recipe as Sharp & { options: { input: object } };
  return JSON.stringify({ ...options, input: { ...options.input, buffer: undefined } });
}

const asItIs = jobOf(sharp(noInput, { limitInputPixels: false }));
/** A photo of a selfie's size. A decoder that has read it has its threads, code and memory before the first capture. */
const makeStartingPhoto = () =>
  sharp({ create: { width: 960, height: 1280, channels: 3, background: '#456' } })
    .jpeg()
    .toBuffer();
let startingPhoto: Promise<Buffer> | undefined;

interface Started extends Pick<PhotoDecoder, 'metadata' | 'pixels'> {
  /** Rejects where it could not start, which is no capture's fault. */
  readonly ready: Promise<void>;
  readonly isAlive: () => boolean;
  /** From here on it is asked nothing more. */
  readonly retire: () => void;
  readonly end: () => Promise<void>;
}

/** Starts a decoder. Once started it does not keep the process from ending; what waits for its answer has to. */
export function startDecoder(wasm: WebAssembly.Module, script = scriptFile()): Started {
  const { port1: port, port2 } = new MessageChannel();
  const decoder = { wasm, napiScript: napiScript() };
  const data: PhotoWorkerData = { port: port2, script, memoryBytes, heapMegabytes, decoder };
  const worker = startConfined('photo-worker', data, { transferList: [port2], heapMegabytes });

  let isAlive = true;
  let answer: ((message: unknown) => void) | undefined;
  const retire = () => {
    isAlive = false;
    answer?.(undefined);
  };
  const end = async () => {
    retire();
    port.close();
    await worker.terminate();
  };
  port.on('message', (message) => answer?.(message));
  const started = new Promise<void>((resolve, reject) => {
    worker.once('message', resolve);
    worker.on('error', reject);
    worker.once('exit', () => reject(new Error('A decoder ended before it had started')));
  });
  worker.on('error', end);
  worker.on('exit', end);

  const ask = (call: PhotoQuestion['call'], bytes: Uint8Array, job: string) =>
    new Promise<unknown>((resolve) => {
      if (!isAlive) return resolve(undefined);
      answer = resolve;
      const question: PhotoQuestion = { call, job, bytes: copyOf(bytes) };
      port.postMessage(question, [question.bytes.buffer as ArrayBuffer]);
    });
  const askPixels: PhotoDecoder['pixels'] = async (bytes, recipe) =>
    pixels.safeParse(await ask('pipeline', bytes, jobOf(recipe))).data;
  const ready = started.then(async () => {
    startingPhoto ??= makeStartingPhoto();
    const photo = await startingPhoto;
    await ask('metadata', photo, asItIs);
    if (!(await askPixels(photo, shrinking(sharp(noInput), 1280)))) throw new Error('A decoder does not decode');
  });
  const unref = () => {
    worker.unref();
    port.unref();
  };
  ready.then(unref, unref); // a spare's failure is its next user's
  return {
    ready,
    metadata: async (bytes) => metadata.safeParse(await ask('metadata', bytes, asItIs)).data,
    pixels: askPixels,
    isAlive: () => isAlive,
    retire,
    end,
  };
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** Lends a decoder until the work is done or has taken too long, and hands it back. */
async function lend<Result>(
  decoder: Started,
  work: (decoder: PhotoDecoder) => Promise<Result>,
  handBack: (large: boolean) => Promise<void>,
): Promise<Result> {
  const turn = Promise.withResolvers<void>();
  let large = false;
  const alone = async () => {
    large = true;
    const before = lastTurn;
    lastTurn = turn.promise;
    await before;
  };
  const deadline = setTimeout(decoder.end, milliseconds);
  try {
    await decoder.ready;
    return await work({ ...decoder, alone });
  } finally {
    clearTimeout(deadline);
    handBack(large).then(turn.resolve, turn.resolve);
  }
}

function takeAlive(decoders: Started[]): Started | undefined {
  for (let decoder = decoders.shift(); decoder; decoder = decoders.shift()) {
    if (decoder.isAlive()) return decoder;
  }
  return undefined;
}

/** For captures of strangers: each has a decoder that has seen no other, and is the last that this one sees. */
export function freshDecoders(): PhotoDecoders {
  const spares: Started[] = [];
  /** Ended by the next `prepare`, or soon: ending takes a processor from the models. */
  const used = new Set<() => Promise<void>>();
  return {
    use: async (work) => {
      const decoder = takeAlive(spares) ?? startDecoder(await compiledSharp());
      return lend(decoder, work, (large) => {
        decoder.retire();
        const end = () => decoder.end().finally(() => used.delete(end));
        used.add(end);
        if (large) return end();
        setTimeout(end, endsWithinMilliseconds).unref();
        return Promise.resolve();
      });
    },
    dismiss: () => {
      for (const spare of spares.splice(0)) void spare.end();
    },
    prepare: async () => {
      const wasm = await compiledSharp();
      await Promise.all([...used].map((end) => end()));
      while (spares.length < spareDecoders) spares.push(startDecoder(wasm));
      await Promise.all(spares.map(({ ready }) => ready));
    },
  };
}

/** A decoder's memory fills up: after some two thousand photos it refused large ones. */
const mostOfOneDecoder = 100;

/** For captures of one's own, in evaluation and tests: a decoder is used again, which saves its start. */
export function keptDecoders(): PhotoDecoders {
  const idle: Started[] = [];
  const uses = new WeakMap<Started, number>();
  return {
    use: async (work) => {
      const decoder = takeAlive(idle) ?? startDecoder(await compiledSharp());
      const used = (uses.get(decoder) ?? 0) + 1;
      uses.set(decoder, used);
      return lend(decoder, work, async () => {
        if (used < mostOfOneDecoder) idle.push(decoder);
        else await decoder.end();
      });
    },
    prepare: async () => undefined,
    dismiss: () => undefined,
  };
}
