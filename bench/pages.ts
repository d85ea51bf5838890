import { join } from 'node:path';
import type { Built, Encoding } from '../shared/pages/built.ts';
import { type Architecture, prepareEngineAssets } from '../tools/release/engine-assets.ts';
import { buildPages } from '../web/build.ts';

/** What a browser may have to load at most, in bytes: what passes it fails the bench. */
const limits = {
  /** `<bonafide-capture>` with the client, gzipped: what an integrator's page loads before anything is seen. */
  element_gzip_bytes: 35_000,
  /** The console, gzipped. */
  console_gzip_bytes: 70_000,
  /** Worker, runtime and models of live guidance, by brotli: loaded once the camera runs, or never. */
  guidance_brotli_bytes: 5_000_000,
} as const;

/** Bytes of the pages as they are served, and of what each loads only when it comes to it. */
export async function benchPages(directory: string): Promise<Record<string, number>> {
  const assets = await prepareEngineAssets(process.arch as Architecture);
  const built = buildPages(join(directory, 'pages'), { models: join(assets, 'models') });
  const found = {
    element_gzip_bytes: bytesOf(loadedBy(built.element), built, 'gzip'),
    console_gzip_bytes: bytesOf(loadedBy(built.console), built, 'gzip'),
    guidance_brotli_bytes: bytesOf(built.guidance, built, 'br'),
  };
  for (const [name, bytes] of Object.entries(found)) {
    const limit = limits[name as keyof typeof limits];
    if (bytes > limit) throw new Error(`Pages: ${name} is ${bytes}, and may be ${limit}`);
  }
  return {
    ...found,
    capture_page_gzip_bytes: bytesOf(loadedBy(built.capture), built, 'gzip'),
    files: Object.keys(built.files).length,
  };
}

const loadedBy = ({ script, imports, style }: Built['element']) => [script, ...imports, ...(style ? [style] : [])];

const bytesOf = (names: readonly string[], { files }: Built, encoding: Encoding): number =>
  names.reduce((sum, name) => sum + (files[name]?.bytes[encoding] ?? Number.POSITIVE_INFINITY), 0);
