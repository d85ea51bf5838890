import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { pythonEnvironment } from '../../tools/python.ts';
import { remove, startLocalStack } from '../journeys/local-stack.ts';
import { run } from './run.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The API of the `npm start` that all files share, with the demo tenant's key. */
    url: string;
    apiKey: string;
    /** For command lines beside it: BONAFIDE_DATA. */
    dataDirectory: string;
    /** Where Python's tools are. */
    pythonBinaries: string;
    /** Origins of one blank page: in ALLOWED_ORIGINS, and not in it. Only `openBrowser` resolves their names. */
    allowedOrigin: string;
    strangersOrigin: string;
  }
}

const build = join(import.meta.dirname, '..', '..', 'build', 'foreign');

/** Installs the tools as their lockfiles say, then starts the page's server and the stack. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  mkdirSync(build, { recursive: true });
  await installNodeTools();
  const pythonBinaries = await pythonEnvironment(join(build, 'python'), 'test/foreign/python/requirements.txt');

  const page = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>A page</title>');
  }).listen(0, '127.0.0.1');
  page.unref(); // a stack that does not start ends the run
  await once(page, 'listening');
  const { port } = page.address() as AddressInfo;
  const allowedOrigin = `http://shop.example:${port}`;

  process.env.ALLOWED_ORIGINS = allowedOrigin; // `npm start` inherits it
  const stack = await startLocalStack();
  project.provide('url', stack.url);
  project.provide('apiKey', stack.apiKey);
  project.provide('dataDirectory', stack.dataDirectory);
  project.provide('pythonBinaries', pythonBinaries);
  project.provide('allowedOrigin', allowedOrigin);
  project.provide('strangersOrigin', `http://stranger.example:${port}`);
  return async () => {
    await stack.stop();
    remove(stack.dataDirectory);
    page.close();
  };
}

/** `npm ci` in this folder, once for each state of its lockfile. */
async function installNodeTools(): Promise<void> {
  const folder = import.meta.dirname;
  const marker = join(folder, 'node_modules', '.made-from');
  const key = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (readIfThere(marker) === key) return;
  const { code, output } = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
  if (code !== 0) throw new Error(`npm ci failed in ${folder}:\n${output}`);
  writeFileSync(marker, key);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
