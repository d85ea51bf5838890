import { beforeEach, describe, expect, it } from 'vitest';
import type { Delivery, KeptEvent } from '../../shared/domain/delivery.ts';
import type { Endpoint, EndpointEvent } from '../../shared/domain/endpoint.ts';
import { type Event, eventId } from '../../shared/domain/event.ts';
import type { Fetcher, SignWebhook, WebhookMessage } from '../../shared/domain/ports.ts';
import { healthAfter, type Try } from '../../shared/lifecycle/mind-endpoint.ts';
import { sweepDeliveries } from '../../shared/lifecycle/overdue-deliveries.ts';
import { nextOf, sendWebhook, stepOf } from '../../shared/lifecycle/send-webhook.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { nextTryAfter } from '../../shared/webhooks/schedule.ts';
import { signedSender } from '../../shared/webhooks/sign.ts';
import { idOf } from '../builders/deployment.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { aKeptEvent } from '../builders/kept-event.ts';
import { setup } from '../builders/setup.ts';
import { start } from '../builders/verification.ts';

type Answer = Awaited<ReturnType<Fetcher['post']>>;
const ok: Answer = { kind: 'answered', status: 200 };
const broken: Answer = { kind: 'answered', status: 500 };
const silent: Answer = { kind: 'failed', reason: 'timed_out' };

const event = aKeptEvent({ keptAt: start.toISOString() });
const aDelivery = (overrides: Partial<Delivery> = {}): Delivery => ({
  eventId: event.id,
  endpointId: 'ep_aaaaaaaaaaaaaaaa',
  tenant: 'acme',
  about: event.about,
  sequence: event.sequence,
  type: event.type,
  state: 'waiting',
  failed: 1,
  tries: [],
  createdAt: start.toISOString(),
  updatedAt: start.toISOString(),
  purgeAt: event.purgeAt,
  ...overrides,
});

let at: ReturnType<typeof setup>;
let endpoint: Endpoint;
let answer: Answer;
let takesSeconds: number;
let posts: { url: string; body: string; id: string | undefined; limits: object }[];
let put: (Event | EndpointEvent)[];
beforeEach(async () => {
  at = setup();
  endpoint = anEndpoint();
  answer = ok;
  takesSeconds = 0;
  posts = [];
  put = [];
  await at.endpoints.create(endpoint);
  await at.keptEvents.keep(event);
});

const message = (overrides: Partial<WebhookMessage> = {}): WebhookMessage => ({
  tenant: 'acme',
  eventId: event.id,
  about: event.about,
  endpointId: endpoint.id,
  failed: 0,
  ...overrides,
});

const sign: SignWebhook = async (_, { id, at: signedAt, body }) => ({
  'webhook-id': id,
  'webhook-timestamp': `${signedAt.getTime() / 1000}`,
  'webhook-signature': `v1,${body.length}`,
});
const receiver: Pick<Fetcher, 'post'> = {
  async post(url, { body, headers }, limits) {
    posts.push({ url, body, id: headers['webhook-id'], limits });
    at.advance(takesSeconds);
    return answer;
  },
};

const send = (one: WebhookMessage = message(), more: object = {}) =>
  sendWebhook(one, {
    ...at,
    bodyOf,
    nextTryAfter,
    postSigned: signedSender(receiver, sign, at.now),
    put: async (events) => {
      put.push(...events);
      return [];
    },
    ...more,
  });

const found = async (eventId = event.id) => at.deliveries.find(eventId, endpoint.id);
const current = async () => (await at.endpoints.find('acme', endpoint.id)) as Endpoint;

