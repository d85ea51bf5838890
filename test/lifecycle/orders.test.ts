import { beforeEach, describe, expect, it } from 'vitest';
import type { Fetcher, Unreached } from '../../shared/domain/ports.ts';
import { epochSeconds } from '../../shared/domain/times.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import type { InState, Verification } from '../../shared/domain/verification.ts';
import { deliverResult } from '../../shared/lifecycle/deliver.ts';
import { fetchImage } from '../../shared/lifecycle/fetch-image.ts';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { result } from '../../shared/providers/identify/answers.ts';
import { writeResult } from '../../shared/providers/identify/speech.ts';
import { delayAfter, postDelaysSeconds } from '../../shared/webhooks/schedule.ts';
import { webhookSender } from '../../shared/webhooks/send.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';
import { simulatedBucket } from '../simulation/bucket.ts';
import { image } from '../simulation/strangers.ts';

const order = { sourceId: 'theirs', imageLink: 'https://images.example/1.jpg', webhookName: 'ours' };
const record = anAwaitingVerification({ served: 'identify', order, failedPosts: 0, credit: 'taken' });
const { verificationId } = record;
const verdict: Verdict = {
  outcome: 'passed',
  confidence: 0.91,
  reasons: [],
  scores: {},
  provider: 'builtin',
  policyVersion: 1,
};

let at: ReturnType<typeof setup>;
let webhooks: Record<string, string>;
/** Posts, and whether the webhook takes the next one. */
let posts: { url: string; body: string; headers: unknown; timeoutSeconds: number }[];
let status: number;
beforeEach(async () => {
  at = setup();
  webhooks = { ours: 'https://acme.example/results' };
  posts = [];
  status = 503;
  await at.verifications.create(record);
});

const read = async () => (await at.verifications.find(verificationId)) as InState<'decided'>;

async function decided(): Promise<void> {
  const landed = landedFor('spoof_detect');
  const queued = await at.verifications.move(record, 'queued', { landed, provider: 'builtin', dueAt: 1 });
  if (queued.kind === 'lost') throw new Error('queued');
  await at.verifications.move(queued.verification, 'decided', { landed, verdict, dueAt: 2 });
}

const deliver = (failedPosts: number) =>
  deliverResult(
    { verificationId, failedPosts },
    {
      ...at,
      tenants: { servedWebhook: async (_, name) => new Map(Object.entries(webhooks)).get(name) },
      writeResult,
      post: webhookSender({
        async post(url, message, { timeoutSeconds }) {
          posts.push({ url, ...message, timeoutSeconds });
          return { kind: 'answered', status };
        },
      }),
      delayAfter,
    },
  );

describe('a result', () => {
  beforeEach(decided);

  it('is tried six times in about an hour, byte for byte the same, and then left to an operator', async () => {
    expect(postDelaysSeconds.reduce((sum, delay) => sum + delay)).toBe(56 * 60);
    expect(Math.max(...postDelaysSeconds)).toBeLessThanOrEqual(900); // what SQS can delay
    for (let tried = 0; tried < 6; tried += 1) {
      at.advance(60);
      await deliver(tried);
    }
    expect(at.ordered).toEqual([
      'deliver after 1 in 60 s',
      'deliver after 2 in 600 s',
      'deliver after 3 in 900 s',
      'deliver after 4 in 900 s',
      'deliver after 5 in 900 s',
      'give up after 6',
    ]);
    expect(posts).toHaveLength(6);
    expect(new Set(posts.map((post) => JSON.stringify(post))).size).toBe(1);
    expect(await read()).not.toHaveProperty('dueAt');
  });

  it('that was given up is posted again where its tenant asks for it, and is closed once it is taken', async () => {
    for (let tried = 0; tried < 6; tried += 1) await deliver(tried);
    await deliver(6); // a resend, or a redrive
    expect(posts).toHaveLength(7);
    expect(at.ordered.filter((line) => line.startsWith('give up'))).toEqual(['give up after 6']);
    expect(await read()).not.toHaveProperty('dueAt');
    status = 200;
    await deliver(7);
    expect(new Set(posts.map((post) => JSON.stringify(post))).size).toBe(1);
    const closed = await read();
    expect(JSON.stringify(closed)).not.toMatch(/images\.example|ours|theirs/);
    await deliver(7);
    expect(posts).toHaveLength(8);
  });

  it('is told by any 2xx, once; link and webhook then leave the record', async () => {
    const { updatedAt } = await read();
    status = 204;
    at.advance(600);
    await deliver(0);
    await deliver(0);
    expect(posts).toEqual([
      {
        url: 'https://acme.example/results',
        body: expect.any(String),
        headers: { 'content-type': 'application/json' },
        timeoutSeconds: 10,
      },
    ]);
    const told = result.parse(JSON.parse(posts[0]?.body ?? ''));
    expect(told.payload).toEqual({ passed: true, probability: 0.91, image_link: order.imageLink, source_id: 'theirs' });
    expect(Date.parse(told.completed_at)).toBe(Date.parse(updatedAt));
    expect(JSON.stringify(await read())).not.toMatch(/images\.example|ours|theirs/);
  });

  it.each([301, 400, 410, 500])('is not taken by %i', async (refusing) => {
    status = refusing;
    await deliver(0);
    expect(await read()).toMatchObject({ failedPosts: 1, order });
  });

  it('is not posted by a message that counts otherwise than the record', async () => {
    await deliver(0);
    await deliver(0); // the message came again
    await deliver(3);
    expect(posts).toHaveLength(1);
  });

  it('goes where the webhook’s name leads by then; a name that leads nowhere is a try in vain', async () => {
    webhooks = {};
    await deliver(0);
    expect(posts).toEqual([]);
    webhooks = { ours: 'https://acme.example/other' };
    await deliver(1);
    expect(posts.map(({ url }) => url)).toEqual(['https://acme.example/other']);
  });

  it('of an erased verification is not posted', async () => {
    await at.verifications.move(await read(), 'erased', {});
    await deliver(0);
    expect(posts).toEqual([]);
  });

  it('is listed as a delivery: with its tries, spent at the end, or taken', async () => {
    const listed = () => at.deliveries.find(`evt_${verificationId}_1`, 'result');
    await deliver(0);
    await deliver(0); // a message that came again
    expect(await listed()).toMatchObject({
      ...{ tenant: 'acme', about: verificationId, type: 'verification.decided', state: 'waiting', failed: 1 },
      tries: [{ status: 503, error: 'status_unexpected' }],
    });
    expect(await listed()).not.toHaveProperty('dueAt'); // the record says when
    status = 200;
    await deliver(1);
    expect(await listed()).toMatchObject({ state: 'delivered', failed: 1, tries: [{ status: 503 }, { status: 200 }] });
    expect(JSON.stringify(at.deliveries.all())).not.toMatch(/images\.example|ours|theirs/);
  });

  it('that waits when its verification is erased is listed as ended', async () => {
    await deliver(0);
    await at.verifications.move(await read(), 'erased', {});
    await deliver(1);
    expect(at.deliveries.all()).toMatchObject([{ endpointId: 'result', state: 'ended', endedBecause: 'erased' }]);
    expect(posts).toHaveLength(1);
  });

  it('that was not handed on is sent again by the sweep, as often as it was posted in vain', async () => {
    at.advance(3);
    await sweepVerifications(at);
    await deliver(0);
    at.advance(60 + 121);
    await sweepVerifications(at);
    expect(at.ordered).toEqual(['deliver after 0 in 0 s', 'deliver after 1 in 60 s', 'deliver after 1 in 0 s']);
    expect(at.erased).toEqual([]); // nothing of it is stored
  });
});

