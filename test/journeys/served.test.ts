import { execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failure, received, refused, result } from '../../shared/providers/identify/answers.ts';
import { faceOnScreen, portrait } from '../../tools/samples.ts';
import { selfieOfPair } from '../engine/people.ts';
import { documentText } from '../serving/document-examples.ts';
import { documentPrograms } from '../serving/document-programs.ts';
import { type Client, clientOf, newSourceId } from './client.ts';
import { declared } from './declared.ts';
import { type RunningStack, remove, startLocalStack } from './local-stack.ts';

/*
 * Apps written for vendors, on the local stack, with their documents taken at their word. An app's images and its webhook lie
 * on this machine, which `npm start` allows.
 */

let running: RunningStack;
let client: Client;
let stranger: Server;
let origin: string;
const images = new Map<string, Uint8Array>();
/** What came to the webhook, and what it answers next; 200 where nothing is said. */
const posted: { headers: Record<string, unknown>; body: string }[] = [];
const answers: number[] = [];

beforeAll(async () => {
  running = await startLocalStack();
  client = clientOf(running);
  stranger = createServer(async (request, response) => {
    if (request.method === 'GET') {
      const image = images.get(request.url ?? '');
      response.writeHead(image ? 200 : 404).end(image);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    posted.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 200).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  origin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  images.set('/genuine.jpg', await selfieOfPair());
  images.set('/screen.jpg', await faceOnScreen());
  images.set('/small.jpg', await portrait(40));
  images.set('/page.jpg', Buffer.from('<html>Please log in</html>'));
  admin('served-webhook', 'set', 'demo', 'ours', `${origin}/results?token=secret-of-the-webhook`);
});
afterAll(async () => {
  stranger.close();
  await running.stop();
  remove(running.dataDirectory);
});

function admin(...words: string[]): string {
  return execFileSync(process.execPath, ['tools/admin.ts', ...words], {
    encoding: 'utf8',
    env: { ...process.env, BONAFIDE_DATA: running.dataDirectory },
  });
}

/** The body that Identify's document (000) shows, with something in place of each `<…>`. */
function identifyBody({ image_link, webhook_name, source_id }: ReturnType<typeof order>): string {
  const [documented = ''] = /\{\s*"service"[\s\S]*?\}\s*\}/.exec(documentText('000_0b691360e226a444.txt')) ?? [];
  return documented
    .replace('<LINK TO SELFIE IMAGE>', () => image_link)
    .replace('<YOUR WEBHOOK NAME IDENTIFIER>', () => webhook_name)
    .replace('<UNIQUE ID FOR REQUEST>', () => source_id);
}

async function call(
  payload: ReturnType<typeof order>,
  headers: Record<string, string> = { 'x-api-key': running.apiKey },
) {
  const answer = await fetch(`${running.url}/identify`, {
    method: 'POST',
    headers,
    body: identifyBody(payload),
  });
  const body = await answer.json();
  declared('POST', '/identify', { status: answer.status, body });
  return { status: answer.status, body, sourceId: answer.headers.get('x-bonafide-source-id') };
}

const order = (image: string, source_id = newSourceId()) => ({
  image_link: `${origin}/${image}`,
  webhook_name: 'ours',
  source_id,
});

/** The result of a request, once it is posted. */
async function resultOf(sourceId: string): Promise<string> {
  const find = () => posted.find(({ body }) => JSON.parse(body).payload.source_id === sourceId)?.body;
  await expect.poll(find, { interval: 100 }).toBeDefined();
  return find() ?? '';
}

const creditsLeft = () => Number(/\d+/.exec(admin('credits', 'show', 'demo'))?.[0]);

it('an image at a link becomes a result at a webhook, and costs a credit', async () => {
  const { source_id, ...rest } = order('genuine.jpg', `${newSourceId()} +63 917`);
  const answer = await call({ source_id, ...rest });
  expect(answer).toMatchObject({
    status: 200,
    body: { remaining_credits: 99, message: 'identify-anti-spoof request received' },
  });
  received.parse(answer.body);
  const told = result.parse(JSON.parse(await resultOf(source_id)));
  expect(told.payload).toMatchObject({ passed: true, image_link: rest.image_link, source_id });
  const view = await client.verdict(answer.sourceId ?? '');
  expect(told.payload.probability).toBe(view.verdict?.confidence);
  expect(Date.parse(told.completed_at)).toBe(Date.parse(view.updated_at));
  const { headers } = posted[0] ?? {};
  expect(headers).toMatchObject({ 'content-type': 'application/json' });
  const moves = (await client.history(answer.sourceId ?? '')).filter(({ kind }) => kind === 'moved');
  expect(moves.map(({ state }) => state)).toEqual(['awaiting_captures', 'queued', 'dispatched', 'decided']);
});

it('a face on a screen fails, one too small is told in words, and neither is refunded', async () => {
  const before = creditsLeft();
  const [screen, small] = [order('screen.jpg'), order('small.jpg')];
  await Promise.all([call(screen), call(small)]);
  expect(result.parse(JSON.parse(await resultOf(screen.source_id))).payload.passed).toBe(false);
  const told = failure.parse(JSON.parse(await resultOf(small.source_id)));
  expect(told.error).toMatch(/face|closer/i);
  expect(creditsLeft()).toBe(before - 2);
});

it('what is not there, or no image, is told and gives the credit back', async () => {
  const before = creditsLeft();
  const [page, absent] = [order('page.jpg'), order('absent.jpg')];
  await Promise.all([call(page), call(absent)]);
  for (const { source_id } of [page, absent]) {
    const told = failure.parse(JSON.parse(await resultOf(source_id)));
    expect(told.error).toContain('could not be fetched');
    expect((await client.read(`identify.${source_id}`)).state).toBe('expired');
  }
  await expect.poll(creditsLeft).toBe(before);
});

it('takes a tenant’s key in either header, and refuses as the document says', async () => {
  const again = order('genuine.jpg');
  await call(again);
  const left = creditsLeft();
  for (const authorization of [running.apiKey, `Bearer ${running.apiKey}`, `Token ${running.apiKey}`]) {
    expect(await call(again, { authorization })).toMatchObject({ status: 200, body: { remaining_credits: left } });
  }
  for (const headers of [{}, { authorization: 'Token wrong' }, { 'x-api-key': 'wrong' }] as Record<string, string>[]) {
    const { status, body } = await call(again, headers);
    expect({ status, body: refused.parse(body) }).toEqual({ status: 401, body: { message: 'Invalid API token' } });
  }
  expect(await call({ ...again, image_link: `${origin}/screen.jpg` })).toMatchObject({ status: 422 });
  expect(await call({ ...again, source_id: 'x'.repeat(20_000) })).toMatchObject({ status: 413 });
  await resultOf(again.source_id);
});

it('posts nothing of an erased verification, and no link, key or source_id is in a log', async () => {
  const erased = order('genuine.jpg');
  answers.push(...Array.from({ length: 50 }, () => 503)); // the first post may come before the erasure
  await call(erased);
  await client.verdict(`identify.${erased.source_id}`);
  expect((await client.call('DELETE', `/verifications/identify.${erased.source_id}`)).status).toBe(200);
  answers.length = 0;
  const written = running.written();
  for (const secret of [origin, 'secret-of-the-webhook', running.apiKey, erased.source_id, 'image_link']) {
    expect(written).not.toContain(secret);
  }
  expect((await call(erased)).status).toBe(422);
});

describe('SpoofSense’s body (001)', () => {
  /** `{ "data": "image_base64_string",          # base64 string of the image }`, without its comment. */
  const bodyOf = (base64: string) => {
    const [documented = ''] = /\{\s*"data"[^}]*\}/.exec(documentText('001_7aaf092c254bc1c8.txt')) ?? [];
    const edits = [
      [/,\s*#[^\n]*/, ''],
      ['image_base64_string', base64],
    ] as const;
    return edits.reduce((body, [from, to]) => body.replace(from, to), documented);
  };

  it.each([
    ['/prod/antispoofing', '/genuine.jpg', true],
    ['/prod/robust', '/genuine.jpg', true],
    ['/prod/antispoofing', '/screen.jpg', false],
    ['/prod/robust', '/screen.jpg', false],
  ] as const)('to %s with %s: the document’s check says %s', async (path, image, live) => {
    const base64 = Buffer.from(images.get(image) ?? []).toString('base64');
    const post = () =>
      fetch(`${running.url}${path}`, {
        method: 'POST',
        headers: { 'x-api-key': running.apiKey },
        body: bodyOf(base64),
      });
    let answer = await post();
    while (answer.status === 504) answer = await post();
    const { model_output } = (await answer.json()) as { model_output: { prob_real: number; pred_idx: string } };
    expect(model_output.prob_real > (path === '/prod/robust' ? 0.5 : 0.55)).toBe(live);
    expect(model_output.pred_idx).toBe(live ? 'real' : 'spoof');
  });
});

// Those of two captures: test/serving/examples.test.ts, which `.ci/run` runs in all three languages.
describe('One Smart Lab’s own programs of one photo (002)', () => {
  documentPrograms(['spoofdetect'], () => running);
});
