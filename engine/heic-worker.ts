import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { RgbImage } from './pixels.ts';

/** What the worker is given; the wasm arrives compiled, so a second HEIC does not pay for that again. */
export interface HeicRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly maximumPixels: number;
  readonly libheif: WebAssembly.Module;
  readonly libheifScript: string;
}

export type HeicAnswer =
  | { readonly kind: 'decoded'; readonly image: RgbImage }
  | { readonly kind: 'too_large'; readonly pixels: number }
  | { readonly kind: 'unreadable' };

/** The part of libheif's wasm interface that is used. A failing call answers an object with a `code`. */
interface Libheif {
  heif_context_alloc(): object;
  heif_context_read_from_memory(context: object, bytes: Uint8Array): { code: unknown };
  heif_js_context_get_primary_image_handle(context: object): object | { code: unknown };
  heif_image_handle_get_width(handle: object): number;
  heif_image_handle_get_height(handle: object): number;
  heif_js_decode_image2(handle: object, colourSpace: unknown, chroma: unknown): HeifImage | { code: unknown };
  heif_error_code: { heif_error_Ok: unknown };
  heif_colorspace: { heif_colorspace_RGB: unknown };
  heif_chroma: { heif_chroma_interleaved_RGB: unknown };
}

interface HeifImage {
  readonly channels: readonly { width: number; height: number; stride: number; data: Uint8Array }[];
}

type OpenLibheif = (options: {
  instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}) => Libheif;

/** A 26 megapixel photo takes 190 MB inside libheif; the file's own claims are not trusted for the rest. */
const maximumMemoryBytes = 448 * 1024 * 1024;
const wasmPageBytes = 65_536;

function limitMemory(): void {
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function limitedGrow(pages: number) {
    if (this.buffer.byteLength + pages * wasmPageBytes > maximumMemoryBytes) throw new RangeError('memory limit');
    return grow.call(this, pages);
  };
}

function openLibheif({ libheif, libheifScript }: HeicRequest): Libheif {
  const open: OpenLibheif = createRequire(import.meta.url)(libheifScript);
  return open({
    instantiateWasm: (imports, done) => {
      const instance = new WebAssembly.Instance(libheif, imports);
      done(instance);
      return instance.exports;
    },
  });
}

/**
 * libheif applies the container's rotation and mirroring (irot, imir) and its crop (clap); a HEIC's EXIF orientation
 * only repeats them and must not be applied again.
 */
function decode(request: HeicRequest): HeicAnswer {
  const heif = openLibheif(request);
  const context = heif.heif_context_alloc();
  const { code } = heif.heif_context_read_from_memory(context, request.bytes);
  if (code !== heif.heif_error_code.heif_error_Ok) return { kind: 'unreadable' };

  const handle = heif.heif_js_context_get_primary_image_handle(context);
  if ('code' in handle) return { kind: 'unreadable' };
  const pixels = heif.heif_image_handle_get_width(handle) * heif.heif_image_handle_get_height(handle);
  if (pixels > request.maximumPixels) return { kind: 'too_large', pixels };

  const decoded = heif.heif_js_decode_image2(
    handle,
    heif.heif_colorspace.heif_colorspace_RGB,
    heif.heif_chroma.heif_chroma_interleaved_RGB,
  );
  const [channel] = 'channels' in decoded ? decoded.channels : [];
  if (!channel || channel.width * channel.height > request.maximumPixels) return { kind: 'unreadable' };
  const { width, height, stride, data } = channel;
  const packed = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row += 1) {
    packed.set(data.subarray(row * stride, row * stride + width * 3), row * width * 3);
  }
  return { kind: 'decoded', image: { width, height, pixels: packed } };
}

function answer(message: HeicAnswer | 'started'): void {
  const transfer = typeof message === 'object' && message.kind === 'decoded' ? [message.image.pixels.buffer] : [];
  parentPort?.postMessage(message, transfer as ArrayBuffer[]);
}

answer('started');
limitMemory();
try {
  answer(decode(workerData as HeicRequest));
} catch {
  answer({ kind: 'unreadable' });
}
