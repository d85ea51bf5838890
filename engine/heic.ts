import { createRequire } from 'node:module';
import { compiledOnce, copyOf, decodeConfined } from './confined.ts';
import type { HeicAnswer, HeicRequest } from './heic-worker.ts';

const confinement = { worker: 'heic-worker', milliseconds: 20_000, heapMegabytes: 128 } as const;

const { resolve } = createRequire(import.meta.url);
const compiledLibheif = compiledOnce(() => resolve('libheif-js/libheif-wasm/libheif.wasm'));

/** A HEIC's primary image, decoded by libheif as wasm, in a worker that ends with it (`confined.ts` says what holds it). */
export async function decodeHeic(bytes: Uint8Array, maximumPixels: number): Promise<HeicAnswer> {
  const request: HeicRequest = {
    bytes: copyOf(bytes),
    maximumPixels,
    libheif: await compiledLibheif(),
    libheifScript: resolve('libheif-js/libheif-wasm/libheif.js'),
  };
  return decodeConfined<HeicAnswer>(request, confinement);
}
