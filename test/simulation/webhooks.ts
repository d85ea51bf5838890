import { Webhook } from 'standardwebhooks';
import { deliveryId, type KeptEvent } from '../../shared/domain/delivery.ts';
import type { Endpoint, EndpointEvent, Replay } from '../../shared/domain/endpoint.ts';
import { type Event, eventOf } from '../../shared/domain/event.ts';
import type { Endpoints, Fetcher, SenderMessage, SignWebhook, WebhookQueue } from '../../shared/domain/ports.ts';
import { endpointAnswerSeconds, sameMessageSeconds } from '../../shared/domain/times.ts';
import type { Unerased } from '../../shared/domain/verification.ts';
import type { Change } from '../../shared/lifecycle/announce.ts';
import { sameAs } from '../../shared/stores/webhook-queue.ts';
import { signedSender, webhookSigner } from '../../shared/webhooks/sign.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { memoryDeliveries } from './deliveries.ts';
import { memoryEndpoints } from './endpoints.ts';
import { memoryKeptEvents } from './kept-events.ts';
import type { Plant } from './plants.ts';
import { standHere } from './processes.ts';
import type { Random } from './random.ts';
import type { Referee } from './referee.ts';
import type { Strangers } from './strangers.ts';

export interface WebhookSetting {
  readonly endpoints: readonly Partial<Endpoint>[];
  readonly now: () => Date;
  readonly pass: (seconds: number) => void;
  readonly strangers: Strangers;
  readonly random: Random;
  readonly plant: Plant | undefined;
  readonly referee: Referee;
  readonly say: ((line: string) => void) | undefined;
  /** Onto the sender's queues: once or twice, and never not at all. */
  readonly put: (message: SenderMessage, name: string) => void;
}

const secret = Buffer.from('the secret of every endpoint of the simulation');
const verifier = new Webhook(secret, { format: 'raw' });

