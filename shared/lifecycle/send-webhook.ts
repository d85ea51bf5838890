import { begunDelivery, type Delivery, type Going, type KeptEvent, type Tried } from '../domain/delivery.ts';
import { type Endpoint, endpoint, isCancelled } from '../domain/endpoint.ts';
import { understood } from '../domain/later.ts';
import type { Deliveries, KeptEvents, Log, PostSigned, WebhookMessage, WebhookQueue } from '../domain/ports.ts';
import { broughtSeconds, epochSeconds, longestMessageDelaySeconds, longestPutOffSeconds } from '../domain/times.ts';
import { type MindingEndpoint, mindEndpoint, type Outcome } from './mind-endpoint.ts';
import { tellDisabled } from './tell-disabled.ts';

export interface SendingWebhook extends MindingEndpoint {
  readonly keptEvents: Pick<KeptEvents, 'find' | 'keep' | 'noLongerAwaited'>;
  readonly deliveries: Pick<Deliveries, 'find' | 'begin' | 'go' | 'tookSince'>;
  readonly webhooks: Pick<WebhookQueue, 'send' | 'sendLater'>;
  readonly postSigned: PostSigned;
  /** Undefined where nothing of the event is left. */
  readonly bodyOf: (event: KeptEvent, endpoint: Endpoint) => string | undefined;
  /** Seconds until an event is tried again that failed so often; undefined where that was the last. */
  readonly nextTryAfter: (
    failed: number,
    asked: { retryAfter: string | undefined; now: Date; random: number },
  ) => number | undefined;
  /** 0 ≤ n < 1 */
  readonly random: () => number;
  readonly log: Log;
}

/** Where a message finds its event: the endpoint it is for, the event, and what became of it there. */
export interface Found {
  readonly message: WebhookMessage;
  /** Undefined: it is deleted. */
  readonly endpoint: Endpoint | undefined;
  readonly event: KeptEvent;
  /** Undefined: not tried yet, as far as is known. */
  readonly earlier: Delivery | undefined;
  readonly now: Date;
}

type EndedBecause = NonNullable<Delivery['endedBecause']>;

export type Step =
  | { kind: 'drop' }
  | { kind: 'end'; because: EndedBecause }
  | { kind: 'put_off'; seconds: number }
  | { kind: 'post'; endpoint: Endpoint };

/**
 * What a message has done. One that counts otherwise than the delivery is an old one. What waited for an endpoint when it
 * was disabled has ended, also once it is enabled again: only what is asked for again is sent.
 */
export function stepOf({ message, endpoint, event, earlier, now }: Found): Step {
  const again = message.again !== undefined;
  const isDue = message.due === undefined || earlier?.dueAt === message.due;
  const counts = earlier?.state === 'waiting' && earlier.failed === message.failed && isDue;
  if (!again && !counts && (earlier !== undefined || readsFirst(message))) return { kind: 'drop' };
  if (!endpoint) return { kind: 'end', because: 'endpoint_deleted' };
  if (message.again?.kind === 'replay' && isCancelled(endpoint, message.again.id)) return { kind: 'drop' };
  const stopped =
    !again && endpoint.stoppedAt !== undefined && endpoint.stoppedAt >= (earlier?.updatedAt ?? event.keptAt);
  if (endpoint.state === 'disabled' || stopped) return { kind: 'end', because: 'endpoint_disabled' };
  if (event.data === undefined) return { kind: 'end', because: 'erased' };
  const openFor = (endpoint.breaker?.openUntil ?? 0) - epochSeconds(now);
  return openFor > 0
    ? { kind: 'put_off', seconds: putOffSeconds(openFor, event, again, now) }
    : { kind: 'post', endpoint };
}

/** The longer an event has waited, the longer it is put off: the events of a dead endpoint cost little. */
function putOffSeconds(openFor: number, { keptAt }: KeptEvent, again: boolean, now: Date): number {
  const waited = again ? 0 : (now.getTime() - Date.parse(keptAt)) / 1000;
  return Math.ceil(Math.min(longestPutOffSeconds, Math.max(openFor, waited)));
}

/** The first message of an event is sent without a look at what became of it: a twin posts the same bytes once more. */
function readsFirst({ failed, due, again }: WebhookMessage): boolean {
  return failed > 0 || due !== undefined || again !== undefined;
}

