import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Fetcher } from '../../shared/domain/ports.ts';
import { endpointAnswerSeconds } from '../../shared/domain/times.ts';
import { fetcher } from '../../shared/fetching.ts';
import { sendWebhook } from '../../shared/lifecycle/send-webhook.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { nextTryAfter } from '../../shared/webhooks/schedule.ts';
import { signedSender, webhookSigner } from '../../shared/webhooks/sign.ts';
import { aKeptEvent } from '../builders/kept-event.ts';
import { aSealedEndpoint, seals } from '../builders/sealed.ts';
import { setup } from '../builders/setup.ts';
import { start } from '../builders/verification.ts';
import { rowsUnder } from '../docs/markdown.ts';
import { openZoo } from './zoo.ts';

/** Stands for the 15 seconds that an endpoint has. */
const shortSeconds = 1.5;

let zoo: Awaited<ReturnType<typeof openZoo>>;
/** What docs/webhooks.md says of each receiver, as it was found. */
let found: ReadonlyMap<string, string[]>;
beforeAll(async () => {
  zoo = await openZoo(() => start);
  const real = fetcher(zoo.fetcherSettings);
  const tried = [...zoo.urls].map(async ([does, url]) => [does, await sendTo(url, real)] as const);
  found = new Map(await Promise.all(tried));
});
afterAll(() => zoo.close());

/** Sends one event by the real act through the real fetcher, on a clock on which the short time is the whole. */
async function sendTo(url: string, real: Fetcher): Promise<string[]> {
  const at = setup();
  const { endpoint } = await aSealedEndpoint({ url });
  const event = aKeptEvent({ keptAt: start.toISOString() });
  await at.endpoints.create(endpoint);
  await at.keptEvents.keep(event);
  const { id: eventId, tenant, about } = event;
  let takesSeconds = 0;
  const post: Fetcher['post'] = async (link, message, { timeoutSeconds, ...limits }) => {
    expect(timeoutSeconds).toBe(endpointAnswerSeconds);
    const from = performance.now();
    const answer = await real.post(link, message, { ...limits, timeoutSeconds: shortSeconds });
    takesSeconds = performance.now() - from > 0.95 * shortSeconds * 1000 ? endpointAnswerSeconds : 0;
    at.advance(takesSeconds);
    return answer;
  };
  const random = () => 0; // no jitter
  const dependencies = {
    ...at,
    random,
    postSigned: signedSender({ post }, webhookSigner(seals), at.now),
    bodyOf,
    nextTryAfter,
    put: async () => [],
  };
  await sendWebhook({ tenant, eventId, about, endpointId: endpoint.id, failed: 0 }, dependencies);

  const delivery = await at.deliveries.find(eventId, endpoint.id);
  const { state, disabledBecause, breaker } = (await at.endpoints.find(tenant, endpoint.id)) ?? {};
  const [one] = delivery?.tries ?? [];
  const [delayed] = at.webhooksDelayed;
  const dueIn = (delivery?.dueAt ?? 0) - at.now().getTime() / 1000;
  const next = delivery?.state === 'waiting' ? `${delayed?.delaySeconds ?? dueIn} s` : '';
  const code = (word: string | undefined) => (word === undefined ? '' : `\`${word}\``);
  const becomes = state === 'disabled' ? `disabled: ${code(disabledBecause)}` : breaker ? 'rests 15 s' : '';
  return [`${one?.status ?? ''}`, code(one?.error), code(delivery?.state), next, becomes];
}

it('each receiver of the zoo ends as docs/webhooks.md says', () => {
  const page = readFileSync('docs/webhooks.md', 'utf8');
  const rows = rowsUnder(page, '| a server that | status | error | delivery | next try | endpoint |');
  expect(rows).toEqual([...found].map(([does, became]) => [does, ...became]));
});

it('a redirect is not followed, and nothing is asked of a private address', () => {
  expect(zoo.counts.followed).toBe(0);
  // A request each, but for those that ended at their certificate or their name.
  expect(zoo.counts.requests).toBe(zoo.urls.size - 3);
});

it('a name is looked up once a try: it cannot lead elsewhere between the check and the call', () => {
  expect(new Set(zoo.counts.lookups.values())).toEqual(new Set([1]));
});

it('of 50 MB no more is read than a little', () => {
  expect(zoo.counts.writtenBytes).toBeLessThan(8 * 1024 * 1024);
});
