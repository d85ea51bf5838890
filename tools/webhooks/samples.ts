import { randomBytes } from 'node:crypto';
import { type Event, eventTypeOf, supersededType } from '../../shared/domain/event.ts';
import type { State } from '../../shared/domain/verification.ts';
import type { WebhookBody } from './forward.ts';

/** In the order in which a verification that is recaptured once comes by them; the last two are other ways to end. */
const sequences: Readonly<Record<State, number>> = {
  queued: 2,
  dispatched: 3,
  decided: 4,
  awaiting_captures: 5,
  errored: 4,
  expired: 2,
  erased: 6,
};

const verdict = {
  outcome: 'passed',
  confidence: 0.97,
  reasons: [],
  scores: { live: 0.97 },
  provider: 'builtin',
  policy_version: 1,
};

/** A body of this type as an endpoint is posted it, about a verification that there is not. Its id is new each time. */
export function sampleOf(type: string, { sourceId = 'sample', full = false, now = new Date() } = {}): WebhookBody {
  const timestamp = now.toISOString();
  const unique = randomBytes(8).toString('hex');
  if (type.startsWith('endpoint.')) {
    const about = { tenant: 'sample', endpoint_id: 'ep_aaaaaaaaaaaaaaaa' };
    const because = type === 'endpoint.disabled' ? { because: 'failing' } : {};
    return { type, timestamp, data: { id: `evt_sample${unique}`, type, occurred_at: timestamp, ...about, ...because } };
  }
  const reviewed = type === supersededType;
  const [state] = reviewed ? ['decided'] : (Object.entries(eventTypeOf).find(([, one]) => one === type) ?? []);
  if (state === undefined) throw new Error(`There is no type ${type}`);
  const sequence = sequences[state as State] + (reviewed ? 1 : 0);
  const data: Event = {
    id: `evt_sample${unique}_${sequence}`,
    type,
    previous_event_id: sequence > 2 ? `evt_sample${unique}_${sequence - 1}` : null,
    occurred_at: timestamp,
    tenant: 'sample',
    source_id: sourceId,
    check: 'spoof_detect',
    state: state as State,
    round: state === 'awaiting_captures' ? 2 : 1,
    sequence,
  };
  if (state !== 'decided') return { type, timestamp, data };
  return { type, timestamp, data: { ...data, outcome: 'passed', ...(full && { verdict }) } };
}