/**
 * Sends an event to an endpoint, and writes down what came of it: one write where it is taken at once. Killed anywhere, the
 * message comes again and posts the same bytes under the same id. A try that failed is written before the message of the
 * next one is sent; killed in between, the delivery is due and the sweep sends it.
 */
export async function sendWebhook(message: WebhookMessage, dependencies: SendingWebhook): Promise<void> {
  const { keptEvents, deliveries, log, now } = dependencies;
  const event = await keptEvents.find(message.eventId);
  if (!event) return log.warn('webhook.forgotten', { event_id: message.eventId }); // it is older than events are kept
  const earlier = readsFirst(message) ? await deliveries.find(message.eventId, message.endpointId) : undefined;
  const at = { message, event, earlier, now: now() };
  const known = await knownEndpoint(message, dependencies);
  let step = stepOf({ ...at, endpoint: known });
  // What is known may be twenty seconds old: nothing ends by it. A message that has nothing to send any more may be the one
  // that has a disabling told.
  if (step.kind === 'end' || step.kind === 'drop')
    step = stepOf({ ...at, endpoint: await freshEndpoint(message, dependencies) });
  const found = { message, event, earlier };
  if (step.kind === 'post') await post(found, step.endpoint, dependencies);
  else if (step.kind === 'put_off') await putOff(found, step.seconds, dependencies);
  else if (step.kind === 'end') await end(found, step.because, dependencies);
  else await forget(found, earlier, dependencies);
}

type Under = Pick<Found, 'message' | 'event' | 'earlier'>;

async function knownEndpoint({ tenant, endpointId }: WebhookMessage, { endpoints }: SendingWebhook) {
  const { endpoints: all } = await endpoints.of(tenant);
  const known = all.find(({ id }) => id === endpointId);
  return known && understood(endpoint, known, 'this endpoint');
}

/** As it is stored now. Where it was disabled by a worker that died before it told so, that is told first. */
async function freshEndpoint({ tenant, endpointId }: WebhookMessage, dependencies: SendingWebhook) {
  const endpoint = await dependencies.endpoints.find(tenant, endpointId);
  if (endpoint?.untold !== undefined) await tellDisabled(endpoint, dependencies);
  return endpoint;
}

async function post(found: Under, endpoint: Endpoint, dependencies: SendingWebhook): Promise<void> {
  const { postSigned, bodyOf, log, measure } = dependencies;
  const { event } = found;
  const { tried, retryAfter } = await postSigned(endpoint, { id: event.id, body: bodyOf(event, endpoint) ?? '' });
  measure({ metric: 'WebhooksFailed', value: tried.error === undefined ? 0 : 1 });
  log.info('webhook.tried', {
    event_id: event.id,
    endpoint_id: endpoint.id,
    status: tried.status,
    error: tried.error,
    milliseconds: tried.milliseconds,
  });
  const outcome: Outcome = tried.error === undefined ? 'taken' : tried.error === 'gone' ? 'gone' : 'failed';
  const disabled = await mindEndpoint(endpoint, { outcome, tried }, dependencies);
  await settle(found, tried, disabled, retryAfter, dependencies);
}

/** What becomes of a delivery by a try. */
export type Next = Omit<Going, 'tried'> & { readonly delaySeconds?: number };

/**
 * A message that is asked for beside the schedule leaves a delivery that waits to its schedule, and begins the schedule of
 * one that was over. `delaySeconds` is when a message brings the next try; what waits longer is brought by the sweep.
 */
export function nextOf(
  { message, earlier }: Pick<Under, 'message' | 'earlier'>,
  { error }: Pick<Tried, 'error'>,
  { disabled, now, nextTry }: { disabled: boolean; now: Date; nextTry: (failed: number) => number | undefined },
): Next {
  const waits = earlier?.state === 'waiting';
  const before = waits ? earlier.failed : message.again ? 0 : message.failed;
  if (error === undefined) return { state: 'delivered', failed: before };
  if (disabled) return { state: 'ended', failed: before + 1, endedBecause: 'endpoint_disabled' };
  if (message.again && waits) return { state: 'waiting', failed: before, dueAt: earlier.dueAt };
  const failed = before + 1;
  const seconds = nextTry(failed);
  if (seconds === undefined) return { state: 'spent', failed };
  const dueAt = dueAtAfter(seconds, now);
  return { state: 'waiting', failed, dueAt, ...(isBrought(seconds) && { delaySeconds: seconds }) };
}

