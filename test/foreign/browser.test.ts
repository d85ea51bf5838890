import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import * as z from 'zod';
import { portrait } from '../../tools/samples.ts';
import { openBrowser } from '../pages/browser.ts';

/** What Dropzone sends with every file unless it is told not to. */
const dropzone = { Accept: 'application/json', 'Cache-Control': 'no-cache', 'X-Requested-With': 'XMLHttpRequest' };

/** What tracing in a page adds to requests: W3C, Sentry, Datadog, Zipkin, Jaeger, Elastic, New Relic, Azure, AWS. */
const traceHeaders: Record<string, string> = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=00f067aa0ba902b7',
  baggage: 'sentry-environment=production',
  'sentry-trace': '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1',
  'x-request-id': '7b1a6a0e-3c1c-4f2b-9d0e-1d2f3a4b5c6d',
  'x-correlation-id': '7b1a6a0e-3c1c-4f2b-9d0e-1d2f3a4b5c6d',
  'x-datadog-trace-id': '1234567890',
  'x-datadog-parent-id': '987654321',
  'x-datadog-origin': 'rum',
  'x-datadog-sampling-priority': '1',
  b3: '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1',
  'x-b3-traceid': '4bf92f3577b34da6a3ce929d0e0e4736',
  'x-b3-spanid': '00f067aa0ba902b7',
  'x-b3-sampled': '1',
  'uber-trace-id': '4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1',
  'elastic-apm-traceparent': '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  newrelic: 'eyJ2IjpbMCwxXX0=',
  'request-id': '|4bf92f3577b34da6a3ce929d0e0e4736.00f067aa0ba902b7',
  'x-amzn-trace-id': 'Root=1-67891233-abcdef012345678912345678',
};

let browser: Browser;
let allowed: Page;
let stranger: Page;
let photo: string;
beforeAll(async () => {
  photo = (await portrait()).toString('base64');
  browser = await openBrowser();
  allowed = await pageOf(inject('allowedOrigin'));
  stranger = await pageOf(inject('strangersOrigin'));
});
afterAll(() => browser?.close());

describe('a page on an allowed origin', () => {
  it('uploads by PUT with Dropzone’s headers, reads the ETag, and gets the verdict', async () => {
    const { sourceId, uploads, bearer } = await requested();
    const { url, headers } = uploads.selfie.put;
    const stored = await send(allowed, { url, method: 'PUT', headers: { ...headers, ...dropzone }, photo });
    expect(stored).toMatchObject({ status: 200, headers: { etag: expect.stringMatching(/^"\w+"$/) } });
    expect(await verdict(allowed, sourceId, bearer)).toMatchObject({
      state: 'decided',
      verdict: { outcome: 'passed' },
    });
  });

  it('reads that a second PUT was refused', async () => {
    const jpeg = { content_type: 'image/jpeg' };
    // The other capture stays away: a verdict would delete the first, and its place would be free again.
    const { uploads } = await requested({ check: 'photo_verify', captures: { selfie: jpeg, id_card: jpeg } });
    const { url, headers } = uploads.selfie.put;
    const put = { url, method: 'PUT', headers: { ...headers, ...dropzone }, photo };
    expect(await send(allowed, put)).toMatchObject({ status: 200 });
    expect(await send(allowed, put)).toMatchObject({ status: 412 });
  });

  it.each([
    ['without headers of its own', {}],
    ['with Dropzone’s headers', dropzone],
  ])('uploads by form %s, reads Location and ETag, and gets the verdict', async (_, headers) => {
    const { sourceId, uploads, bearer } = await requested();
    const { url, fields } = uploads.selfie.post;
    const stored = await send(allowed, { url, method: 'POST', headers, photo, fields });
    expect(stored).toMatchObject({
      status: 204,
      headers: { etag: expect.stringMatching(/^"\w+"$/), location: expect.stringMatching(/^https?:\/\/.+selfie$/) },
    });
    expect(await verdict(allowed, sourceId, bearer)).toMatchObject({
      state: 'decided',
      verdict: { outcome: 'passed' },
    });
  });

  it.each(Object.entries(traceHeaders))('calls the API with %s', async (name, value) => {
    const { sourceId, bearer } = await requested();
    const path = `${inject('url')}/verifications/${sourceId}`;
    expect(await send(allowed, { url: path, method: 'GET', headers: { ...bearer, [name]: value } })).toMatchObject({
      status: 200,
    });
    const again = { ...bearer, 'content-type': 'application/json', [name]: value };
    expect(await send(allowed, { url: `${path}/captures`, method: 'POST', headers: again, text: '{}' })).toMatchObject({
      status: 200,
    });
  });

  it('reads why the API refused it', async () => {
    const { sourceId } = await requested();
    const url = `${inject('url')}/verifications/${sourceId}`;
    const refused = await send(allowed, { url, method: 'GET', headers: { authorization: 'Bearer made-up' } });
    expect(refused).toMatchObject({ status: 401, text: expect.stringContaining('client_token_invalid') });
  });
});