describe('the image of an order', () => {
  const bucket = () => simulatedBucket();
  type Answer = Awaited<ReturnType<Fetcher['get']>>;
  const failed = (reason: Unreached['reason']): Answer => ({ kind: 'failed', reason });

  async function fetching(answers: readonly Answer[]) {
    const asked: unknown[] = [];
    const slept: number[] = [];
    const { captures, left } = bucket();
    await fetchImage(verificationId, {
      ...at,
      captures,
      fetcher: {
        async get(link, limits) {
          asked.push({ link, ...limits });
          return answers[Math.min(asked.length, answers.length) - 1] as Answer;
        },
      },
      sleep: async (milliseconds) => void slept.push(milliseconds),
    });
    const after = (await at.verifications.find(verificationId)) as Verification;
    return { asked, slept, after, left: left(verificationId) };
  }

  it('is fetched within 10 s and 10 MiB, and handed over as what its bytes are', async () => {
    const png = Buffer.from('89504e470d0a1a0a', 'hex');
    const { asked, after, left } = await fetching([{ kind: 'fetched', bytes: png }]);
    expect(asked).toEqual([{ link: order.imageLink, timeoutSeconds: 10, maximumBytes: 10 * 1024 * 1024 }]);
    expect(after).toMatchObject({
      state: 'queued',
      declared: { selfie: { contentType: 'image/png', contentLength: 8 } },
    });
    expect(left).toHaveLength(1);
    expect(at.sent).toEqual([['builtin', 2]]);
  });

  it('is tried three times, and then the order expires, which the sweep looks at until it is posted', async () => {
    const { asked, slept, after } = await fetching([
      failed('timed_out'),
      failed('unreachable'),
      failed('status_unexpected'),
    ]);
    expect(asked).toHaveLength(3);
    expect(slept).toEqual([1000, 5000]);
    expect(after).toMatchObject({ state: 'expired', order, dueAt: epochSeconds(at.now()) + 120 });
  });

  it.each(['link_invalid', 'address_forbidden', 'answer_too_large'] as const)(
    'is not tried again after %s',
    async (reason) => {
      const { asked, after } = await fetching([failed(reason), image]);
      expect(asked).toHaveLength(1);
      expect(after.state).toBe('expired');
    },
  );

  it('is not fetched of a record that awaits it no more', async () => {
    await at.verifications.move(record, 'erased', {});
    expect((await fetching([image])).asked).toEqual([]);
  });

  it('is asked for again by the sweep where the message was lost, for a quarter of an hour', async () => {
    const due = {
      ...record,
      verificationId: record.verificationId.replace(/^./, 'z'),
      dueAt: epochSeconds(at.now()) + 120,
    };
    await at.verifications.create(due);
    at.advance(121);
    await sweepVerifications(at);
    at.advance(60);
    await sweepVerifications(at);
    expect(at.ordered).toEqual([`fetch ${due.verificationId}`, `fetch ${due.verificationId}`]);
    at.advance(15 * 60);
    await sweepVerifications(at);
    expect((await at.verifications.find(due.verificationId))?.state).toBe('expired');
    expect(at.ordered).toHaveLength(2);
  });
});
