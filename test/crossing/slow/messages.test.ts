import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { uploadsView } from '../../../shared/api/verifications.ts';
import { captureKey } from '../../../shared/domain/captures.ts';
import { defaultPolicy } from '../../../shared/domain/policy.ts';
import { portrait } from '../../../tools/samples.ts';
import { idOf } from '../../builders/deployment.ts';
import { aLandingMessage } from '../../builders/landing.ts';
import { put } from '../../journeys/client.ts';
import { type Crossing, other, startCrossing, type Version, versions } from '../releases.ts';
import { changeIn } from '../stream.ts';
import { makeTenant } from '../tenants.ts';
import { invented, inventedIn } from '../words.ts';

/*
 * The releases take turns on a verification and on an order: one takes a step and leaves a message in a queue, the other
 * takes that message and the next step, until the webhook is told.
 */

let crossing: Crossing;
let key: string;
let origin: string;
const posted: string[] = [];
const stranger = createServer(async (request, response) => {
  if (request.method === 'GET') return response.writeHead(200).end(await portrait());
  let body = '';
  for await (const piece of request) body += piece;
  posted.push(body);
  return response.writeHead(204).end();
});

beforeAll(async () => {
  crossing = await startCrossing();
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  const sandbox = ['sandbox']; // it needs no model: which release runs the engine makes no difference to messages
  const routes = { spoof_detect: sandbox, photo_verify: sandbox, video_verify: sandbox };
  const servedWebhooks = { ours: `${origin}/results` };
  key = await makeTenant(crossing, {
    id: 'shop',
    livemode: false, // the last release knew no test tenants, and let any tenant use the sandbox
    ...{ policy: { ...defaultPolicy, routes }, servedWebhooks },
  });
  await crossing.write('tenants', { id: 'shop/credits', left: 10, laterField: invented });
});
afterAll(async () => {
  stranger.close();
  await crossing?.end();
});

const rowOf = (sourceId: string) => crossing.read('verifications', { verificationId: idOf(sourceId, 'shop') });
const credits = () => crossing.read('tenants', { id: 'shop/credits' });

/** The one message that the step before left in a queue, by this release's function. */
async function take(version: Version, queue: Parameters<Crossing['messages']>[0], name: string): Promise<void> {
  const bodies = await crossing.messages(queue);
  expect(bodies).toHaveLength(1);
  for (const body of bodies)
    expect(await crossing.take(version, name, body), `${name} of the ${version} one`).toBe(true);
}

async function announce(version: Version, before: Record<string, unknown>, after: Record<string, unknown>) {
  const answer = await crossing.invoke(version, 'announce-event', { Records: [changeIn(before, after)] });
  expect(answer).toEqual({ batchItemFailures: [] });
}

it.each(versions)('a capture becomes a verdict and a webhook, begun by the %s release', async (first) => {
  const second = other(first);
  const sourceId = `captured-${first}`;
  const made = await crossing.call(first, { key }, '/endpoints', { url: `${origin}/hook-${first}` });
  const { id: endpointId } = z.object({ id: z.string() }).parse(JSON.parse(made.text));
  const captures = { selfie: { content_type: 'image/jpeg' } };
  const asked = { source_id: sourceId, check: 'spoof_detect', captures };
  const begun = await crossing.call(first, { key }, '/verifications', asked);
  expect(begun.status, begun.text).toBe(201);
  await put(uploadsView.pick({ uploads: true }).parse(JSON.parse(begun.text)), await portrait());

  const Key = captureKey(idOf(sourceId, 'shop'), 1, 'selfie');
  const stored = await crossing.bucket.client.send(new HeadObjectCommand({ Bucket: crossing.bucket.name, Key }));
  const object = { size: stored.ContentLength, etag: stored.ETag, 'version-id': stored.VersionId };
  const landing = aLandingMessage(Key, object, { time: new Date().toISOString() });
  expect(await crossing.take(second, 'notice-capture', landing)).toBe(true);
  const queued = await rowOf(sourceId);
  await take(first, 'sandbox', 'dispatch-verification');
  const decided = await rowOf(sourceId);
  expect(decided).toMatchObject({ state: 'decided', verdict: { outcome: 'passed' } });
  // The mark of a test stays through the moves of a release that knew none, which marks nothing that it begins.
  expect(decided.livemode).toBe(first === 'last' && !crossing.isTolerant('last') ? undefined : false);
  await announce(second, queued, decided);
  const before = posted.length;
  for (const body of await crossing.messages('webhooks.fifo')) {
    if (body.includes(endpointId)) expect(await crossing.take(first, 'deliver-webhook', body)).toBe(true);
  }
  expect(posted.slice(before).filter((body) => body.includes(sourceId))).toHaveLength(1);
  for (const version of versions) {
    const { status, text } = await crossing.call(version, { key }, `/verifications/${sourceId}`);
    expect(status, text).toBe(200);
    expect(text).toContain('"passed"');
  }
});

it.each(versions)(
  'an order becomes a result at its webhook, and costs a credit, taken by the %s release',
  async (first) => {
    const second = other(first);
    const left = z.number().parse((await credits()).left);
    const payload = { image_link: `${origin}/face.jpg`, webhook_name: 'ours', source_id: `ordered-${first}` };
    const call = { service: 'identify-anti-spoof', payload };
    const taken = await crossing.call(first, { key }, '/identify', call);
    expect(taken.status, taken.text).toBe(200);
    const again = await crossing.call(second, { key }, '/identify', call);
    expect(again.status, again.text).toBe(200);
    expect(await credits()).toMatchObject({ left: left - 1, laterField: invented });

    await take(second, 'fetches', 'fetch-capture');
    const [work = ''] = await crossing.messages('sandbox');
    const { verification_id: verificationId } = z.object({ verification_id: z.string() }).parse(JSON.parse(work));
    const now = () => crossing.read('verifications', { verificationId });
    const queued = await now();
    expect(await crossing.take(first, 'dispatch-verification', work)).toBe(true);
    const decided = await now();
    expect(decided).toMatchObject({ state: 'decided', order: { webhookName: 'ours' }, credit: 'taken' });
    await announce(second, queued, decided);
    await crossing.messages('webhooks.fifo');
    await take(first, 'deliveries', 'deliver-webhook');
    expect(posted.filter((body) => body.includes(`ordered-${first}`))).toHaveLength(1);
    expect(await now()).not.toHaveProperty('order');
  },
);

it.each(versions)(
  'the credit of an order that comes to nothing is given back, taken by the %s release',
  async (first) => {
    const second = other(first);
    const left = z.number().parse((await credits()).left);
    const payload = { image_link: 'http://127.0.0.1:9/none.jpg', webhook_name: 'ours', source_id: `lost-${first}` };
    const taken = await crossing.call(first, { key }, '/identify', { service: 'identify-anti-spoof', payload });
    expect(taken.status, taken.text).toBe(200);
    const [fetch = ''] = await crossing.messages('fetches');
    const { verification_id: verificationId } = z.object({ verification_id: z.string() }).parse(JSON.parse(fetch));
    const now = () => crossing.read('verifications', { verificationId });
    const awaiting = await now();
    expect(await crossing.take(second, 'fetch-capture', fetch)).toBe(true);
    const expired = await now();
    expect(expired).toMatchObject({ state: 'expired', credit: 'taken' });
    await announce(first, awaiting, expired);
    await crossing.messages('webhooks.fifo');
    await take(second, 'deliveries', 'deliver-webhook');
    expect(await now()).toMatchObject({ credit: 'refunded' });
    expect(await credits()).toMatchObject({ left });
    expect(inventedIn(await credits())).toBe(1);
  },
);