/** The endpoints of a tenant, what is kept for them, their queue, and the servers behind them. */
export function simulatedWebhooks(setting: WebhookSetting) {
  const { now, pass, strangers, random, plant, referee, say, put } = setting;
  const stored = memoryEndpoints(now);
  const keptEvents = memoryKeptEvents(now);
  const deliveries = memoryDeliveries(now);
  const delayed: { readyAt: number; message: SenderMessage; name: string }[] = [];
  /** When SQS took a message that is called so. */
  const takenAt = new Map<string, number>();
  const lost = new Set<string>();

  const made = setting.endpoints.map((overrides, index) =>
    anEndpoint({
      id: `ep_${'abcdefgh'.charAt(index).repeat(16)}`,
      url: `https://hooks.example/${index}`,
      ...overrides,
    }),
  );
  const ready = Promise.all(made.map((endpoint) => stored.create(endpoint)));
  for (const endpoint of made) referee.webhooks.endpointIs(endpoint.id, endpoint);

  const endpoints: Endpoints = {
    ...stored,
    async of(tenant) {
      await ready;
      return stored.of(tenant);
    },
    async change(from, fields) {
      const changed = await stored.change(from, fields);
      if (changed) referee.webhooks.endpointIs(changed.id, changed);
      if (changed?.disabledBecause && changed.disabledBecause !== from.disabledBecause) {
        say?.(`${changed.id} is disabled: ${changed.disabledBecause}`);
      }
      return changed;
    },
  };

  const webhooks: WebhookQueue = {
    async send(messages) {
      for (const message of messages) {
        const name = sameAs(message);
        if (plant === 'drop-delivery' && (lost.has(name) || random.chance(0.1))) {
          lost.add(name);
          continue;
        }
        if (now().getTime() - (takenAt.get(name) ?? Number.NEGATIVE_INFINITY) < sameMessageSeconds * 1000) continue;
        takenAt.set(name, now().getTime());
        put({ kind: 'webhook', webhook: message }, `webhook ${name}`);
      }
    },
    async sendLater(message, delaySeconds) {
      const readyAt = now().getTime() + delaySeconds * 1000;
      delayed.push({ readyAt, message: { kind: 'later', webhook: message }, name: `later ${sameAs(message)}` });
    },
    async goOn(replay, delaySeconds = 0) {
      const name = `replay ${replay.replayId}`;
      if (delaySeconds === 0) return put({ kind: 'replay', replay }, name);
      const readyAt = now().getTime() + delaySeconds * 1000;
      delayed.push({ readyAt, message: { kind: 'replay_later', replay }, name });
    },
  };

  const signed = webhookSigner({ open: async () => secret });
  const sign: SignWebhook = async (endpoint, message) => {
    const headers = await signed(endpoint, message);
    return plant === 'unsigned' && random.chance(0.1) ? { ...headers, 'webhook-signature': '' } : headers;
  };

  const post: Fetcher['post'] = async (url, { body, headers }) => {
    await standHere();
    const endpoint = made.find((one) => one.url === url);
    const id = headers['webhook-id'] ?? '';
    const at = new Date(Number(headers['webhook-timestamp']) * 1000);
    const genuine = headers['webhook-signature']?.split(' ').includes(verifier.sign(id, at, body)) ?? false;
    const answer = strangers.receives(endpoint?.id ?? '', id);
    const taken = answer.kind === 'answered' && answer.status < 300;
    say?.(`${endpoint?.id} ${taken ? 'takes' : 'refuses'} ${id}`);
    referee.webhooks.received({ endpointId: endpoint?.id ?? '', id, body, genuine, taken });
    if (answer.kind === 'failed' && answer.reason === 'timed_out') pass(endpointAnswerSeconds);
    await standHere();
    return answer;
  };

  return {
    ...{ endpoints, keptEvents, deliveries, webhooks, postSigned: signedSender({ post }, sign, now), made },

    /** Puts what has waited for its time onto the queues. */
    ripen(): void {
      for (const one of delayed.splice(0)) {
        if (one.readyAt <= now().getTime()) put(one.message, one.name);
        else delayed.push(one);
      }
    },

    /** Ids of deliveries, the newest first. */
    latest: () => deliveries.all().map(deliveryId).reverse(),

    /** Whether the sweep finds something to send. */
    isDue: () =>
      deliveries.all().some(({ state, dueAt = Infinity }) => state === 'waiting' && dueAt * 1000 <= now().getTime()),
    /** Milliseconds: when something is due that waits. */
    nextDue(): number | undefined {
      const waiting = deliveries
        .all()
        .flatMap(({ state, dueAt }) => (state === 'waiting' && dueAt ? [dueAt * 1000] : []));
      const all = [...waiting, ...delayed.map(({ readyAt }) => readyAt)];
      return all.length > 0 ? Math.min(...all) : undefined;
    },

    /** What its tenant does with the n-th of them. */
    async administer(index: number, what: 'disable' | 'enable' | 'remove'): Promise<void> {
      await ready;
      const { id = '' } = made[index] ?? {};
      const endpoint = await stored.find('acme', id);
      if (!endpoint) return;
      say?.(`${id}: ${what}`);
      if (what === 'remove') {
        await stored.remove('acme', id);
        referee.webhooks.endpointIs(id, undefined);
      } else if (what === 'enable') {
        const health = { disabledBecause: undefined, failingSince: undefined, breaker: undefined };
        await endpoints.change(endpoint, { state: 'enabled', ...health });
      } else {
        const stoppedAt = now().toISOString();
        await endpoints.change(endpoint, { state: 'disabled', disabledBecause: 'asked', stoppedAt });
      }
    },

    conclude: () => referee.webhooks.conclude(deliveries.all(), keptEvents.all()),
  };
}
export type SimulatedWebhooks = ReturnType<typeof simulatedWebhooks>;

