/** The gallery of states, served with the policy of the capture page. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { capturePageHeaders } from '../../shared/pages/headers.ts';

export interface Served {
  readonly url: string;
  readonly close: () => void;
}

export async function serveGallery(): Promise<Served> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'gallery-script.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  const [script] = outputFiles;
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Gallery</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<script type="module" src="/gallery.js"></script></head><body></body></html>`;
  const server = createServer((request, response) => {
    if (request.url === '/') response.writeHead(200, capturePageHeaders('http://127.0.0.1:1', [])).end(page);
    else if (request.url === '/gallery.js')
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script?.contents);
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}
