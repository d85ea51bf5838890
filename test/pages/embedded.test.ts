/** The pages of docs/capture.md, as they are shown there: the element in others' pages, and the hosted page in a frame. */
import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { borrowPackages, layOut, programsOf } from '../integrate/programs.ts';
import { openBrowser } from './browser.ts';
import { camera } from './feeds.ts';
import { press, shown } from './person.ts';
import { type Asked, type OtherTenant, stackOfThisFile } from './stack.ts';
import { phone, visit } from './visit.ts';

const stack = stackOfThisFile();
const programs = programsOf('docs/capture.md');

/** An integrator's server: a page, and the two calls that it makes with its key. */
interface Shop {
  readonly url: string;
  readonly server: Server;
  /** The last person it asked for captures. */
  readonly asked: () => Asked;
  /** What it shows from now on. */
  readonly show: (script: Uint8Array, headers: Record<string, string>) => void;
}

let browser: Browser;
let shop: Shop;
let tenant: OtherTenant;
beforeAll(async () => {
  const { video } = await camera({ of: 'portrait' });
  browser = await openBrowser({ video });
  shop = await opensShop(() => tenant);
  tenant = await stack().tenantWith({ returnOrigins: [], frameOrigins: [new URL(shop.url).origin] });
});
afterAll(async () => {
  await browser?.close();
  shop?.server.close();
});

async function opensShop(client: () => OtherTenant): Promise<Shop> {
  let asked: Asked | undefined;
  let script: Uint8Array = new Uint8Array();
  let headers: Record<string, string> = {};
  const last = () => {
    if (!asked) throw new Error('no one was asked');
    return asked;
  };
  const server = createServer(async (request, response) => {
    const json = (body: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/') {
      const page =
        '<!doctype html><html lang="en"><title>Shop</title><main></main><script type="module" src="/page.js"></script>';
      response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(page);
    } else if (request.url === '/page.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    } else if (request.url === '/verification' && request.method === 'POST') {
      asked = await client().ask();
      json({
        base: stack().url,
        source_id: asked.sourceId,
        client_token: asked.clientToken,
        capture_url: asked.link.split('#')[0],
      });
    } else if (request.url === '/verification') {
      const { verdict } = await client().client.read(last().sourceId);
      json({ next: verdict?.outcome === 'passed' ? 'Welcome to the shop' : 'Sorry' });
    } else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`, // another site than the API's 127.0.0.1
    server,
    asked: last,
    show: (bytes, sent) => {
      script = bytes;
      headers = sent;
    },
  };
}

/** The program, bundled as an integrator's build would. */
async function bundled(file: string): Promise<Uint8Array> {
  const directory = mkdtempSync(join(tmpdir(), 'embedded-'));
  layOut(directory, { [file]: file }, programs);
  borrowPackages(directory);
  const { outputFiles } = await build({
    entryPoints: [join(directory, file)],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', __VUE_OPTIONS_API__: 'false' },
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0]?.contents ?? new Uint8Array();
}

/** As docs/capture.md says that an integrator's page may have it, and nothing more. */
async function policyFor(trustedTypes = ''): Promise<Record<string, string>> {
  const { uploads } = await tenant.client.request(`policy-${Date.now()}`);
  const captures = new URL(uploads.selfie?.put.url ?? '').origin;
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval' ${stack().url}`,
    `connect-src 'self' ${stack().url} ${captures}`,
    "img-src 'self' blob:",
    'media-src blob:',
    `worker-src blob: ${stack().url}`,
    "require-trusted-types-for 'script'",
    `trusted-types lit-html bonafide ${trustedTypes}`,
  ].join('; ');
  return { 'content-security-policy': policy, 'permissions-policy': 'camera=(self), microphone=(self)' };
}

describe('the element in a page of another origin', () => {
  it.each([
    ['HTML', 'plain/plain.js', ''],
    ['React', 'react/verification.jsx', ''],
    ['Vue', 'vue/verification.js', 'vue'],
  ])('takes a selfie, and the page reads the verdict from its own server: %s', async (_, file, trustedTypes) => {
    shop.show(await bundled(file), await policyFor(trustedTypes));
    const visited = await visit(browser, phone);
    await visited.page.goto(shop.url);
    await press(visited.page, 'begin');
    await visited.page.getByText('Welcome to the shop').waitFor({ timeout: 150_000 });
    // Taken by the page itself: guidance ran, in a worker from another origin.
    expect(visited.requests().join('\n')).toMatch(/GET \S+\.wasm/);
    await visited.end({
      secrets: [shop.asked().clientToken, tenant.apiKey],
      elsewhere: [stack().written()],
      expectedErrors: /favicon/,
    });
  });
});

describe('the hosted page in a frame of another origin', () => {
  const frameOf = (page: Page): FrameLocator => page.frameLocator('iframe');

  it('that was given the camera takes a selfie', async () => {
    shop.show(await bundled('framed/framed.js'), {});
    const visited = await visit(browser, phone);
    await visited.page.goto(shop.url);
    const frame = frameOf(visited.page);
    await frame.getByRole('button', { name: shown('begin') }).click();
    await frame.getByText(shown('passed_title')).first().waitFor({ timeout: 150_000 });
    expect((await tenant.client.read(shop.asked().sourceId)).verdict?.outcome).toBe('passed');
    await visited.end({ secrets: [shop.asked().clientToken], expectedErrors: /favicon/ });
  });

  it('that was not given the camera says so', async () => {
    const script = new TextDecoder().decode(await bundled('framed/framed.js'));
    shop.show(new TextEncoder().encode(script.replace('camera; microphone; ', '')), {});
    const visited = await visit(browser, phone);
    await visited.page.goto(shop.url);
    const frame = frameOf(visited.page);
    await frame.getByRole('button', { name: shown('begin') }).click();
    await frame.getByText(shown('not_allowed_in_frame')).first().waitFor({ timeout: 150_000 });
    await visited.end({ expectedErrors: /favicon|[Pp]ermissions policy/ });
  });

  it('of an origin that the policy does not list is not shown', async () => {
    shop.show(await bundled('framed/framed.js'), {});
    const context = await browser.newContext();
    const page = await context.newPage();
    const refused: string[] = [];
    page.on('console', (message) => refused.push(message.text()));
    await page.goto(shop.url.replace('localhost', 'stranger.example'));
    await expect.poll(() => refused.join()).toContain('frame-ancestors');
    await context.close();
  });
});

describe('the examples', () => {
  it('all say that what the element tells is for the person only', () => {
    for (const text of programs.values()) expect(text).toMatch(/decides nothing|for the person only/);
    expect(programs.size).toBeGreaterThanOrEqual(4);
  });
});