describe('an event', () => {
  it('that is taken at once costs one write, and is posted signed, over https alone', async () => {
    let reads = 0;
    const counted = async () => {
      reads += 1;
    };
    const deliveries = { ...at.deliveries, find: counted, go: counted };
    await send(message(), { deliveries });
    expect(posts).toEqual([
      {
        url: endpoint.url,
        body: bodyOf(event, endpoint),
        id: event.id,
        limits: { timeoutSeconds: 15, httpsOnly: true },
      },
    ]);
    expect(await found()).toMatchObject({ state: 'delivered', failed: 0, tries: [{ status: 200, milliseconds: 0 }] });
    expect(reads).toBe(0);
    expect((await current()).version).toBe(1);
    expect(at.webhooksDelayed).toEqual([]);
  });

  it('is tried ten times, as the schedule says, and is then spent', async () => {
    answer = broken;
    await send();
    const waits: number[] = [];
    for (let failed = 1; failed < 10; failed += 1) {
      const { dueAt = 0, state } = (await found()) as Delivery;
      expect(state).toBe('waiting');
      const before = at.now().getTime() / 1000;
      const delayed = at.webhooksDelayed.pop();
      if (delayed) {
        waits.push(delayed.delaySeconds);
        at.advance(delayed.delaySeconds);
        const { delaySeconds: _, ...again } = delayed;
        await send(again);
      } else {
        waits.push(dueAt - before);
        at.advance(dueAt - before - 1);
        expect(await sweepDeliveries(at)).toEqual({ sent: 0 });
        at.advance(1);
        expect(await sweepDeliveries(at)).toEqual({ sent: 1 });
        await send(at.webhooksSent.pop());
      }
    }
    const hours = [2, 5, 10, 14, 20, 24].map((hour) => Math.round(hour * 3600 * 1.1));
    expect(waits).toEqual([6, 330, 1980, ...hours]);
    expect(await found()).toMatchObject({ state: 'spent', failed: 10 });
    expect(posts).toHaveLength(10);
    expect(new Set(posts.map(({ body, id }) => `${id} ${body}`)).size).toBe(1);
    expect(await current()).toMatchObject({ state: 'enabled', failingSince: start.toISOString() });
    expect((await current()).version).toBe(2); // written once
  });

  it.each([
    [{ kind: 'answered', status: 429, retryAfter: '120' }, 120],
    [{ kind: 'answered', status: 503, retryAfter: 'Thu, 01 Jan 2026 00:10:00 GMT' }, 600],
    [{ kind: 'answered', status: 301 }, 6],
    [{ kind: 'failed', reason: 'unreachable' }, 6],
    [{ kind: 'failed', reason: 'address_forbidden' }, 6],
  ] as [Answer, number][])('that ended with %j comes again in %i s', async (given, seconds) => {
    answer = given;
    await send();
    expect(at.webhooksDelayed).toMatchObject([{ failed: 1, delaySeconds: seconds }]);
    expect(await found()).toMatchObject({ state: 'waiting', failed: 1 });
  });

  it('whose receiver asks for more than SQS can delay is brought by the sweep', async () => {
    answer = { kind: 'answered', status: 503, retryAfter: '3600' };
    await send();
    expect(at.webhooksDelayed).toEqual([]);
    at.advance(3600);
    expect(await sweepDeliveries(at)).toEqual({ sent: 1 });
    expect(at.webhooksSent).toMatchObject([{ failed: 1, endpointId: endpoint.id }]);
  });

  it('whose delayed message is lost is brought by the sweep, and of both messages one sends', async () => {
    answer = broken;
    await send();
    at.advance(6 + 119);
    expect(await sweepDeliveries(at)).toEqual({ sent: 0 });
    at.advance(2);
    expect(await sweepDeliveries(at)).toEqual({ sent: 1 });
    const [swept] = at.webhooksSent;
    const [delayed] = at.webhooksDelayed;
    await send(swept);
    await send(delayed);
    expect(posts).toHaveLength(2);
  });

  it('is brought in one sweep however many wait beside it, or by the next where the time is up', async () => {
    answer = broken;
    await send();
    const [waiting] = at.deliveries.all();
    if (!waiting) throw new Error('nothing waits');
    for (let one = 0; one < 1500; one += 1) {
      const about = idOf(`waiting-${one}`);
      await at.deliveries.begin({ ...waiting, about, eventId: eventId(about, 2) });
    }
    at.advance(6 + 127);
    let left = 12_000;
    const late = { ...at, remainingMilliseconds: () => (left -= 1000) };
    const { sent } = await sweepDeliveries(late);
    expect(sent).toBeLessThan(100);
    expect(await sweepDeliveries(at)).toEqual({ sent: 1501 });
    expect(new Set(at.webhooksSent.slice(sent).map(({ about }) => about)).size).toBe(1501);
  });

  it('whose first message comes twice is posted twice, and counted once', async () => {
    answer = broken;
    await send();
    await send();
    expect(posts).toHaveLength(2);
    expect(await found()).toMatchObject({ failed: 1, tries: [{ status: 500 }] });
    answer = ok;
    await send();
    expect(await found()).toMatchObject({ state: 'delivered' });
  });

  it('is read by nothing that is older than what it was told', async () => {
    await send(message({ failed: 3 }));
    expect(posts).toEqual([]);
    await send(message({ eventId: 'evt_a_99' }));
    expect(posts).toEqual([]);
  });
});