describe('a page on another origin', () => {
  it('cannot call the API', async () => {
    const { sourceId, bearer } = await requested();
    const url = `${inject('url')}/verifications/${sourceId}`;
    expect(await send(stranger, { url, method: 'GET', headers: bearer })).toEqual(refused);
    expect(await send(stranger, { url: `${url}/captures`, method: 'POST', headers: bearer })).toEqual(refused);
  });

  it('cannot upload by PUT', async () => {
    const { sourceId, uploads, bearer } = await requested();
    const { url, headers } = uploads.selfie.put;
    expect(await send(stranger, { url, method: 'PUT', headers, photo })).toEqual(refused);
    const fromAServer = await fetch(`${inject('url')}/verifications/${sourceId}`, { headers: bearer });
    expect(await fromAServer.json()).toMatchObject({ state: 'awaiting_captures', sequence: 1 });
  });

  it('cannot upload by form with headers of its own, nor read the answer to one without', async () => {
    const { uploads } = await requested();
    const { url, fields } = uploads.selfie.post;
    expect(await send(stranger, { url, method: 'POST', headers: dropzone, photo, fields })).toEqual(refused);
    expect(await send(stranger, { url, method: 'POST', headers: {}, photo, fields })).toEqual(refused);
  });
});

/** All a page learns of a request that CORS forbids. */
const refused = { status: 0, headers: {}, text: '' };

interface Sending {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  /** Base64: the body, or the file of the form that `fields` make. */
  readonly photo?: string;
  readonly fields?: Record<string, string>;
  readonly text?: string;
}

/** An XMLHttpRequest of the page, as upload widgets make it, with the headers of the answer that the page can read. */
function send(
  page: Page,
  sending: Sending,
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  return page.evaluate(async ({ url, method, headers, photo, fields, text }: Sending) => {
    const file = photo === undefined ? undefined : await (await fetch(`data:image/jpeg;base64,${photo}`)).blob();
    const form = fields && file ? new FormData() : undefined;
    for (const [name, value] of Object.entries(fields ?? {})) form?.append(name, value);
    if (file) form?.append('file', file, 'photo.jpg');
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.onloadend = () => {
        const lines = request.getAllResponseHeaders().trim().split('\r\n').filter(Boolean);
        const readable = lines.map((line) => line.split(': ', 2));
        resolve({ status: request.status, headers: Object.fromEntries(readable), text: request.responseText });
      };
      request.send(form ?? file ?? text);
    });
  }, sending);
}

const view = z.object({ state: z.string(), verdict: z.object({ outcome: z.string() }).nullable() }).loose();

async function verdict(page: Page, sourceId: string, bearer: Record<string, string>) {
  for (;;) {
    const url = `${inject('url')}/verifications/${sourceId}?wait=20`;
    const current = view.parse(JSON.parse((await send(page, { url, method: 'GET', headers: bearer })).text));
    if (current.verdict) return current;
  }
}

const uploadsView = z.object({
  client_token: z.string(),
  uploads: z.object({
    selfie: z.object({
      put: z.object({ url: z.url(), headers: z.record(z.string(), z.string()) }),
      post: z.object({ url: z.url(), fields: z.record(z.string(), z.string()) }),
    }),
  }),
});

/** What the integrator's server hands its page. */
async function requested(overrides: object = {}) {
  const sourceId = randomUUID();
  const answer = await fetch(`${inject('url')}/verifications`, {
    method: 'POST',
    headers: { 'x-api-key': inject('apiKey'), 'content-type': 'application/json' },
    body: JSON.stringify({
      source_id: sourceId,
      check: 'spoof_detect',
      captures: { selfie: { content_type: 'image/jpeg' } },
      ...overrides,
    }),
  });
  const { client_token, uploads } = uploadsView.parse(await answer.json());
  return { sourceId, uploads, bearer: { authorization: `Bearer ${client_token}` } };
}

async function pageOf(origin: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(origin);
  return page;
}
