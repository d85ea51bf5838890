/** A page that has live guidance and nothing else, under the policy of the capture page; for the tests and the bench. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { prepareModels } from '../../tools/release/engine-assets.ts';
import type { GuidanceAssets } from '../../web/capture/guidance/assets.ts';

/** As shared/pages says it of the capture page. */
export const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob:",
  'media-src blob:',
  "worker-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  'trusted-types bonafide',
].join('; ');

export interface GuidancePageOptions {
  /** In place of the page's own policy. */
  readonly policy?: string;
  /** What an asset is answered with, by the end of its path; anything else is served. */
  readonly refused?: Readonly<Record<string, number | 'never'>>;
}

export interface GuidancePage {
  readonly origin: string;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Serves bytes at an address of this origin. */
  readonly lay: (path: string, bytes: Uint8Array) => void;
  readonly change: (options: GuidancePageOptions) => void;
  readonly close: () => Promise<void>;
}

const types: Readonly<Record<string, string>> = { js: 'text/javascript', html: 'text/html', png: 'image/png' };

export async function serveGuidance(options: GuidancePageOptions = {}): Promise<GuidancePage> {
  const directory = await mkdtemp(join(tmpdir(), 'guidance-'));
  const { faceDetection, faceLandmarks } = await prepareModels(directory);
  const assets: GuidanceAssets = {
    worker: '/assets/worker.js',
    wasm: '/assets/ort.wasm',
    faceDetection: { ...faceDetection, path: '/assets/fr_detect.onnx' },
    faceLandmarks: { ...faceLandmarks, path: '/assets/fr_landmark.onnx' },
  };
  const scripts = buildSync({
    entryPoints: [
      { in: 'web/capture/guidance/worker.ts', out: 'worker' },
      { in: 'test/pages/guidance-page-script.ts', out: 'page' },
    ],
    outdir: 'out',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    define: { BONAFIDE_GUIDANCE: JSON.stringify(assets) },
    write: false,
    logLevel: 'error',
  }).outputFiles.map(({ path, contents }) => [`/assets/${path.split('/').at(-1)}`, contents] as const);
  const runtime = 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';
  const served = new Map<string, Uint8Array>([
    ...scripts,
    [assets.wasm, await readFile(runtime)],
    [assets.faceDetection.path, await readFile(join(directory, faceDetection.file))],
    [assets.faceLandmarks.path, await readFile(join(directory, faceLandmarks.file))],
  ]);
  await rm(directory, { recursive: true });
  const document =
    '<!doctype html><title>Guidance</title><script type="module" src="/assets/page.js"></script><video muted playsinline></video>';
  served.set('/page.html', Buffer.from(document));

  let current = options;
  const asked: string[] = [];
  const server = createServer(({ url = '/' }, response) => {
    asked.push(url);
    const [, status] = Object.entries(current.refused ?? {}).find(([end]) => url.endsWith(end)) ?? [];
    if (status === 'never') return;
    answer(response, url, status);
  });
  function answer(response: ServerResponse, url: string, status = 200) {
    const bytes = served.get(url);
    response.writeHead(bytes ? status : 404, {
      'content-type': types[url.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
      'content-security-policy': current.policy ?? policy,
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
    response.end(status === 200 ? bytes : undefined);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    lay: (path, bytes) => served.set(path, bytes),
    change: (changed) => {
      current = changed;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