describe('ends unsent', () => {
  it.each([
    ['endpoint_deleted', () => at.endpoints.remove('acme', endpoint.id)],
    [
      'endpoint_disabled',
      async () => at.endpoints.change(await current(), { state: 'disabled', stoppedAt: at.now().toISOString() }),
    ],
    ['endpoint_disabled', async () => at.endpoints.change(await current(), { stoppedAt: at.now().toISOString() })], // and enabled again
    ['erased', () => at.keptEvents.empty([event])],
  ] as const)('as %s, before its first try and after', async (endedBecause, ends) => {
    answer = broken;
    const other = aKeptEvent({ id: 'evt_a_5', sequence: 5, keptAt: start.toISOString() });
    await at.keptEvents.keep(other);
    await send(message({ eventId: other.id }));
    at.advance(1);
    await ends();
    if (endedBecause === 'erased') await at.keptEvents.empty([other]);
    await send();
    await send(at.webhooksDelayed[0]);
    expect(posts).toHaveLength(1);
    expect(await found()).toMatchObject({ state: 'ended', endedBecause, failed: 0 });
    expect(await found(other.id)).toMatchObject({ state: 'ended', endedBecause, failed: 1 });
  });

  it('never by what is known of an endpoint since twenty seconds', async () => {
    for (const known of [[], [{ ...endpoint, state: 'disabled' as const }]]) {
      await send(message(), { endpoints: { ...at.endpoints, of: async () => ({ keeps: true, endpoints: known }) } });
    }
    expect(posts).toHaveLength(2);
  });

  it('and what was kept after an endpoint was stopped is sent', async () => {
    await at.endpoints.change(endpoint, { stoppedAt: new Date(start.getTime() - 1).toISOString() });
    await send();
    expect(posts).toHaveLength(1);
  });
});