async function settle(
  found: Under,
  tried: Tried,
  disabled: boolean,
  retryAfter: string | undefined,
  dependencies: SendingWebhook,
): Promise<void> {
  const { nextTryAfter, random, webhooks, now } = dependencies;
  const nextTry = (failed: number) => nextTryAfter(failed, { retryAfter, now: now(), random: random() });
  const { delaySeconds, ...next } = nextOf(found, tried, { disabled, now: now(), nextTry });
  const written = await write(found, { ...next, tried }, dependencies);
  if (written && delaySeconds !== undefined) {
    const { again: _, ...message } = found.message;
    await webhooks.sendLater({ ...message, failed: written.failed, due: written.dueAt ?? 0 }, delaySeconds);
  }
}

/**
 * Waits, and is not counted as failed. What is asked for beside the schedule leaves the delivery as it is: a message alone
 * brings it, so it waits no longer than a message can.
 */
async function putOff(found: Under, seconds: number, dependencies: SendingWebhook): Promise<void> {
  const { message } = found;
  const { webhooks, random, now } = dependencies;
  const longest = message.again ? longestMessageDelaySeconds : Number.POSITIVE_INFINITY;
  const delaySeconds = Math.min(longest, Math.ceil(seconds * (1 + random() / 5)));
  const dueAt = dueAtAfter(delaySeconds, now());
  if (!message.again) {
    const waiting = { state: 'waiting', failed: message.failed, dueAt } as const;
    if (!(await write(found, waiting, dependencies))) return;
  }
  if (isBrought(delaySeconds)) await webhooks.sendLater({ ...message, due: dueAt }, delaySeconds);
}

/** Whether a message brings the next try. What waits longer is brought by the sweep. */
const isBrought = (delaySeconds: number) => delaySeconds <= longestMessageDelaySeconds;

/** Epoch seconds from which on the sweep brings the next try. */
function dueAtAfter(delaySeconds: number, now: Date): number {
  return epochSeconds(now) + delaySeconds + (isBrought(delaySeconds) ? broughtSeconds : 0);
}

/** Nothing is sent any more. What was over before stays what it was. */
async function end(found: Under, because: EndedBecause, dependencies: SendingWebhook): Promise<void> {
  const { message, earlier } = found;
  if (message.again && earlier?.state !== 'waiting') return forget(found, earlier, dependencies);
  await write(found, { state: 'ended', failed: earlier?.failed ?? 0, endedBecause: because }, dependencies);
}

/**
 * Writes it, unless another message of the same event was first: then what that one wrote stays, but for an event that
 * was taken now. Undefined where nothing was written.
 */
async function write(found: Under, fields: Going, dependencies: SendingWebhook): Promise<Delivery | undefined> {
  const { deliveries, now } = dependencies;
  const { message, event } = found;
  let { earlier } = found;
  let written: Delivery | undefined;
  if (!earlier) {
    const of = { ...event, eventId: event.id, endpointId: message.endpointId };
    written = await deliveries.begin(begunDelivery(of, fields, now()));
  }
  for (let tries = 0; !written && tries < lostRaces; tries += 1) {
    if (!earlier || tries > 0) earlier = await deliveries.find(event.id, message.endpointId);
    const same = earlier?.state === found.earlier?.state && earlier?.failed === found.earlier?.failed;
    const waits = earlier?.state === 'waiting' && earlier.failed === message.failed;
    const taken = fields.state === 'delivered' && earlier?.state !== 'delivered';
    if (!earlier || !(same || waits || taken)) break;
    written = await deliveries.go(earlier, fields);
  }
  await forget(found, written ?? earlier, dependencies);
  return written;
}

/** Other workers' writes that one of ours goes after. */
const lostRaces = 5;

/** The event of an erasure forgets what was erased once no delivery of it waits any more. */
async function forget(
  { event, message }: Under,
  delivery: Delivery | undefined,
  { keptEvents }: SendingWebhook,
): Promise<void> {
  const awaits = event.awaitedBy?.includes(message.endpointId) ?? false;
  if (awaits && delivery?.state !== 'waiting') await keptEvents.noLongerAwaited(event.id, message.endpointId);
}
