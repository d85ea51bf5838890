import { type KeptEvent, placeOf } from '../domain/delivery.ts';
import { type Endpoint, type Replay, rememberedReplays } from '../domain/endpoint.ts';
import { Fault } from '../domain/fault.ts';
import type { Deliveries, Endpoints, KeptEvents, Log, ReplayMessage, WebhookQueue } from '../domain/ports.ts';
import { keptLateSeconds, replayBegunSeconds } from '../domain/times.ts';

/** Kept events that one message of a replay looks at. */
const eventsPerPage = 100;

export interface BeginningReplay {
  readonly endpoints: Pick<Endpoints, 'find' | 'change'>;
  readonly webhooks: Pick<WebhookQueue, 'goOn'>;
  readonly now: () => Date;
  readonly newId: () => string;
}

export interface Replaying {
  readonly endpoints: Pick<Endpoints, 'find' | 'change'>;
  readonly keptEvents: Pick<KeptEvents, 'page'>;
  readonly deliveries: Pick<Deliveries, 'find'>;
  readonly webhooks: Pick<WebhookQueue, 'send' | 'goOn'>;
  readonly now: () => Date;
  readonly log: Log;
}

/** Whose endpoint, by the id that a caller gave. */
export interface OfEndpoint {
  readonly tenant: string;
  readonly endpointId: string;
}

export type AskedReplay = Pick<Replay, 'since' | 'until' | 'types' | 'failedOnly'>;

/**
 * Begins to send an endpoint again the events kept between two times. It is asked to go on before it is written down, for
 * the request may be killed in between, and a message that finds no such replay does nothing.
 */
export async function beginReplay(of: OfEndpoint, asked: AskedReplay, dependencies: BeginningReplay): Promise<Replay> {
  const { webhooks, now, newId } = dependencies;
  const id = newId();
  const message = { ...of, replayId: id };
  const begun = await changeReplay(of, dependencies, async (endpoint) => {
    if (endpoint.state === 'disabled') {
      throw new Fault('endpoint_disabled', 'Enable the endpoint first: a disabled one is sent nothing.');
    }
    const { replay: last } = endpoint;
    if (last?.state === 'running') {
      throw new Fault('replay_running', 'An endpoint has one replay at a time. Wait for it, or cancel it.');
    }
    await webhooks.goOn(message, replayBegunSeconds);
    const at = now().toISOString();
    const types = asked.types ?? endpoint.types;
    const cancelled = [...(last?.cancelled ?? []), ...(last?.state === 'cancelled' ? [last.id] : [])];
    return {
      id,
      state: 'running',
      since: asked.since,
      until: asked.until < at ? asked.until : at,
      ...(types && { types }),
      failedOnly: asked.failedOnly,
      begunAt: at,
      seen: 0,
      sent: 0,
      cancelled: cancelled.slice(-rememberedReplays),
    };
  });
  await webhooks.goOn(message);
  return begun;
}

/** Ends a replay: what the queue has of it is dropped by the sender within 20 s. One that is over stays as it ended. */
export function cancelReplay(of: OfEndpoint, dependencies: Pick<BeginningReplay, 'endpoints'>): Promise<Replay> {
  return changeReplay(of, dependencies, async ({ replay }) => {
    if (!replay) throw new Fault('replay_unknown', 'This endpoint has no replay.');
    return replay.state === 'running' ? { ...replay, state: 'cancelled' } : replay;
  });
}

/**
 * Hands the next page of a replay to the queue, writes how far it has come, and asks for the page after it, which comes in
 * the same lane behind the events of this one: so no more than a page waits there, and a replay that is done has been sent.
 * Killed anywhere, the page is handed over again. The last minute is waited for, as an event may be kept late.
 */
export async function goOnWithReplay(message: ReplayMessage, dependencies: Replaying): Promise<void> {
  const { endpoints, keptEvents, webhooks, now, log } = dependencies;
  const { tenant, endpointId, replayId } = message;
  const endpoint = await endpoints.find(tenant, endpointId);
  const replay = endpoint?.replay;
  if (!endpoint || replay?.id !== replayId || replay.state !== 'running') return;
  if (endpoint.state === 'disabled' || (endpoint.stoppedAt ?? '') >= replay.begunAt) {
    await writePage(endpoint, replay, { ...replay, state: 'cancelled' }, dependencies);
    return;
  }
  const secondsToWait = Math.ceil((Date.parse(replay.until) - now().getTime()) / 1000) + keptLateSeconds;
  const settled = new Date(now().getTime() - keptLateSeconds * 1000).toISOString();
  const { since, until, types, after } = replay;
  const window = { since, until: settled < until ? settled : until, types, after };
  const { items, next } = await keptEvents.page({ tenant, ...window, limit: eventsPerPage });
  const wanted = await wantedOf(items, endpointId, replay, dependencies);
  const again = { kind: 'replay', id: replayId } as const;
  const messages = wanted.map(({ id: eventId, about }) => ({ tenant, eventId, about, endpointId, failed: 0, again }));
  if (messages.length > 0) await webhooks.send(messages);
  const last = items.at(-1);
  const place = next ?? (last && placeOf(last));
  const waits = place === undefined && secondsToWait > 0;
  const to: Replay = {
    ...replay,
    ...(place === undefined ? { state: waits ? 'running' : 'done' } : { after: place }),
    seen: replay.seen + items.length,
    sent: replay.sent + wanted.length,
  };
  if (!waits && !(await writePage(endpoint, replay, to, dependencies))) return; // cancelled, or another message goes on
  if (to.state === 'done') log.info('replay.done', { endpoint_id: endpointId, replay_id: replayId, sent: to.sent });
  else await webhooks.goOn(message, waits ? secondsToWait : undefined);
}

/** Those that are sent: nothing is left of an erased verification's, and `failedOnly` leaves out what was delivered. */
async function wantedOf(
  items: readonly KeptEvent[],
  endpointId: string,
  { failedOnly }: Replay,
  { deliveries }: Replaying,
): Promise<KeptEvent[]> {
  const whole = items.filter(({ data }) => data !== undefined);
  if (!failedOnly) return whole;
  const found = await Promise.all(whole.map(({ id }) => deliveries.find(id, endpointId)));
  return whole.filter((_, index) => found[index]?.state !== 'delivered');
}

/** True where the replay is now `to`; another change of its endpoint is gone after. */
async function writePage(
  endpoint: Endpoint,
  from: Replay,
  to: Replay,
  { endpoints }: Pick<Replaying, 'endpoints'>,
): Promise<boolean> {
  let current: Endpoint | undefined = endpoint;
  while (isSame(current?.replay, from)) {
    if (current && (await endpoints.change(current, { replay: to }))) return true;
    current = await endpoints.find(endpoint.tenant, endpoint.id);
  }
  return isSame(current?.replay, to); // by a write of which only the answer was lost
}

function isSame(one: Replay | undefined, other: Replay): boolean {
  return one?.id === other.id && one.state === other.state && one.after === other.after;
}

/** Changes the replay of an endpoint to what `change` makes of it, and looks again where another writer was first. */
async function changeReplay(
  { tenant, endpointId }: OfEndpoint,
  { endpoints }: Pick<BeginningReplay, 'endpoints'>,
  change: (endpoint: Endpoint) => Promise<Replay>,
): Promise<Replay> {
  for (;;) {
    const endpoint = await endpoints.find(tenant, endpointId);
    if (!endpoint) throw new Fault('endpoint_unknown', 'There is no endpoint with this id.');
    const replay = await change(endpoint);
    if (replay === endpoint.replay || (await endpoints.change(endpoint, { replay }))) return replay;
  }
}
