import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSync } from 'esbuild';
import type { Browser, BrowserContextOptions, CDPSession, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { portrait } from '../../tools/samples.ts';
import { bonafide } from '../../web/client/index.ts';
import { versionsOf } from '../client/versions.ts';
import { idCard } from '../engine/people.ts';
import { openBrowser } from './browser.ts';
import { openLine } from './line.ts';
import { type Asked, stackOfThisFile } from './stack.ts';

/** 1 Mbit/s, and a connection that is there. */
const slow = { offline: false, latency: 20, uploadThroughput: 125_000, downloadThroughput: -1 };
const gone = { ...slow, offline: true };
const fast = { ...slow, latency: 0, uploadThroughput: -1 };

const stack = stackOfThisFile();
let browser: Browser;
let server: Server;
let photo: Buffer;
let page: Page;
let devtools: CDPSession;
beforeAll(async () => {
  browser = await openBrowser();
  photo = await portrait(2400);
  const [script] = buildSync({
    entryPoints: ['test/pages/upload-page-script.ts'],
    bundle: true,
    format: 'esm',
    write: false,
  }).outputFiles;
  const files = new Map<string, [string, Uint8Array | string]>([
    ['/', ['text/html', '<!doctype html><title>Upload</title><script type="module" src="/page.js"></script>']],
    ['/page.js', ['text/javascript', script?.text ?? '']],
    ['/photo.jpg', ['image/jpeg', photo]],
  ]);
  server = createServer(({ url = '' }, response) => {
    const [type, body] = files.get(url) ?? ['text/plain', ''];
    response.setHeader('content-type', type).end(body);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(async () => {
  await browser?.close();
  server?.close().closeAllConnections();
});
afterEach(() => page.context().close());

/** Another origin than the API's, which every page of localhost may be. */
async function openPage(options: BrowserContextOptions = {}): Promise<void> {
  page = await (await browser.newContext(options)).newPage();
  devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
}
const network = (conditions: typeof slow) => devtools.send('Network.emulateNetworkConditions', conditions);

/** Begins to upload the selfie of a verification that awaits its card too, so that what landed stays stored. */
async function send(asked: Asked): Promise<void> {
  const given = { base: stack().url, token: asked.clientToken, sourceId: asked.sourceId, photo: '/photo.jpg' };
  await page.waitForFunction('typeof send === "function"');
  // Not awaited in the page: the test goes on while it uploads.
  await page.evaluate(`void send(${JSON.stringify(given)})`);
}
const moved = () => page.evaluate<number[]>('moved');
const untilMoved = (share: number) =>
  expect.poll(async () => Math.max(0, ...(await moved())), { interval: 50 }).toBeGreaterThan(photo.byteLength * share);
const untilStored = () => expect.poll(() => page.evaluate('outcome')).toBe('stored');

/** One version of the selfie; then the card comes, and what was stored leads to a verdict. */
async function endsOnce({ sourceId, clientToken }: Asked): Promise<void> {
  expect(await versionsOf(stack(), clientToken)).toBe(1);
  const client = bonafide({ base: stack().url, key: stack().apiKey });
  const card = new Blob([new Uint8Array(await idCard({ of: 'portrait' }))], { type: 'image/jpeg' });
  await client.uploadCaptures(sourceId, { id_card: card });
  const { state } = await client.waitForVerdict(sourceId);
  const { history } = await client.GET('/verifications/{source_id}/history', {
    params: { path: { source_id: sourceId } },
  });
  expect(state).toBe('decided');
  const codes = history.map(({ code }) => code);
  expect(history.filter((entry) => entry.kind === 'moved' && entry.state === 'queued')).toHaveLength(1);
  expect(codes).not.toContain('capture_overwritten');
}

const ask = () => stack().ask({ check: 'photo_verify' });

describe('an upload from a page', () => {
  it('at 1 Mbit/s tells at least ten rising values, and none before bytes moved', async () => {
    await openPage();
    const asked = await ask();
    await network(slow);
    await send(asked);
    await untilStored();
    const values = await moved();
    expect(values.length).toBeGreaterThanOrEqual(10);
    expect(values).toEqual(values.toSorted((one, other) => one - other));
    expect(values[0]).toBeGreaterThan(0);
    expect(values[0]).toBeLessThan(photo.byteLength / 2);
    expect(values.at(-1)).toBe(photo.byteLength);
    await endsOnce(asked);
  });

  it('tells nothing where no byte can move', async () => {
    await openPage();
    const asked = await ask();
    // The bucket alone is out of reach: everything before it works.
    await devtools.send('Network.setBlockedURLs', { urls: [`${stack().stack.environment.AWS_ENDPOINT_URL_S3}/*`] });
    await send(asked);
    await page.waitForTimeout(1500);
    expect(await moved()).toEqual([]);
    expect(await page.evaluate('outcome')).toBe('running');
    await devtools.send('Network.setBlockedURLs', { urls: [] });
    await untilStored();
    await endsOnce(asked);
  });

  it.each([
    ['which the browser knows', gone],
    ['which nothing tells it', slow],
  ])('goes on after the line was cut in the middle, %s', async (_, meanwhile) => {
    const line = await openLine();
    await openPage({ proxy: { server: line.server } });
    const broken: Request[] = [];
    page.on('requestfailed', (request) => broken.push(request));
    const asked = await ask();
    await network(slow);
    await send(asked);
    await untilMoved(0.3);
    line.cut();
    await network(meanwhile);
    await page.waitForTimeout(2000);
    expect(await page.evaluate('outcome')).toBe('running');
    line.mend();
    await network(fast);
    await untilStored();
    expect(broken.map((request) => request.method())).toContain('PUT');
    await endsOnce(asked);
    line.close();
  });

  it('goes on after a reload in the middle', async () => {
    await openPage();
    const asked = await ask();
    await network(slow);
    await send(asked);
    await untilMoved(0.3);
    await network(fast);
    await page.reload();
    await send(asked);
    await untilStored();
    await endsOnce(asked);
  });

  it('whose answer was lost after storing is not sent twice', async () => {
    await openPage();
    const asked = await ask();
    let lost = 0;
    await devtools.send('Fetch.enable', {
      patterns: [{ urlPattern: `${stack().stack.environment.AWS_ENDPOINT_URL_S3}/*`, requestStage: 'Response' }],
    });
    devtools.on('Fetch.requestPaused', async ({ requestId, request }) => {
      if (request.method !== 'PUT' || lost > 0) return devtools.send('Fetch.continueRequest', { requestId });
      lost += 1;
      return devtools.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' });
    });
    await send(asked);
    await untilStored();
    expect(lost).toBe(1);
    await endsOnce(asked);
  });
});
