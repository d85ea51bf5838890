import { parentPort, workerData } from 'node:worker_threads';
import { type ColourConversion, displayP3, maximumProfileBytes, readProfile } from './colour.ts';
import { type Orientation, readOrientation } from './exif.ts';
import type { RgbImage } from './pixels.ts';
import { openRealm } from './realm.ts';

/** What the worker is given; the wasm arrives compiled, so a second HEIC does not pay for that again. */
export interface HeicRequest {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly maximumPixels: number;
  readonly libheif: WebAssembly.Module;
  readonly libheifScript: string;
}

export type HeicAnswer =
  | {
      readonly kind: 'decoded';
      readonly image: RgbImage;
      /** How the picture is stored, after what the container itself turns. */
      readonly orientation: Orientation;
      /** Absent: the pixels are sRGB, or the file does not say plausibly what they are. */
      readonly colours?: ColourConversion | undefined;
    }
  | { readonly kind: 'too_large'; readonly pixels: number }
  | { readonly kind: 'unreadable' };

/** The part of libheif's wasm interface that is used. A failing call answers an object with a `code`. */
interface Libheif {
  heif_context_alloc(): Wrapped;
  heif_context_read_from_memory(context: object, bytes: Uint8Array): { code: unknown };
  heif_js_context_get_primary_image_handle(context: object): Wrapped | { code: unknown };
  heif_image_handle_get_width(handle: object): number;
  heif_image_handle_get_height(handle: object): number;
  heif_js_decode_image2(handle: object, colourSpace: unknown, chroma: unknown): HeifImage | { code: unknown };
  heif_error_code: { heif_error_Ok: unknown };
  heif_colorspace: { heif_colorspace_RGB: unknown };
  heif_chroma: { heif_chroma_interleaved_RGB: unknown };
  // What follows are the plain C functions (libheif's heif.h), which take pointers. A heif_error that a function answers
  // is written to 16 bytes that its first argument points to.
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(bytes: number): number;
  _heif_image_handle_get_item_id(handle: number): number;
  _heif_item_get_transformation_properties(context: number, item: number, ids: number, count: number): number;
  _heif_item_get_property_type(context: number, item: number, property: number): number;
  _heif_item_get_property_transform_rotation_ccw(context: number, item: number, property: number): number;
  _heif_image_handle_get_list_of_metadata_block_IDs(handle: number, type: number, ids: number, count: number): number;
  _heif_image_handle_get_metadata_size(handle: number, block: number): number;
  _heif_image_handle_get_metadata(error: number, handle: number, block: number, out: number): void;
  _heif_image_handle_get_color_profile_type(handle: number): number;
  _heif_image_handle_get_raw_color_profile_size(handle: number): number;
  _heif_image_handle_get_raw_color_profile(error: number, handle: number, out: number): void;
  _heif_image_handle_get_nclx_color_profile(error: number, handle: number, out: number): void;
}

/** What embind hands out for a pointer. */
interface Wrapped {
  readonly $$: { readonly ptr: number };
}

interface HeifImage {
  readonly channels: readonly { width: number; height: number; stride: number; data: Uint8Array }[];
}

type OpenLibheif = (options: object) => Libheif;

/** A 26 megapixel photo takes 190 MB inside libheif; the file's own claims are not trusted for the rest. */
const memoryBytes = 448 * 1024 * 1024;

const codeOf = (text: string) => Buffer.from(text, 'latin1').readUInt32BE();
const mostTransformations = 16;

/** Pointers to what was read. Nothing is freed: the memory ends with the worker. */
interface Container {
  readonly heif: Libheif;
  readonly context: number;
  readonly handle: number;
}

/** The bytes that a C function writes behind the pointer it is given. */
function written(heif: Libheif, bytes: number, write: (pointer: number) => void): Buffer {
  const pointer = heif._malloc(bytes);
  if (pointer === 0) throw new RangeError('memory limit');
  heif.HEAPU8.fill(0, pointer, pointer + bytes);
  write(pointer);
  // Asked for anew: memory that grew is another buffer.
  return Buffer.from(heif.HEAPU8.slice(pointer, pointer + bytes));
}

/** The same, of a function that answers a heif_error, which begins with its code. A file whose facts cannot be read is cut. */
function writtenOrThrown(heif: Libheif, bytes: number, write: (error: number, pointer: number) => void): Buffer {
  const errorBytes = 16;
  const both = written(heif, errorBytes + bytes, (pointer) => write(pointer, pointer + errorBytes));
  if (both.readUInt32LE() !== 0) throw new RangeError('cut off');
  return both.subarray(errorBytes);
}

