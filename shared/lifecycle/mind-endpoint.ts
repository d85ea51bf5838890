import { openSeconds } from '../domain/breaker.ts';
import type { Tried } from '../domain/delivery.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import { eventId } from '../domain/event.ts';
import type { Deliveries, Endpoints, Measure } from '../domain/ports.ts';
import { epochSeconds, failingSeconds, slowAnswerSeconds } from '../domain/times.ts';
import { type TellingDisabled, tellDisabled } from './tell-disabled.ts';

export interface MindingEndpoint extends TellingDisabled {
  readonly endpoints: Endpoints;
  readonly deliveries: Pick<Deliveries, 'tookSince'>;
  readonly measure: Measure;
}

export type Outcome = 'taken' | 'failed' | 'gone';

export interface Try {
  readonly outcome: Outcome;
  readonly tried: Tried;
}

export type Health = Partial<
  Pick<Endpoint, 'state' | 'disabledBecause' | 'stoppedAt' | 'failingSince' | 'breaker' | 'untold'>
>;

/** Whether every try has failed for so long that the endpoint is to be disabled, as far as it knows itself. */
export function isSpent({ failingSince }: Endpoint, { outcome, tried }: Try): boolean {
  if (outcome !== 'failed' || failingSince === undefined) return false;
  return Date.parse(tried.at) - Date.parse(failingSince) >= failingSeconds * 1000;
}

/**
 * What a try changes of an endpoint; undefined where nothing. The breaker opens for what holds up a lane, an answer that
 * does not come or comes late, and for nothing else: what fails at once costs no other event anything.
 */
export function healthAfter(endpoint: Endpoint, { outcome, tried }: Try, now: Date): Health | undefined {
  if (endpoint.state === 'disabled') return undefined;
  if (outcome === 'gone') return disabled(endpoint, 'gone', now);
  const { breaker, failingSince } = endpoint;
  const heldUp = tried.error === 'timed_out' || tried.milliseconds >= slowAnswerSeconds * 1000;
  const isOpen = breaker !== undefined && breaker.openUntil > epochSeconds(now);
  const changes: Health = {};
  if (outcome === 'taken' && failingSince !== undefined) changes.failingSince = undefined;
  if (outcome === 'failed' && failingSince === undefined) changes.failingSince = tried.at;
  if (!heldUp && breaker) changes.breaker = undefined;
  if (heldUp && !isOpen) {
    const openings = (breaker?.openings ?? 0) + 1;
    changes.breaker = { openings, openUntil: epochSeconds(now) + openSeconds(openings) };
  }
  return Object.keys(changes).length > 0 ? changes : undefined;
}

/** The event of it is named at once: it is told by the worker that disables, or by the next one that looks. */
function disabled({ id, version }: Endpoint, disabledBecause: 'gone' | 'failing', now: Date): Health {
  const untold = eventId(id, version + 1);
  const stoppedAt = now.toISOString();
  return { state: 'disabled', disabledBecause, stoppedAt, untold, breaker: undefined, failingSince: undefined };
}

/** Other writers of an endpoint that a change goes after; what is not written then is found out by a later try. */
const lostRaces = 5;

/**
 * Writes down what a try says of its endpoint, only where that is news, and tells where it disables the endpoint. True
 * where the endpoint is disabled.
 */
export async function mindEndpoint(known: Endpoint, one: Try, dependencies: MindingEndpoint): Promise<boolean> {
  const { endpoints, measure, now } = dependencies;
  if (!isSpent(known, one) && !healthAfter(known, one, now())) return false;
  for (let tries = 0; tries < lostRaces; tries += 1) {
    const endpoint = await endpoints.find(known.tenant, known.id);
    if (!endpoint) return false;
    if (endpoint.state === 'disabled') return true;
    const health = await changeOf(endpoint, one, dependencies);
    if (!health) return false;
    const changed = await endpoints.change(endpoint, health);
    if (!changed) continue;
    if (await isFirstToFail(changed, health, dependencies)) measure({ metric: 'TenantsFailing', value: 1 });
    if (changed.untold !== undefined) await tellDisabled(changed, dependencies);
    return changed.state === 'disabled';
  }
  return false;
}

/**
 * Whether an endpoint that begins to fail is the one of its tenant's that has failed longest. Asked once it is written
 * down: of several that begin at once, each sees those that were written before it.
 */
async function isFirstToFail({ tenant, id }: Endpoint, { failingSince }: Health, { endpoints }: MindingEndpoint) {
  if (failingSince === undefined) return false;
  const all = await endpoints.list(tenant);
  const failing = all.flatMap((one) => (one.failingSince === undefined ? [] : `${one.failingSince} ${one.id}`));
  return failing.every((one) => one >= `${failingSince} ${id}`);
}

/** A success that was not written down, for it came while `failingSince` was not yet known there, is looked for first. */
async function changeOf(endpoint: Endpoint, one: Try, { deliveries, now }: MindingEndpoint) {
  const { tenant, id, failingSince } = endpoint;
  if (failingSince === undefined || !isSpent(endpoint, one)) return healthAfter(endpoint, one, now());
  const took = await deliveries.tookSince(tenant, id, failingSince);
  return took ? { failingSince: one.tried.at } : disabled(endpoint, 'failing', now());
}
