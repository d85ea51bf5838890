import { lend, openRealm } from './realm.ts';

/** A decoded frame of eight bits and half the colours each way: brightness, then both colours, row by row without gaps. */
export interface PlanarFrame {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly planes: Uint8Array;
}

export interface Av1Script {
  readonly dav1d: WebAssembly.Module;
  readonly dav1dScript: string;
}

/** The part of ogv's build of dav1d that is used. */
interface Dav1d {
  readonly init: (done: () => void) => void;
  readonly processFrame: (packet: Uint8Array, done: (decoded: number) => void) => void;
  frameBuffer: Dav1dFrame | null;
}

interface Plane {
  readonly bytes: Uint8Array;
  readonly stride: number;
}

interface Dav1dFrame {
  readonly format: { readonly width: number; readonly height: number; chromaWidth: number; chromaHeight: number };
  readonly y: Plane;
  readonly u: Plane;
  readonly v: Plane;
}

type OpenDav1d = (options: object) => Promise<Dav1d>;

/** What decodes the packets of a stream one after the other. */
export interface Av1Stream {
  /** The frame that the next so many bytes show; undefined where they show none, or one whose colours are stored otherwise. */
  readonly next: (bytes: number) => PlanarFrame | undefined;
}

/** dav1d as wasm, in a realm without files, network and processes. `stream` is given away. */
export async function openAv1(
  { dav1d, dav1dScript }: Av1Script,
  stream: Uint8Array<ArrayBuffer>,
  memoryBytes: number,
): Promise<Av1Stream> {
  const realm = openRealm({ wasm: dav1d, memoryBytes });
  const options = Object.assign(realm.emscripten, { videoFormat: realm.adopt({}) });
  const decoder = await (realm.run(dav1dScript) as OpenDav1d)(options);
  await new Promise<void>((ready) => decoder.init(lend(() => ready())));
  const packets = realm.adopt(stream, [stream.buffer]);
  const done = lend(() => undefined);
  let at = 0;
  return {
    next: (bytes) => {
      decoder.frameBuffer = null;
      decoder.processFrame(packets.subarray(at, at + bytes), done);
      at += bytes;
      const frame = decoder.frameBuffer as Dav1dFrame | null;
      return frame ? packed(frame) : undefined;
    },
  };
}

function packed({
  format: { width, height, chromaWidth, chromaHeight },
  y,
  u,
  v,
}: Dav1dFrame): PlanarFrame | undefined {
  const [halfWidth, halfHeight] = [(width + 1) >> 1, (height + 1) >> 1];
  if (chromaWidth !== halfWidth || chromaHeight !== halfHeight) return undefined;
  const planes = new Uint8Array(width * height + 2 * halfWidth * halfHeight);
  let at = 0;
  for (const [{ bytes, stride }, columns, rows] of [
    [y, width, height],
    [u, halfWidth, halfHeight],
    [v, halfWidth, halfHeight],
  ] as const) {
    for (let row = 0; row < rows; row += 1) {
      planes.set(bytes.subarray(row * stride, row * stride + columns), at);
      at += columns;
    }
  }
  return { widthPx: width, heightPx: height, planes };
}