/**
 * How the picture is stored, after libheif applied what the container says (irot, imir; clap is a crop).
 *
 * The container decides: in ISO/IEC 23008-12 EXIF describes and does not turn, and phones that write both say the same
 * twice, so EXIF must not be applied on top (libheif issue 227, libvips issue 2551). Some files say it in EXIF alone
 * (libheif issue 680), which ISO/IEC 23000-22 advises against; previews of macOS are reported to turn them
 * (imgproxy issue 1418), and a person who sees an upright selfie must not be told it lies. So EXIF decides where the
 * container turns nothing: no irot, no imir, or an irot of 0 degrees.
 */
function orientationOf({ heif, context, handle }: Container): Orientation {
  const item = heif._heif_image_handle_get_item_id(handle);
  let count = 0;
  const properties = written(heif, 4 * mostTransformations, (ids) => {
    count = heif._heif_item_get_transformation_properties(context, item, ids, mostTransformations);
  });
  for (let index = 0; index < Math.min(count, mostTransformations); index += 1) {
    const property = properties.readUInt32LE(4 * index);
    const type = heif._heif_item_get_property_type(context, item, property);
    if (type === codeOf('imir')) return 1;
    if (type !== codeOf('irot')) continue;
    if (heif._heif_item_get_property_transform_rotation_ccw(context, item, property) !== 0) return 1;
  }
  return exifOrientation(heif, handle);
}

/** EXIF in a JPEG has at most 64 kB; an item of more is not read. */
const maximumExifBytes = 65_536;

function exifOrientation(heif: Libheif, handle: number): Orientation {
  let count = 0;
  const ids = written(heif, 4, (id) => {
    written(heif, 5, (type) => {
      heif.HEAPU8.set(Buffer.from('Exif'), type);
      count = heif._heif_image_handle_get_list_of_metadata_block_IDs(handle, type, id, 1);
    });
  });
  if (count === 0) return 1;
  const block = ids.readUInt32LE();
  const bytes = heif._heif_image_handle_get_metadata_size(handle, block);
  if (bytes > maximumExifBytes) return 1;
  return readOrientation(
    writtenOrThrown(heif, bytes, (error, exif) => heif._heif_image_handle_get_metadata(error, handle, block, exif)),
  );
}

/** ITU-T H.273: the primaries of Display P3, and sRGB's curve. */
const [displayP3Primaries, srgbCurve] = [12, 13];

function coloursOf({ heif, handle }: Container): ColourConversion | undefined {
  const type = heif._heif_image_handle_get_color_profile_type(handle);
  if (type === codeOf('nclx')) {
    const profile = writtenOrThrown(heif, 4, (error, pointer) =>
      heif._heif_image_handle_get_nclx_color_profile(error, handle, pointer),
    ).readUInt32LE();
    // A version (1 byte, 3 spare), then primaries, transfer and matrix as integers of 4 bytes.
    const [primaries, transfer] = [4, 8].map((offset) => heif.HEAPU8[profile + offset]);
    return primaries === displayP3Primaries && transfer === srgbCurve ? displayP3() : undefined;
  }
  if (type !== codeOf('rICC') && type !== codeOf('prof')) return undefined;
  const bytes = heif._heif_image_handle_get_raw_color_profile_size(handle);
  if (bytes > maximumProfileBytes) return undefined;
  return readProfile(
    writtenOrThrown(heif, bytes, (error, profile) =>
      heif._heif_image_handle_get_raw_color_profile(error, handle, profile),
    ),
  );
}

function decode(request: HeicRequest): HeicAnswer {
  const realm = openRealm({ wasm: request.libheif, memoryBytes });
  const heif = (realm.run(request.libheifScript) as OpenLibheif)(realm.emscripten);
  const context = heif.heif_context_alloc();
  const { code } = heif.heif_context_read_from_memory(context, realm.adopt(request.bytes));
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
  const container = { heif, context: context.$$.ptr, handle: handle.$$.ptr };
  const image = { width, height, pixels: packed };
  return { kind: 'decoded', image, orientation: orientationOf(container), colours: coloursOf(container) };
}

function answer(message: HeicAnswer | 'started'): void {
  const transfer = typeof message === 'object' && message.kind === 'decoded' ? [message.image.pixels.buffer] : [];
  parentPort?.postMessage(message, transfer as ArrayBuffer[]);
}

answer('started');
try {
  answer(decode(workerData as HeicRequest));
} catch {
  answer({ kind: 'unreadable' });
}