/** What the referee may say. */
type Wrong = 'webhooks lost' | 'webhooks not owed' | 'webhooks with two bodies' | 'webhooks unsigned' | 'unfinished';

interface Received {
  readonly endpointId: string;
  readonly id: string;
  readonly body: string;
  readonly genuine: boolean;
  readonly taken: boolean;
}

type Wanting = Pick<Endpoint, 'state' | 'types' | 'body' | 'tenant' | 'replay' | 'untold'>;

interface ReplayOf {
  readonly replay: Replay;
  readonly endpointId: string;
  readonly callsBefore: number;
}

/**
 * Counts from outside what endpoints are owed: the event of every move that was made and announced while they wanted it.
 * What was kept, tried and written down is not asked, but for which deliveries are listed as ended.
 */
export function webhookReferee(wrong: (kind: Wrong, what: string) => void) {
  const known = new Map<
    string,
    { endpoint: Wanting | undefined; wantsSince: number; stopped: boolean; last: Wanting }
  >();
  const types = new Map<string, string>();
  const erased = new Set<string>();
  const owed = new Set<string>();
  const takenOf = new Set<string>();
  const triedOf = new Map<string, number>();
  const bodies = new Map<string, string>();
  const tally = { owed: 0, taken: 0, ended: 0, spent: 0, replayed: 0 };
  let changes = 0;
  /** Replays as they are, and how many calls endpoints had got before each. */
  const replays = new Map<string, ReplayOf>();
  /** The number of the last call of each event at each endpoint, of all calls. */
  const lastCall = new Map<string, number>();
  let calls = 0;

  const wants = (endpoint: Wanting | undefined, type: string) =>
    endpoint?.state === 'enabled' && (endpoint.types?.some((wanted) => wanted === type) ?? true);

  /** What a replay owes that has come to its end: every kept event of its window, called for after it had begun. */
  function concludeReplay({ replay, endpointId, callsBefore }: ReplayOf, kept: readonly KeptEvent[]): void {
    const endpoint = known.get(endpointId);
    if (replay.state === 'running' && endpoint?.endpoint?.replay?.id === replay.id) {
      wrong('unfinished', `${replay.id} to ${endpointId} runs for ever`);
    }
    if (replay.state !== 'done' || endpoint?.stopped) return;
    const { since, until, types: wanted, failedOnly } = replay;
    for (const { id, type, keptAt, data } of kept) {
      if (data === undefined || keptAt < since || keptAt >= until) continue;
      if (wanted && !wanted.some((one) => one === type)) continue;
      const pair = `${id} ${endpointId}`;
      tally.replayed += 1;
      if (failedOnly && takenOf.has(pair)) continue;
      if ((lastCall.get(pair) ?? 0) <= callsBefore) wrong('webhooks lost', `${pair} of ${replay.id}`);
    }
  }

  return {
    tally,

    /** Undefined: it was deleted. */
    endpointIs(id: string, endpoint: Endpoint | undefined): void {
      const { replay } = endpoint ?? {};
      if (replay) {
        const { callsBefore = calls } = replays.get(replay.id) ?? {};
        replays.set(replay.id, { replay, endpointId: id, callsBefore });
      }
      const before = known.get(id);
      const same = before?.endpoint && endpoint && before.endpoint.state === endpoint.state;
      known.set(id, {
        endpoint,
        wantsSince: same ? before.wantsSince : changes,
        stopped: (before?.stopped ?? false) || endpoint?.state !== 'enabled',
        last: endpoint ?? before?.last ?? { state: 'disabled', body: 'thin', tenant: '' },
      });
    },

    changed({ before, after }: Omit<Change, 'sequenceNumber'>): void {
      changes += 1;
      if (!before || !after || after.sequence === before.sequence) return;
      const { id, type } = eventOf(before as Unerased, after);
      types.set(id, type);
      if (after.state === 'erased') erased.add(after.verificationId);
    },

    /** The stream's reader has gone past the n-th change. */
    announced({ before, after }: Omit<Change, 'sequenceNumber'>, index: number): void {
      if (!before || !after || after.sequence === before.sequence) return;
      const id = `evt_${after.verificationId}_${after.sequence}`;
      for (const [endpointId, { endpoint, wantsSince }] of known) {
        if (wants(endpoint, types.get(id) ?? '') && wantsSince <= index) owed.add(`${id} ${endpointId}`);
      }
    },

    /** The bus was told that an endpoint is disabled: the others are owed that, where they want it. */
    told(event: Event | EndpointEvent): void {
      if (event.type === 'endpoint.disabled') types.set(event.id, event.type);
    },

    received({ endpointId, id, body, genuine, taken }: Received): void {
      const pair = `${id} ${endpointId}`;
      const endpoint = known.get(endpointId);
      const type = types.get(id) ?? (/^evt_ep_/.test(id) ? 'endpoint.disabled' : undefined);
      const named = JSON.parse(body) as { type: string; data: { id: string } };
      if (!genuine) wrong('webhooks unsigned', pair);
      if (type === undefined || named.type !== type || named.data.id !== id)
        wrong('webhooks not owed', `${pair}: no move`);
      if (endpoint && !wants({ ...endpoint.last, state: 'enabled' }, type ?? ''))
        wrong('webhooks not owed', `${pair}: ${type}`);
      const first = bodies.get(pair) ?? body;
      if (first !== body) wrong('webhooks with two bodies', `${pair}: ${first}, then ${body}`);
      bodies.set(pair, first);
      triedOf.set(pair, (triedOf.get(pair) ?? 0) + 1);
      calls += 1;
      lastCall.set(pair, calls);
      if (taken) takenOf.add(pair);
    },

    /** Nothing moves any more. */
    conclude(
      deliveries: readonly {
        eventId: string;
        endpointId: string;
        about: string;
        state: string;
        endedBecause?: string | undefined;
        type: string;
      }[],
      kept: readonly KeptEvent[],
    ): void {
      const listed = new Map(deliveries.map((one) => [`${one.eventId} ${one.endpointId}`, one]));
      for (const one of deliveries) {
        if (one.state === 'waiting') wrong('unfinished', `${one.eventId} waits for ${one.endpointId}`);
      }
      for (const { id, about, data, verdict, metadata } of kept) {
        if (erased.has(about) && (data ?? verdict ?? metadata) !== undefined)
          wrong('unfinished', `${id} outlives its erasure`);
      }
      for (const one of replays.values()) concludeReplay(one, kept);
      for (const [id, { endpoint }] of known) {
        if (endpoint?.state === 'disabled' && endpoint.untold)
          wrong('unfinished', `it is not told that ${id} was disabled`);
      }
      for (const pair of owed) {
        tally.owed += 1;
        if (takenOf.has(pair)) {
          tally.taken += 1;
          continue;
        }
        const one = listed.get(pair);
        const endpoint = known.get(one?.endpointId ?? '');
        const stopped = endpoint?.stopped === true;
        // The event of an erasure goes with its last receiver: one that was disabled, then sent it again, is none.
        const mayBeErased = one?.type !== 'verification.erased' || stopped;
        const ended =
          one?.state === 'ended' &&
          ((one.endedBecause === 'erased' && erased.has(one.about) && mayBeErased) ||
            (one.endedBecause === 'endpoint_deleted' && endpoint?.endpoint === undefined) ||
            (one.endedBecause === 'endpoint_disabled' && stopped));
        const spent = one?.state === 'spent' && (triedOf.get(pair) ?? 0) >= 10;
        if (ended) tally.ended += 1;
        else if (spent) tally.spent += 1;
        else wrong('webhooks lost', `${pair} is ${one?.state ?? 'nowhere'} ${one?.endedBecause ?? ''}`);
      }
    },
  };
}