describe('an endpoint', () => {
  it('that answers 410 is disabled, and the bus and the others are told', async () => {
    const [other, deaf] = [anEndpoint(), anEndpoint({ types: ['verification.decided'] })];
    for (const one of [other, deaf]) await at.endpoints.create(one);
    answer = { kind: 'answered', status: 410 };
    await send();
    const told = `evt_${endpoint.id}_2`;
    expect(await current()).toMatchObject({ state: 'disabled', disabledBecause: 'gone' });
    expect(await current()).not.toHaveProperty('untold');
    expect(await found()).toMatchObject({
      state: 'ended',
      endedBecause: 'endpoint_disabled',
      tries: [{ error: 'gone' }],
    });
    expect(put).toEqual([
      {
        id: told,
        type: 'endpoint.disabled',
        occurred_at: start.toISOString(),
        tenant: 'acme',
        endpoint_id: endpoint.id,
        because: 'gone',
      },
    ]);
    expect(at.webhooksSent).toEqual([
      { tenant: 'acme', eventId: told, about: endpoint.id, endpointId: other.id, failed: 0 },
    ]);
    expect(JSON.parse((await at.keptEvents.find(told))?.data ?? '')).toEqual(put[0]);
    expect(JSON.stringify([put, at.keptEvents.all()])).not.toContain('hooks.example');
  });

  it('that was disabled by a worker that died is told of by the next message', async () => {
    answer = { kind: 'answered', status: 410 };
    const dies = async () => {
      throw new Error('killed');
    };
    await expect(send(message(), { put: dies })).rejects.toThrow('killed');
    expect(await current()).toMatchObject({ state: 'disabled', untold: `evt_${endpoint.id}_2` });
    await send();
    expect(put.map(({ id }) => id)).toEqual([`evt_${endpoint.id}_2`]);
    expect(await current()).not.toHaveProperty('untold');
    expect(await found()).toMatchObject({ state: 'ended', endedBecause: 'endpoint_disabled' });
  });

  const another = async (sequence: number): Promise<KeptEvent> =>
    at.keptEvents.keep(
      aKeptEvent({
        id: `evt_a_${sequence}`,
        sequence,
        keptAt: at.now().toISOString(),
        purgeAt: at.now().getTime() / 1000 + 1000,
      }),
    );

  it('that was disabled by the last try of a delivery is told of, though the message that comes again has nothing to send', async () => {
    answer = { kind: 'answered', status: 410 };
    await send();
    await at.endpoints.change(await current(), { untold: `evt_${endpoint.id}_2` });
    put = [];
    await send(message({ failed: 3 }));
    expect(put).toMatchObject([{ type: 'endpoint.disabled', because: 'gone' }]);
    expect(await current()).not.toHaveProperty('untold');
    expect(posts).toHaveLength(1);
  });

  it('at which every try of five days failed is disabled', async () => {
    answer = broken;
    await send();
    at.advance(5 * 86_400 - 1);
    await send(message({ eventId: (await another(5)).id }));
    expect(await current()).toMatchObject({ state: 'enabled' });
    at.advance(1);
    await send(message({ eventId: (await another(6)).id }));
    expect(await current()).toMatchObject({ state: 'disabled', disabledBecause: 'failing' });
    expect(put).toMatchObject([{ type: 'endpoint.disabled', because: 'failing' }]);
    expect(await found('evt_a_6')).toMatchObject({ state: 'ended', endedBecause: 'endpoint_disabled', failed: 1 });
  });

  it('that took one in between is not, whether that was written down or not', async () => {
    answer = broken;
    await send();
    answer = ok;
    at.advance(86_400);
    const stale = { ...at.endpoints, of: async () => ({ keeps: true, endpoints: [endpoint] }) }; // before it failed
    await send(message({ eventId: (await another(5)).id }), { endpoints: stale });
    expect(await current()).toMatchObject({ failingSince: start.toISOString() });
    answer = broken;
    at.advance(5 * 86_400);
    await send(message({ eventId: (await another(6)).id }));
    expect(await current()).toMatchObject({ state: 'enabled', failingSince: at.now().toISOString() });
  });

  it('counts its tenant as failing when it is the first of the tenant’s, however many follow', async () => {
    answer = broken;
    const others = [anEndpoint(), anEndpoint()];
    for (const one of others) await at.endpoints.create(one);
    const failing = () => at.measured.filter(({ metric }) => metric === 'TenantsFailing').length;
    await send();
    expect(failing()).toBe(1);
    for (const { id } of others) {
      at.advance(1);
      await send(message({ endpointId: id, eventId: (await another(5)).id }));
    }
    await send(message({ eventId: (await another(6)).id })); // one that fails on is no news
    expect(failing()).toBe(1);
    const tried = at.measured.filter(({ metric }) => metric === 'WebhooksFailed');
    expect(tried.map(({ value }) => value)).toEqual([1, 1, 1, 1]);
  });

  it('that is idle stays, and a success ends what failed before', async () => {
    answer = broken;
    await send();
    at.advance(30);
    answer = ok;
    await send(message({ eventId: (await another(5)).id }));
    expect(await current()).not.toHaveProperty('failingSince');
    at.advance(90 * 86_400);
    answer = broken;
    await send(message({ eventId: (await another(6)).id }));
    expect(await current()).toMatchObject({ state: 'enabled', failingSince: at.now().toISOString() });
  });

  it('that holds up calls is put off, which counts no try, until it answers', async () => {
    answer = silent;
    takesSeconds = 15;
    await send();
    expect(await current()).toMatchObject({ breaker: { openings: 1, openUntil: at.now().getTime() / 1000 + 15 } });
    const other = await another(5);
    await send(message({ eventId: other.id }));
    expect(posts).toHaveLength(1);
    expect(await found(other.id)).toMatchObject({ state: 'waiting', failed: 0, tries: [] });
    const putOff = at.webhooksDelayed.at(-1);
    expect(putOff).toMatchObject({ eventId: other.id, failed: 0, delaySeconds: 17 });
    at.advance(20);
    answer = ok;
    takesSeconds = 0;
    await send(putOff);
    expect(await found(other.id)).toMatchObject({ state: 'delivered', failed: 0 });
    expect(await current()).not.toHaveProperty('breaker');
  });

  it('that takes what it is sent after more than ten seconds is put off as well', async () => {
    takesSeconds = 10;
    await send();
    expect(await found()).toMatchObject({ state: 'delivered' });
    expect(await current()).toMatchObject({ breaker: { openings: 1 } });
  });

  it('that has held up calls for long costs one write an hour for what waits, which the sweep brings', async () => {
    const openUntil = at.now().getTime() / 1000 + 8000;
    await at.endpoints.change(endpoint, { breaker: { openings: 9, openUntil } });
    at.advance(7200);
    await send();
    expect(at.webhooksDelayed).toEqual([]);
    expect(await found()).toMatchObject({ state: 'waiting', failed: 0, dueAt: at.now().getTime() / 1000 + 3961 });
    at.advance(3961);
    await sweepDeliveries(at);
    await send(at.webhooksSent[0]);
    expect(await found()).toMatchObject({ state: 'delivered', failed: 0 });
  });

  it('a try of a delivery that is due, put off, is due later', async () => {
    answer = broken;
    await send();
    await at.endpoints.change(await current(), {
      breaker: { openings: 5, openUntil: at.now().getTime() / 1000 + 240 },
    });
    at.advance(6);
    await send(at.webhooksDelayed[0]);
    const { dueAt = 0, failed } = (await found()) as Delivery;
    expect([failed, dueAt - at.now().getTime() / 1000]).toEqual([1, 258 + 120]);
    expect(at.webhooksDelayed.at(-1)).toMatchObject({ failed: 1, delaySeconds: 258 });
  });
});

