import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { sampleOf } from '../../tools/webhooks/samples.ts';
import { startOurSide } from '../contracts/submission.ts';

const key = 'bf_a-key-of-the-tests';
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

interface Program {
  readonly child: ChildProcess;
  readonly written: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}

function start(tool: string, ...words: readonly string[]): Program {
  const { BONAFIDE_URL: _, BONAFIDE_API_KEY: __, BONAFIDE_WEBHOOK_SECRET: ___, ...env } = process.env;
  const child = spawn(process.execPath, [tool, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const texts = { out: '', error: '' };
  child.stdout.on('data', (text) => (texts.out += text));
  child.stderr.on('data', (text) => (texts.error += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  stops.push(async () => {
    child.kill();
    await ended;
  });
  return { child, written: () => texts.out, errors: () => texts.error, ended };
}

/** An API that tells these events, two a page and the last one again; a status stands for an answer without. */
async function tellsEvents(of: () => readonly object[] | number) {
  const asked: { query: URLSearchParams; key: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const { searchParams: query } = new URL(request.url ?? '', 'http://api');
    asked.push({ query, key: request.headers['x-api-key'] as string | undefined });
    const all = of();
    response.setHeader('content-type', 'application/json');
    if (typeof all === 'number') {
      response.writeHead(all).end('{}');
      return;
    }
    const from = Number(query.get('cursor') ?? 0);
    const to = Math.min(from + 2, all.length);
    const page = { events: all.slice(Math.max(0, from - 1), to), next_cursor: String(to), more: to < all.length };
    response.end(JSON.stringify(page));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function receiver() {
  const ours = await startOurSide();
  stops.push(() => ours.stop());
  return { ...ours, url: `${ours.url}/hook` };
}

describe('npm run listen', () => {
  it('posts each event once, in their order, signed with the secret that it prints, and shows a line for each', async () => {
    const types = ['verification.queued', 'verification.dispatched', 'verification.decided'];
    const events = types.map((type) => sampleOf(type, { sourceId: 'u-42', full: true }));
    const told = [...events];
    const api = await tellsEvents(() => told);
    const { url, posts } = await receiver();
    const listening = start('tools/listen.ts', '--url', api.url, '--key', key, '--forward', url);
    await expect.poll(() => posts.length).toBe(3);
    told.push(sampleOf('verification.erased', { sourceId: 'u-42' }));
    await expect.poll(() => posts.length).toBe(4);
    await expect.poll(() => api.asked.length).toBeGreaterThan(5); // the last one, again and again

    expect(posts.map(({ text }) => JSON.parse(text))).toEqual(told);
    const [, secret = ''] = /Signed with (whsec_\S+)/.exec(listening.errors()) ?? [];
    for (const { text, headers } of posts) {
      expect(new Webhook(secret).verify(text, headers as Record<string, string>)).toEqual(JSON.parse(text));
      expect(headers['webhook-id']).toBe(JSON.parse(text).data.id);
    }
    const lines = listening.written().trim().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toMatch(/ verification\.decided u-42 4 passed → 200 in \d+ ms$/);
    expect(api.asked.every((one) => one.key === key)).toBe(true);
    expect(`${listening.written()}${listening.errors()}`).not.toContain(key);
  });

  it('goes on after an API that failed for a while, and a receiver that is not there', async () => {
    let fails = false;
    const told: object[] = [];
    const api = await tellsEvents(() => (fails ? 503 : told));
    const words = [
      '--url',
      api.url,
      '--key',
      key,
      '--forward',
      'http://127.0.0.1:9/hook',
      '--types',
      'verification.decided',
    ];
    const listening = start('tools/listen.ts', ...words);
    await expect.poll(listening.errors).toContain('Listening');
    fails = true;
    await expect.poll(listening.errors).toContain('The API answered 503');
    told.push(sampleOf('verification.decided', { sourceId: 'later' }));
    fails = false;
    await expect.poll(listening.written).toMatch(/ later 4 passed → unreachable after \d+ ms/);
    expect(api.asked.every(({ query }) => query.get('types') === 'verification.decided')).toBe(true);
  });

  it('ends where the API refuses the key', async () => {
    const api = await tellsEvents(() => 401);
    const listening = start('tools/listen.ts', '--url', api.url, '--key', key);
    expect(await listening.ended).toBe(1);
    expect(listening.errors()).toBe('The API answered 401\n');
  });

  it('refuses a secret that is none', async () => {
    const listening = start('tools/listen.ts', '--key', key, '--forward', 'http://127.0.0.1:9', '--secret', 'whsec_x');
    expect(await listening.ended).toBe(1);
    expect(listening.errors()).toBe('The secret is none: whsec_ and base64 of 24 to 64 bytes\n');
  });

  it('says what is missing of a deployment', async () => {
    const listening = start('tools/listen.ts', '--aws', '--url', 'https://api.example');
    expect(await listening.ended).toBe(1);
    expect(listening.errors()).toBe('No API key: give --key or BONAFIDE_API_KEY\n');
  });
});

describe('npm run trigger', () => {
  it('posts a signed sample', async () => {
    const { url, posts } = await receiver();
    const program = start('tools/trigger.ts', 'verification.decided', '--forward', url, '--full', '--source-id', 'u-7');
    expect(await program.ended).toBe(0);
    const [post] = posts;
    const [, secret = ''] = /Signed with (whsec_\S+)/.exec(program.written()) ?? [];
    const body = new Webhook(secret).verify(post?.text ?? '', post?.headers as Record<string, string>);
    expect(body).toMatchObject({ data: { source_id: 'u-7', sequence: 4, verdict: { outcome: 'passed' } } });
    expect(program.written()).toMatch(/ verification\.decided u-7 4 passed → 200 in \d+ ms/);
  });

  it('asks Bonafide to test an endpoint', async () => {
    const api = await receiver();
    const words = ['--endpoint', 'ep_abcdefghijklmnop', '--url', api.url.replace('/hook', ''), '--key', key];
    const program = start('tools/trigger.ts', 'endpoint.test', ...words);
    await program.ended;
    expect(api.posts).toMatchObject([{ path: '/endpoints/ep_abcdefghijklmnop/test', headers: { 'x-api-key': key } }]);
    expect(`${program.written()}${program.errors()}`).not.toContain(key);
  });

  it.each([
    [['verification.decide', '--forward', 'http://127.0.0.1:9']],
    [['verification.decided']],
    [['verification.decided', '--endpoint', 'ep_abcdefghijklmnop']],
    [['endpoint.test', '--endpoint', 'ep_abcdefghijklmnop', '--forward', 'http://127.0.0.1:9']],
  ])('refuses %j', async (words) => {
    const program = start('tools/trigger.ts', ...words);
    expect(await program.ended).toBe(2);
    expect(program.errors()).toContain('npm run trigger');
  });
});