describe('what is asked for again', () => {
  const again = { kind: 'resend', id: 'r1' } as const;

  it('is sent though it was delivered, and begins the schedule anew where that fails', async () => {
    await send();
    await send(message({ again }));
    expect(posts).toHaveLength(2);
    expect(await found()).toMatchObject({ state: 'delivered', tries: [{ status: 200 }, { status: 200 }] });
    answer = broken;
    await send(message({ again }));
    expect(await found()).toMatchObject({ state: 'waiting', failed: 1 });
    answer = ok;
    await send(at.webhooksDelayed.at(-1));
    expect(await found()).toMatchObject({ state: 'delivered' });
  });

  it('is brought by a message alone, however long calls are held up', async () => {
    await send();
    const openUntil = at.now().getTime() / 1000 + 8000;
    await at.endpoints.change(endpoint, { breaker: { openings: 9, openUntil } });
    await send(message({ again }));
    expect(at.webhooksDelayed.at(-1)).toMatchObject({ again, delaySeconds: 900 });
    expect(await found()).toMatchObject({ state: 'delivered' });
    at.advance(8000);
    await send(at.webhooksDelayed.at(-1));
    expect(posts).toHaveLength(2);
  });

  it('leaves one that waits to its schedule', async () => {
    answer = broken;
    await send();
    const { dueAt } = (await found()) as Delivery;
    await send(message({ again }));
    expect(await found()).toMatchObject({ state: 'waiting', failed: 1, dueAt, tries: [{}, {}] });
    expect(at.webhooksDelayed).toHaveLength(1);
  });

  it('is sent though the endpoint was stopped since, and not while it is', async () => {
    await at.endpoints.change(endpoint, { stoppedAt: at.now().toISOString() });
    await send(message({ again }));
    expect(posts).toHaveLength(1);
    await at.endpoints.change(await current(), { state: 'disabled' });
    await send(message({ again }));
    expect(posts).toHaveLength(1);
    expect(await found()).toMatchObject({ state: 'delivered' });
  });
});

describe('the event of an erasure', () => {
  const erased = () =>
    aKeptEvent({ id: 'evt_a_9', sequence: 9, keptAt: start.toISOString(), awaitedBy: [endpoint.id] });
  const kept = async () => at.keptEvents.find('evt_a_9');
  beforeEach(async () => void (await at.keptEvents.keep(erased())));

  it('forgets what was erased once it is delivered, also where that was not written the first time', async () => {
    const dies = async () => {
      throw new Error('killed');
    };
    const one = message({ eventId: 'evt_a_9' });
    await expect(send(one, { keptEvents: { ...at.keptEvents, noLongerAwaited: dies } })).rejects.toThrow('killed');
    expect(await kept()).toHaveProperty('data');
    await send(one);
    expect(await kept()).not.toHaveProperty('data');
    expect(await found('evt_a_9')).toMatchObject({ state: 'delivered' });
  });

  it('names it while it waits, and no more once its endpoint is gone', async () => {
    answer = broken;
    await send(message({ eventId: 'evt_a_9' }));
    expect(await kept()).toHaveProperty('data');
    await at.endpoints.remove('acme', endpoint.id);
    await send(at.webhooksDelayed[0]);
    expect(await kept()).not.toHaveProperty('data');
  });
});

describe('the decisions', () => {
  const known = anEndpoint();
  const now = start;

  it('an old message is dropped, and one of a finished delivery', () => {
    const step = (given: Partial<WebhookMessage>, earlier: Delivery | undefined) =>
      stepOf({ message: message(given), endpoint: known, event, earlier, now }).kind;
    expect(step({}, undefined)).toBe('post');
    expect(step({ failed: 1 }, undefined)).toBe('drop');
    expect(step({ failed: 1 }, aDelivery({ failed: 2 }))).toBe('drop');
    expect(step({ failed: 1 }, aDelivery({ state: 'delivered' }))).toBe('drop');
    expect(step({ failed: 1 }, aDelivery())).toBe('post');
    expect(step({ due: 7 }, undefined)).toBe('drop');
    expect(step({ due: 7 }, aDelivery({ failed: 0, dueAt: 8 }))).toBe('drop');
    expect(step({ due: 7 }, aDelivery({ failed: 0, dueAt: 7 }))).toBe('post');
  });

  it('what waits for longer is put off for longer, up to an hour', () => {
    const dead = { ...known, breaker: { openings: 9, openUntil: now.getTime() / 1000 + 300 } };
    const seconds = (waited: number, again?: WebhookMessage['again']) => {
      const keptAt = new Date(now.getTime() - waited * 1000).toISOString();
      const given = message(again ? { again } : {});
      return stepOf({ message: given, endpoint: dead, event: { ...event, keptAt }, earlier: undefined, now });
    };
    expect(seconds(0)).toEqual({ kind: 'put_off', seconds: 300 });
    expect(seconds(500)).toEqual({ kind: 'put_off', seconds: 500 });
    expect(seconds(5000)).toEqual({ kind: 'put_off', seconds: 3600 });
    expect(seconds(5000, { kind: 'replay', id: 'r' })).toEqual({ kind: 'put_off', seconds: 300 });
  });

  it('a try leads to the next one, or to the end', () => {
    const next = (error: 'gone' | 'unreachable' | undefined, failed: number, seconds?: number, disabled = false) =>
      nextOf(
        { message: message({ failed }), earlier: undefined },
        { error },
        { disabled, now, nextTry: () => seconds },
      );
    const at0 = now.getTime() / 1000;
    expect(next(undefined, 3)).toEqual({ state: 'delivered', failed: 3 });
    expect(next('gone', 0, 6, true)).toEqual({ state: 'ended', failed: 1, endedBecause: 'endpoint_disabled' });
    expect(next('unreachable', 0, 900)).toEqual({ state: 'waiting', failed: 1, dueAt: at0 + 1020, delaySeconds: 900 });
    expect(next('unreachable', 0, 901)).toEqual({ state: 'waiting', failed: 1, dueAt: at0 + 901 });
    expect(next('unreachable', 9)).toEqual({ state: 'spent', failed: 10 });
  });

  it('only news of an endpoint is written', () => {
    const tried = { at: now.toISOString(), milliseconds: 5 };
    const taken: Try = { outcome: 'taken', tried };
    const failed: Try = { outcome: 'failed', tried: { ...tried, error: 'status_unexpected' } };
    const held: Try = { outcome: 'failed', tried: { ...tried, error: 'timed_out', milliseconds: 15_000 } };
    const failing = { ...known, failingSince: '2025-12-31T00:00:00.000Z' };
    const open = { ...failing, breaker: { openings: 2, openUntil: now.getTime() / 1000 + 9 } };
    expect(healthAfter(known, taken, now)).toBeUndefined();
    expect(healthAfter(known, failed, now)).toEqual({ failingSince: tried.at });
    expect(healthAfter(failing, failed, now)).toBeUndefined();
    expect(healthAfter(failing, taken, now)).toEqual({ failingSince: undefined });
    expect(healthAfter(failing, held, now)?.breaker?.openings).toBe(1);
    expect(healthAfter(open, held, now)).toBeUndefined();
    expect(healthAfter(open, held, new Date(now.getTime() + 9000))?.breaker).toEqual({
      openings: 3,
      openUntil: now.getTime() / 1000 + 9 + 60,
    });
    expect(healthAfter(open, failed, now)).toEqual({ breaker: undefined });
    expect(healthAfter({ ...open, state: 'disabled' }, taken, now)).toBeUndefined();
  });
});
